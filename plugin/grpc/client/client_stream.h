/* SPDX-License-Identifier: Apache-2.0 */
/* The verb stream. */
#ifndef MRL_GRPC_CLIENT_CLIENT_STREAM_H
#define MRL_GRPC_CLIENT_CLIENT_STREAM_H

#include "grpc/common/verbs.h"

/** struct mrl_grpc_client.stream: events to standard output, over restarts of the server. */
int mrl_client__stream(const struct mrl_grpc_peer *peer,
                       const struct mrl_grpc_subscription *subscription,
                       struct mrl_error *error);

#endif
