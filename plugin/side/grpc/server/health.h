/* SPDX-License-Identifier: Apache-2.0 */
/* grpc.health.v1.Health/Watch: what Check says, and again when the probes are there. */
#ifndef MRL_GRPC_SERVER_HEALTH_H
#define MRL_GRPC_SERVER_HEALTH_H

#include "side/grpc/server/call.h"

/** The method Watch. */
void mrl_health__watch(struct mrl_call *call, const uint8_t *bytes, size_t size);

/** The call of a watcher is over. */
void mrl_health__forget(struct mrl_call *call);

/** The sensor is ready, or is so no more: watchers are told. */
void mrl_health__set(bool serves);

/** Ends the watchers of a server with UNAVAILABLE. */
void mrl_health__end(const struct mrl_server *server);

#endif
