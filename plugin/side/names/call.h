/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of gRPC at a unix socket, one at a time, each with a deadline and a bound. */
#ifndef MRL_SIDE_NAMES_CALL_H
#define MRL_SIDE_NAMES_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "side/names/asker.h"

struct mrl_line; /* a connection */

/** Sends nothing yet. `*ret_line` is new. Error: -ENOMEM. */
int mrl_line__open(const char *path, struct mrl_line **ret_line);

/** NULL is allowed. */
void mrl_line__close(struct mrl_line *line);

struct mrl_call {
    const char *method;     /* "/PACKAGE.SERVICE/METHOD" */
    const char *name_space; /* of containerd; NULL: none */
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *answer;
    unsigned int timeout_ms;
};

/** Makes a call. `*ret_answer` is new: mrl_answer__free(). Errors: as mrl_asker_ops; -ENOENT: so
 * the runtime says. */
int mrl_line__call(struct mrl_line *line,
                   struct mrl_asker *asker,
                   const struct mrl_call *call,
                   ProtobufCMessage **ret_answer);

/** Unpacks any bytes, of which no more than MRL_UNPACKED_BYTES are made. NULL: they are no such
 * message, or would be more. */
ProtobufCMessage *mrl_answer__unpack(const ProtobufCMessageDescriptor *descriptor,
                                     const void *bytes,
                                     size_t size);
void mrl_answer__free(ProtobufCMessage *answer);

#endif
