/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of a client: whom it trusts, who it is, and what went wrong. */
#ifndef MRL_SIDE_STREAM_TLS_H
#define MRL_SIDE_STREAM_TLS_H

#include <mrelease/sink.h>
#include <openssl/ssl.h>

#include "side/ship/files.h"

enum { MRL_WHY_BYTES = 200 };

/** TLS 1.2 or newer, and a server that is verified. `*ret_context` is new. Errors, with a line:
 * -EINVAL what a file holds is of no use; -ENOMEM. */
int mrl_tls__context(const struct mrl_files *files, struct mrl_error *error, SSL_CTX **ret_context);

/** A connection to `host`, which its certificate must name, over the socket `fd`, which stays the
 * caller's. New; NULL: no memory. */
SSL *mrl_tls__new(SSL_CTX *context, const char *host, int fd);

/** Why a call on `ssl` failed, for which SSL_get_error() said `code` and errno `err`: the line, and
 * whether somebody has to mend that. */
enum mrl_item_verdict mrl_tls__explain(SSL *ssl, int code, int err, char why[MRL_WHY_BYTES]);

#endif
