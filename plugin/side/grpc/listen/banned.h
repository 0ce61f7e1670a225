/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers whose connection was cut for what they did. For a while they get no other one: what each
 * connection may do until it is cut would otherwise be had again and again.
 */
#ifndef MRL_GRPC_LISTEN_BANNED_H
#define MRL_GRPC_LISTEN_BANNED_H

#include <stdbool.h>
#include <stdint.h>

enum { MRL_BANNED_MAX = 64, MRL_BAN_MS = 1000 };

/** A process of this host, by its pid and user, or else a host, by its address; padded by zeros. */
struct mrl_peer_id {
    uint32_t uid;
    int32_t pid; /* 0: of a pid namespace that ours does not see, or a host */
    uint8_t address[16];
};

/** The latest of them; zeroed at first. The caller locks. */
struct mrl_banned {
    struct {
        struct mrl_peer_id id;
        int64_t until_ms;
    } rows[MRL_BANNED_MAX];
    unsigned int next;
};

/** Who is at the other end of a socket. Who has no name gets all zeros, as all like it. */
void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id);

/** From now on, for MRL_BAN_MS. When there are too many, the one of the longest ago is let off. */
void mrl_banned__add(struct mrl_banned *banned, const struct mrl_peer_id *id);

bool mrl_banned__has(const struct mrl_banned *banned, const struct mrl_peer_id *id);

#endif
