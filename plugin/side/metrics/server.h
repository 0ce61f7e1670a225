/* SPDX-License-Identifier: Apache-2.0 */
/* The server of HTTP: requests in, pages out. A connection is good for one request. */
#ifndef MRL_METRICS_SERVER_H
#define MRL_METRICS_SERVER_H

#include <mrelease/error.h>

#include "side/common/service.h"

struct mrl_http_server;

/** Serves at `socket`, which it takes over. `*ret_server` is new. Error: -ENOMEM, -EAGAIN no
 * thread, with a line. */
int mrl_http_server__open(int socket,
                          const struct mrl_metrics_options *options,
                          struct mrl_error *error,
                          struct mrl_http_server **ret_server);

void mrl_http_server__close(struct mrl_http_server *server);

#endif
