/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscribers of StreamEvents: a bounded ring of messages each, which are shared by all. Who does
 * not read loses the oldest, and is told so by an events_lost in their place; nobody else notices.
 */
#ifndef MRL_GRPC_STREAM_H
#define MRL_GRPC_STREAM_H

#include "encode/grpc.h"
#include "grpc/call.h"

struct mrl_subscriber;

/** A message of one event, for every client. Borrowed. */
struct mrl_publication {
    grpc_slice slice;
    struct mrl_grpc_frame frame; /* what it says */
};

/** Gives a message to every subscriber of a server. The thread of the output. */
void mrl_server__publish(struct mrl_server *server, const struct mrl_publication *publication);

/** The method StreamEvents. */
void mrl_stream__begin(struct mrl_call *call, const uint8_t *bytes, size_t size);

/** The call is over: leaves the list, and sends no more. Returns whether a message is still on its
 * way. */
bool mrl_subscriber__close(struct mrl_subscriber *subscriber);

/** Ends the calls of all subscribers with UNAVAILABLE. */
void mrl_server__end_streams(struct mrl_server *server);

/** NULL is allowed. */
void mrl_subscriber__free(struct mrl_subscriber *subscriber);

#endif
