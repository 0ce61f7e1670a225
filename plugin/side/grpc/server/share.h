/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The share of a connection: how many calls it may have open. Core is told of twice as many, so
 * that a client that wants more gets an answer. Beyond core's own bound a client waits, and is told
 * nothing.
 */
#ifndef MRL_GRPC_SERVER_SHARE_H
#define MRL_GRPC_SERVER_SHARE_H

#include <pthread.h>

enum { MRL_SHARE_CALLS = 100 };

struct mrl_share;

/** All connections with open calls. */
struct mrl_shares {
    pthread_mutex_t lock;
    struct mrl_share *table;
};

/** One more call of the peer, which names a connection. Returns its share, until
 * mrl_share__give_back(); NULL: it has too many open, or there is no memory. Any thread. */
struct mrl_share *mrl_share__take(struct mrl_shares *shares, const char *peer);

/** One call less. NULL is allowed. Any thread. */
void mrl_share__give_back(struct mrl_shares *shares, struct mrl_share *share);

#endif
