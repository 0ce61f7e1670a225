/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS: the certificates of a server. What is wrong with a file is said in our words, and never
 * replaces a good one. Handshakes are relay.c's.
 */
#ifndef MRL_GRPC_LISTEN_TLS_H
#define MRL_GRPC_LISTEN_TLS_H

#include <mrelease/error.h>
#include <openssl/ssl.h>

struct mrl_server_options;
struct mrl_tls;

/** Reads the files of options.cert, key and client_ca at `fds` (MRL_GRPC_FD_CERT and so on), which
 * stay the caller's. `*ret_tls` is new. Errors: as mrl_pem__read(); -ENOMEM; each with a line. */
int mrl_tls__open(const struct mrl_server_options *options,
                  const int *fds,
                  struct mrl_error *error,
                  struct mrl_tls **ret_tls);

/** The same again, for handshakes from now on. Errors as mrl_tls__open(): those in use stay. Any
 * thread. */
int mrl_tls__reload(struct mrl_tls *tls, const int *fds, struct mrl_error *error);

/** A server's end of a session; new. NULL without memory. Any thread. */
SSL *mrl_tls__session(struct mrl_tls *tls);

/** Frees; sessions live on. NULL is allowed. */
void mrl_tls__close(struct mrl_tls *tls);

#endif
