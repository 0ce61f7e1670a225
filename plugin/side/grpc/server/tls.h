/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS. Its sockets are core's, which alone can shake hands on them; the files are read and judged
 * here, so that a wrong one is named, and never replaces a good one.
 */
#ifndef MRL_GRPC_SERVER_TLS_H
#define MRL_GRPC_SERVER_TLS_H

#include <grpc/grpc.h>
#include <mrelease/error.h>

enum { MRL_HANDSHAKE_MS = 10 * 1000 }; /* that a handshake may take */

struct mrl_server_options;
struct mrl_tls;

/**
 * Reads options.cert, key and client_ca, and finds out whether "tcp:HOST:PORT" can be listened at.
 * `*ret_tls` is new. Errors: as mrl_pem__read() and
 * mrl_address__listen(), each with a line.
 */
int mrl_tls__open(const char *destination,
                  const struct mrl_server_options *options,
                  struct mrl_error *error,
                  struct mrl_tls **ret_tls);

/** Lets core listen there; before the server starts. Error: -EADDRINUSE. */
int mrl_tls__listen(struct mrl_tls *tls, grpc_server *core, struct mrl_error *error);

/** Reads the files again, for handshakes from now on. Errors as of mrl_tls__open(): those in use
 * stay. Any thread. */
int mrl_tls__reload(struct mrl_tls *tls, struct mrl_error *error);

/** Cuts all connections. */
void mrl_tls__cut(const struct mrl_tls *tls);

/** Frees; core is gone. NULL is allowed. */
void mrl_tls__close(struct mrl_tls *tls);

#endif
