// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/share.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct mrl_share {
    UT_hash_handle hh;
    unsigned int calls;
    char peer[96];
};

/* With the lock held. NULL without memory. */
static struct mrl_share *find_or_add(struct mrl_shares *shares, const char *peer)
{
    struct mrl_share *share = calloc(1, sizeof(*share)), *known;

    if (!share)
        return NULL;
    snprintf(share->peer, sizeof(share->peer), "%s", peer);
    HASH_FIND_STR(shares->table, share->peer, known);
    if (!known)
        HASH_ADD_STR(shares->table, peer, share);
    if (!known && share->hh.tbl)
        return share;
    free(share);
    return known;
}

struct mrl_share *mrl_share__take(struct mrl_shares *shares, const char *peer)
{
    struct mrl_share *share;

    pthread_mutex_lock(&shares->lock);
    share = find_or_add(shares, peer);
    if (share && share->calls == MRL_SHARE_CALLS)
        share = NULL;
    if (share)
        share->calls++;
    pthread_mutex_unlock(&shares->lock);
    return share;
}

void mrl_share__give_back(struct mrl_shares *shares, struct mrl_share *share)
{
    if (!share)
        return;
    pthread_mutex_lock(&shares->lock);
    if (!--share->calls) {
        HASH_DEL(shares->table, share);
        free(share);
    }
    pthread_mutex_unlock(&shares->lock);
}
