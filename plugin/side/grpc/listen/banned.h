/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers whose connection was cut for what they did. For a while they get no other one: what each
 * connection may do until it is cut would otherwise be had again and again.
 */
#ifndef MRL_GRPC_LISTEN_BANNED_H
#define MRL_GRPC_LISTEN_BANNED_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MRL_BANNED_MAX = 64,
    MRL_BAN_MS = 1000,        /* the first time; twice as long each time, */
    MRL_BAN_MOST_MS = 8000,   /* up to this, */
    MRL_BAN_FORGET_MS = 10000 /* but for who was good for so long */
};

/** A process of this host, by its pid and user, or else a host, by its address; padded by zeros. */
struct mrl_peer_id {
    uint32_t uid;
    int32_t pid; /* 0: of a pid namespace that ours does not see, or a host */
    uint8_t address[16];
};

/** The latest of them; zeroed at first. The caller locks. */
struct mrl_banned {
    struct mrl_ban {
        struct mrl_peer_id id;
        int64_t until_ms, ban_ms;
    } rows[MRL_BANNED_MAX];
    unsigned int next;
};

/** Who is at the other end of a socket. Who has no name gets all zeros, as all like it. */
void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id);

/** From now on. When there are too many, the one that has its row for the longest is let off. */
void mrl_banned__add(struct mrl_banned *banned, const struct mrl_peer_id *id);

bool mrl_banned__has(struct mrl_banned *banned, const struct mrl_peer_id *id);

#endif
