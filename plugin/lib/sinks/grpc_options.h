/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the sink "grpc", which its row (grpc.c) describes and its side program reads. */
#ifndef MRL_SINKS_GRPC_OPTIONS_H
#define MRL_SINKS_GRPC_OPTIONS_H

#include <mrelease/sink.h>

#include "sinks/server_options.h"

/** Where Tracee's clients look. */
#define MRL_GRPC_DESTINATION "unix:/var/run/tracee.sock"

/** The descriptors that prepare() opens. */
enum { MRL_GRPC_FD_SOCKET, MRL_GRPC_FD_CERT, MRL_GRPC_FD_KEY, MRL_GRPC_FD_CA };

/** Fills in what follows from other options. Error: -EINVAL: they do not go together. */
int mrl_server_options__complete(struct mrl_server_options *options, struct mrl_error *error);

/** The row; the side program replaces open, write and close by its own. */
extern const struct mrl_sink_ops mrl_sink_grpc;

#endif
