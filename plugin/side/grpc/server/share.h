/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is for all clients of a server, and the share of one.
 *
 * A connection may have MRL_SHARE_CALLS calls open. Core is told of twice as many, so that a client
 * that wants more gets an answer. Beyond core's own bound a client waits, and is told nothing.
 *
 * A peer, with all its connections, has a part of each room. So whoever wants more than its own
 * part can be told from whoever finds that others have all of it. Peers that cannot be told from
 * others (peer.h) have no part of their own: they find room or none.
 */
#ifndef MRL_GRPC_SERVER_SHARE_H
#define MRL_GRPC_SERVER_SHARE_H

#include <pthread.h>

#include "side/grpc/listen/peer.h"

enum { MRL_SHARE_CALLS = 100 };

/** What calls take room in; share.c has the sizes. */
enum mrl_room {
    MRL_ROOM_CALLS,    /* open ones */
    MRL_ROOM_AWAITED,  /* those without a request */
    MRL_ROOM_WATCHERS, /* of health */
    MRL_ROOM_STREAMS,  /* of events */
    MRL_ROOMS
};

enum mrl_room_answer { MRL_ROOM_TAKEN, MRL_ROOM_PART_IS_FULL, MRL_ROOM_IS_FULL };

struct mrl_share;
struct mrl_peer;

/** All connections and peers with open calls; zeroed at first, but for the lock. */
struct mrl_shares {
    pthread_mutex_t lock;
    struct mrl_share *table;
    struct mrl_peer *peers;
    unsigned int taken[MRL_ROOMS];
};

/** One more call of the peer, which names a connection. Returns its share, until
 * mrl_share__give_back(); NULL: it has too many open, or there is no memory. Any thread. */
struct mrl_share *mrl_share__take(struct mrl_shares *shares, const char *peer);

/** One call less. NULL is allowed. Any thread. */
void mrl_share__give_back(struct mrl_shares *shares, struct mrl_share *share);

/** The peer, until mrl_peer__leave(); NULL: there is no memory. Any thread. */
struct mrl_peer *mrl_peer__enter(struct mrl_shares *shares, const struct mrl_peer_id *id);

/** NULL is allowed. */
void mrl_peer__leave(struct mrl_shares *shares, struct mrl_peer *peer);

/** Room for one more. NULL has none. Any thread. */
enum mrl_room_answer mrl_room__take(struct mrl_shares *shares,
                                    struct mrl_peer *peer,
                                    enum mrl_room room);

/** Of one that was taken. */
void mrl_room__give_back(struct mrl_shares *shares, struct mrl_peer *peer, enum mrl_room room);

#endif
