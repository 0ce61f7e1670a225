/* SPDX-License-Identifier: Apache-2.0 */
/* The verb metrics. */
#ifndef MRL_GRPC_CLIENT_METRICS_H
#define MRL_GRPC_CLIENT_METRICS_H

#include "side/grpc/common/verbs.h"

/** Prints the counters, as "table", "json" or "prometheus". Errors: as mrl_client__stream();
 * -EOPNOTSUPP the server has none that Prometheus could read. */
int mrl_client__metrics(const struct mrl_grpc_peer *peer,
                        const char *format,
                        struct mrl_error *error);

#endif
