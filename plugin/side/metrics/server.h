/* SPDX-License-Identifier: Apache-2.0 */
/* The server of HTTP: requests in, pages out. A connection is good for one request. */
#ifndef MRL_METRICS_SERVER_H
#define MRL_METRICS_SERVER_H

#include <mrelease/error.h>

#include "side/common/service.h"

struct mrl_http_server;

/** Makes a server for `socket`, which it takes over. `*ret_server` is new. Error: -ENOMEM, -EAGAIN
 * no thread, with a line. */
int mrl_http_server__open(int socket,
                          const struct mrl_metrics_options *options,
                          struct mrl_error *error,
                          struct mrl_http_server **ret_server);

/** Begins to accept: who waits is answered at once, and the main process asked. Errors: as
 * mrl_http_listener__open(), with a line. */
int mrl_http_server__serve(struct mrl_http_server *server, struct mrl_error *error);

/** Whether its threads get on. Any thread. */
bool mrl_http_server__lives(const struct mrl_http_server *server);

void mrl_http_server__close(struct mrl_http_server *server);

#endif
