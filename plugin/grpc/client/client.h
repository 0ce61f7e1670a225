/* SPDX-License-Identifier: Apache-2.0 */
/* The client: the verbs metrics and health, and the table of all. */
#ifndef MRL_GRPC_CLIENT_CLIENT_H
#define MRL_GRPC_CLIENT_CLIENT_H

#include "grpc/common/verbs.h"

/** What the verbs of a client do. */
extern const struct mrl_grpc_client mrl_client;

#endif
