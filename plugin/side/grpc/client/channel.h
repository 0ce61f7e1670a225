/* SPDX-License-Identifier: Apache-2.0 */
/* A channel to a server, and the calls over it: one at a time, on the thread that makes it. */
#ifndef MRL_GRPC_CLIENT_CHANNEL_H
#define MRL_GRPC_CLIENT_CHANNEL_H

#include <grpc/status.h>
#include <mrelease/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrl_grpc_peer;
struct mrl_channel;

/** A channel to a peer; nothing is sent yet. `*ret_channel` is new. Errors: -EINVAL, -EBADMSG, or
 * as mrl_pem__read(), with a line. */
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
    /** NULL, or told once a server has the request. */
    void (*begun)(void *context);
    void *context;

    int taken; /* what take() ended it with; -ECANCELED: peer.stop did; else 0 */
    bool connected;
    grpc_status_code status;
    char text[256];
};

/** Makes a call, and returns when it is over. */
void mrl_channel__call(struct mrl_channel *channel, struct mrl_client_call *call);

#endif
