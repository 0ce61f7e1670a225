/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a connection of TLS and core: the handshake and the cipher are done here, and core gets
 * one end of a socket pair with plain bytes. So every connection is one of our own listener's,
 * which bounds it, names it and cuts it. One thread for all.
 */
#ifndef MRL_GRPC_LISTEN_RELAY_H
#define MRL_GRPC_LISTEN_RELAY_H

struct mrl_relays;
struct mrl_tls;

/** Starts the thread; `tls` is borrowed. `*ret_relays` is new. Errors: -ENOMEM, -EAGAIN no thread,
 * as epoll_create1(). */
int mrl_relays__new(struct mrl_tls *tls, struct mrl_relays **ret_relays);

/** Takes a connection over. Returns the end for core, or -errno: then it is still the caller's.
 * Any thread. */
int mrl_relays__add(struct mrl_relays *relays, int connection);

/** Ends all. NULL is allowed. */
void mrl_relays__free(struct mrl_relays *relays);

#endif
