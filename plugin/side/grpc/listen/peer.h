/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a connection. */
#ifndef MRL_GRPC_LISTEN_PEER_H
#define MRL_GRPC_LISTEN_PEER_H

#include <stdint.h>

/** A process of this host, by its pid and user, or else a host, by its address; padded by zeros. */
struct mrl_peer_id {
    uint32_t uid;
    int32_t pid; /* 0: of a pid namespace that ours does not see, or a host */
    uint8_t address[16];
};

/** Who cannot be told from others, as it is gone, gets all zeros. */
void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id);

/** For people. */
void mrl_peer_id__name(int fd, char text[128]);

#endif
