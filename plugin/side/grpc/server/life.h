/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a server: it is opened, reads its files again, and ends in time. */
#ifndef MRL_GRPC_SERVER_LIFE_H
#define MRL_GRPC_SERVER_LIFE_H

#include <mrelease/error.h>
#include <stdbool.h>

struct mrl_server;
struct mrl_server_options;

/** Begins to serve. `fds`: as the sink's prepare() opened them (MRL_GRPC_FD_SOCKET and so on); they
 * are taken over. `*ret_server` is new. Errors: -ENOMEM; -EAGAIN no thread; of mrl_tls__open();
 * each with a line. */
int mrl_server__open(const char *destination,
                     const struct mrl_server_options *options,
                     const int *fds,
                     struct mrl_error *error,
                     struct mrl_server **ret_server);

/** Reads the files of TLS at `fds`, for connections from now on. Errors: as mrl_tls__open(); those
 * in use stay. */
int mrl_server__reload(struct mrl_server *server, const int *fds, struct mrl_error *error);

/** Whether no thread of the server that was opened last hangs: it was idle, or has done something
 * since this was asked before. */
bool mrl_servers__live(void);

/** Ends the streams of clients that got everything with OK, all other calls with UNAVAILABLE;
 * within two seconds whatever they do. Frees it. */
void mrl_server__close(struct mrl_server *server);

#endif
