/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers whose connection was cut for what they did. For a while they get no other one: what a
 * connection may do until it is cut would otherwise be had again and again.
 */
#ifndef MRL_GRPC_LISTEN_BANNED_H
#define MRL_GRPC_LISTEN_BANNED_H

#include <stdbool.h>
#include <stdint.h>

#include "side/grpc/listen/peer.h"

enum {
    MRL_BANNED_MAX = 64,
    MRL_BAN_MS = 1000,        /* the first time; twice as long each time, */
    MRL_BAN_MOST_MS = 8000,   /* up to this, */
    MRL_BAN_FORGET_MS = 10000 /* but for who was good for so long */
};

/** Those that end last; zeroed at first. The caller locks. Times are those of mrl_clock__ms(). */
struct mrl_banned {
    struct mrl_ban {
        struct mrl_peer_id id;
        int64_t until_ms, ban_ms;
    } rows[MRL_BANNED_MAX];
};

/** From now on; but not a peer that cannot be told from others. When there are too many, the one
 * whose ban ends first is let off. */
void mrl_banned__add(struct mrl_banned *banned, const struct mrl_peer_id *id, int64_t now_ms);

bool mrl_banned__has(struct mrl_banned *banned, const struct mrl_peer_id *id, int64_t now_ms);

#endif
