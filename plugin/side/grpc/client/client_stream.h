/* SPDX-License-Identifier: Apache-2.0 */
/* The verb stream. */
#ifndef MRL_GRPC_CLIENT_CLIENT_STREAM_H
#define MRL_GRPC_CLIENT_CLIENT_STREAM_H

#include "side/grpc/common/verbs.h"

/** Prints events to standard output until the end that is asked for, over restarts of the server.
 * Errors, each with a line: -EINVAL an address or a setting; -EBADMSG a file; -ECONNREFUSED no
 * server; -EPROTO it answers with an error status or with bytes that are no answer; -EPIPE standard
 * output takes nothing; -ECANCELED. */
int mrl_client__stream(const struct mrl_grpc_peer *peer,
                       const struct mrl_grpc_subscription *subscription,
                       struct mrl_error *error);

#endif
