/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscribers of StreamEvents. Each reads the server's backlog from a place of its own. A client
 * that does not keep up misses the oldest events and gets an events_lost in their place; other
 * clients are not affected.
 */
#ifndef MRL_GRPC_SERVER_STREAM_H
#define MRL_GRPC_SERVER_STREAM_H

#include <mrelease/sink.h>
#include <stdint.h>

#include "side/grpc/server/call.h"

/** Gives frames (encode/grpc.h) to every subscriber of a server. The thread of the output. */
void mrl_server__publish(struct mrl_server *server, const struct mrl_chunk *chunk);

/* The method StreamEvents: mrl_method.stream, closed and freed. */
void mrl_stream__begin(struct mrl_call *call, const uint8_t *bytes, size_t size);
void mrl_stream__closed(struct mrl_call *call);
void mrl_stream__freed(struct mrl_call *call);

/** Whether all that is there was sent to everybody. */
bool mrl_server__has_drained(struct mrl_server *server);

/** Ends the calls of all subscribers with UNAVAILABLE, each once it was sent all that there is. */
void mrl_server__end_streams(struct mrl_server *server);

/** How many messages were sent over the connection of `fd`; `server` is a struct mrl_server. */
uint64_t mrl_server__progress(void *server, int fd);

#endif
