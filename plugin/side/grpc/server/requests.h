/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of clients: any bytes. */
#ifndef MRL_GRPC_SERVER_REQUESTS_H
#define MRL_GRPC_SERVER_REQUESTS_H

#include <stdbool.h>

#include "side/grpc/server/mask.h"
#include "side/grpc/server/reply.h"

/** Reads a StreamEventsRequest. Returns false with a status in `reply`. `*ret_wants`: the set of
 * enum mrl_wants that its policies name. `*ret_mask` is new, or NULL: whole messages. */
bool mrl_request__stream(const uint8_t *bytes,
                         size_t size,
                         unsigned int *ret_wants,
                         struct mrl_mask **ret_mask,
                         struct mrl_reply *reply);

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
