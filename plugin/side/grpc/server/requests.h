/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of clients: any bytes. */
#ifndef MRL_GRPC_SERVER_REQUESTS_H
#define MRL_GRPC_SERVER_REQUESTS_H

#include <stdbool.h>

#include "side/grpc/server/chosen.h"
#include "side/grpc/server/mask.h"
#include "side/grpc/server/reply.h"

/** What a client wants of the stream. */
struct mrl_wanted {
    unsigned int wants;        /* set of enum mrl_wants */
    struct mrl_chosen *chosen; /* policies; NULL: all */
    struct mrl_mask *mask;     /* NULL: whole messages */
};

/** Reads a StreamEventsRequest; what `*ret_wanted` points to is new. Returns false, with a status
 * in `reply` and nothing to free. May ask the main process which policies there are. */
bool mrl_request__stream(const uint8_t *bytes,
                         size_t size,
                         struct mrl_wanted *ret_wanted,
                         struct mrl_reply *reply);

/** Frees what it points to. */
void mrl_wanted__done(struct mrl_wanted *wanted);

/* The methods that answer at once: mrl_method.answer. */
void mrl_answer__definitions(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__enable(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__disable(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__detectors(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__version(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__metrics(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__all_metrics(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__log_level(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__stacktrace(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
void mrl_answer__health(const uint8_t *bytes, size_t size, struct mrl_reply *reply);

#endif
