/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a connection. */
#ifndef MRL_GRPC_LISTEN_PEER_H
#define MRL_GRPC_LISTEN_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

/** A process of this host, by its pid and user, or else a host, by its address; padded by zeros. */
struct mrl_peer_id {
    uint32_t uid;
    int32_t pid; /* 0: of a pid namespace that ours does not see, or a host */
    uint8_t address[16];
};

/** Who cannot be told from others, as it is gone, gets all zeros. */
void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id);

/** Whether a socket of this mode, group and owner serves the peer of a connection to it, whatever
 * the mode of its file has become: root, the owner, members of the group, or anybody. Logs why not.
 */
bool mrl_peer__is_served(int fd, unsigned int mode, gid_t group, uid_t owner);

/** Whether it is told from all others. Processes of another pid namespace have their user alone,
 * and all of this host that come by TCP have one address. */
bool mrl_peer_id__is_one(const struct mrl_peer_id *id);

/** For people. */
void mrl_peer_id__name(int fd, char text[128]);

#endif
