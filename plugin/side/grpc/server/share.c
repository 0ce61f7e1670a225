// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/share.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* A stream takes up to 46 KiB while its client does not read, an idle call 16: all of it together
 * stays below the memory that the program may have. */
static const struct {
    unsigned int all, part;
} sizes[MRL_ROOMS] = {
    [MRL_ROOM_CALLS] = { 4096, 1024 },
    [MRL_ROOM_AWAITED] = { 1024, 256 },
    [MRL_ROOM_WATCHERS] = { 1024, 256 },
    [MRL_ROOM_STREAMS] = { 2048, 1024 },
};

struct mrl_peer {
    UT_hash_handle hh;
    struct mrl_peer_id id;
    unsigned int holders, taken[MRL_ROOMS];
};

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

/* -- peers ------------------------------------------------------------------------------------ */

/* With the lock held. NULL without memory. */
static struct mrl_peer *find_or_add_peer(struct mrl_shares *shares, const struct mrl_peer_id *id)
{
    struct mrl_peer *peer;

    HASH_FIND(hh, shares->peers, id, sizeof(*id), peer);
    if (peer)
        return peer;
    peer = calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->id = *id;
    HASH_ADD(hh, shares->peers, id, sizeof(*id), peer);
    if (peer->hh.tbl)
        return peer;
    free(peer);
    return NULL;
}

struct mrl_peer *mrl_peer__enter(struct mrl_shares *shares, const struct mrl_peer_id *id)
{
    struct mrl_peer *peer;

    pthread_mutex_lock(&shares->lock);
    peer = find_or_add_peer(shares, id);
    if (peer)
        peer->holders++;
    pthread_mutex_unlock(&shares->lock);
    return peer;
}

void mrl_peer__leave(struct mrl_shares *shares, struct mrl_peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&shares->lock);
    if (!--peer->holders) {
        HASH_DEL(shares->peers, peer);
        free(peer);
    }
    pthread_mutex_unlock(&shares->lock);
}

enum mrl_room_answer mrl_room__take(struct mrl_shares *shares,
                                    struct mrl_peer *peer,
                                    enum mrl_room room)
{
    enum mrl_room_answer answer = MRL_ROOM_TAKEN;

    pthread_mutex_lock(&shares->lock);
    if (!peer || shares->taken[room] == sizes[room].all) {
        answer = MRL_ROOM_IS_FULL;
    } else if (peer->taken[room] >= sizes[room].part && mrl_peer_id__is_one(&peer->id)) {
        answer = MRL_ROOM_PART_IS_FULL;
    } else {
        peer->taken[room]++;
        shares->taken[room]++;
    }
    pthread_mutex_unlock(&shares->lock);
    return answer;
}

void mrl_room__give_back(struct mrl_shares *shares, struct mrl_peer *peer, enum mrl_room room)
{
    pthread_mutex_lock(&shares->lock);
    peer->taken[room]--;
    shares->taken[room]--;
    pthread_mutex_unlock(&shares->lock);
}
