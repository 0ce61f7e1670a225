/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of a server mean together. */
#ifndef MRL_GRPC_COMMON_OPTIONS_H
#define MRL_GRPC_COMMON_OPTIONS_H

#include "sinks/grpc.h"

/** Fills in what follows from other options. Error: -EINVAL: they do not go together. */
int mrl_server_options__complete(struct mrl_server_options *options, struct mrl_error *error);

#endif
