/* SPDX-License-Identifier: Apache-2.0 */
/* The verb metrics. */
#ifndef MRL_GRPC_CLIENT_METRICS_H
#define MRL_GRPC_CLIENT_METRICS_H

#include "grpc/common/verbs.h"

/** mrl_grpc_client.metrics. */
int mrl_client__metrics(const struct mrl_grpc_peer *peer, bool json, struct mrl_error *error);

#endif
