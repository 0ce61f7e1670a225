/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of gRPC at a unix socket, one at a time, each with a deadline and a bound. */
#ifndef MRL_SIDE_NAMES_CALL_H
#define MRL_SIDE_NAMES_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "side/names/asker.h"

struct mrl_line; /* a connection */

/** Takes an item of a list (borrowed). Anything but 0 ends the list. */
typedef int mrl_take_item(void *context, const ProtobufCMessage *item);

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

/** Makes a call that is answered by a list, and hands its items over as mrl_answer__each() does;
 * `call->answer` is what an item is. Errors: those of mrl_line__call() and mrl_answer__each(). */
int mrl_line__list(struct mrl_line *line,
                   struct mrl_asker *asker,
                   const struct mrl_call *call,
                   mrl_take_item *take,
                   void *context);

/** Unpacks any bytes, of which no more than MRL_UNPACKED_BYTES are made. NULL: they are no such
 * message, or would be more. */
ProtobufCMessage *mrl_answer__unpack(const ProtobufCMessageDescriptor *descriptor,
                                     const void *bytes,
                                     size_t size);
void mrl_answer__free(ProtobufCMessage *answer);

/** Reads a list of any bytes: the items of its field 1, one after the other, so that it may be
 * longer than what an answer may cost. One that cannot be unpacked is left out. Returns 0, or what
 * `take` returned. Error: -EBADMSG some were left out, or the bytes are no message. */
int mrl_answer__each(const ProtobufCMessageDescriptor *item,
                     const void *bytes,
                     size_t size,
                     mrl_take_item *take,
                     void *context);

#endif
