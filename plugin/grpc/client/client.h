/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side: one call at a time, on the thread that makes it. */
#ifndef MRL_GRPC_CLIENT_CLIENT_H
#define MRL_GRPC_CLIENT_CLIENT_H

#include <grpc/grpc.h>

#include "grpc/client/received.h"
#include "grpc/common/module.h"

/** What the verbs of a client do. */
extern const struct mrl_grpc_client mrl_client;

struct mrl_channel;

/** A channel to a peer; nothing is sent yet. `*ret_channel` is new. Errors: -EINVAL, or as
 * mrl_pem__read(), with a line. */
int mrl_channel__new(const struct mrl_grpc_peer *peer,
                     struct mrl_error *error,
                     struct mrl_channel **ret_channel);

void mrl_channel__free(struct mrl_channel *channel);

/** A call, and how it ended. */
struct mrl_client_call {
    const char *path;
    const uint8_t *request;
    size_t request_size;
    int timeout_ms; /* of the whole call; 0: none */
    /** Takes each answer, which is borrowed; -errno ends the call. */
    int (*take)(void *context, const uint8_t *bytes, size_t size);
    /** NULL, or told once the server has answered at all. */
    void (*begun)(void *context);
    void *context;

    int taken; /* what take() ended it with; -ECANCELED: peer.stop did; else 0 */
    bool connected;
    grpc_status_code status;
    char text[256];
};

/** Makes a call, and returns when it is over. */
void mrl_channel__call(struct mrl_channel *channel, struct mrl_client_call *call);

/* -- what the verbs share --------------------------------------------------------------------- */

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

/** struct mrl_grpc_client.stream */
int mrl_client__stream(const struct mrl_grpc_peer *peer,
                       const struct mrl_grpc_subscription *subscription,
                       struct mrl_error *error);

#endif
