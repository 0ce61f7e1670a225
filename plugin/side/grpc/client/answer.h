/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of a client share: a call with a message, and answers on standard output. */
#ifndef MRL_GRPC_CLIENT_ANSWER_H
#define MRL_GRPC_CLIENT_ANSWER_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "side/grpc/client/channel.h"

/** Makes a call with this request. A status that is not OK is an error: -ECONNREFUSED where there
 * is no server, else -EPROTO; else what take() said. */
int mrl_client__call(const struct mrl_grpc_peer *peer,
                     const ProtobufCMessage *request,
                     struct mrl_client_call *call,
                     struct mrl_error *error);

/** To standard output. Error: -EPIPE. */
int mrl_client__print(const char *bytes, size_t size);

/** As a line. NULL is -ENOMEM. */
int mrl_client__print_json(json_t *json);

/** Flushes standard output, and gives an error without a line one. Returns `err`, or -EPIPE. */
int mrl_client__finish(int err, struct mrl_error *error);

#endif
