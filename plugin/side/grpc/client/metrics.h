/* SPDX-License-Identifier: Apache-2.0 */
/* The verb metrics. */
#ifndef MRL_GRPC_CLIENT_METRICS_H
#define MRL_GRPC_CLIENT_METRICS_H

#include "side/grpc/common/verbs.h"

/** Prints the counters, as a table or as JSON. Errors: as mrl_client__stream(). */
int mrl_client__metrics(const struct mrl_grpc_peer *peer, bool json, struct mrl_error *error);

#endif
