/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a connection, as the kernel says: a side program's word is not asked.
 */
#ifndef MRL_SIDE_COMMON_PEER_H
#define MRL_SIDE_COMMON_PEER_H

#include <mrelease/error.h>
#include <stdint.h>

#include "side/common/keeper.h"

enum { MRL_PEER_TEXT = 96 };

struct mrl_peer {
    int64_t uid, pid;         /* MRL_NOBODY: it is not of this host, or the kernel does not know */
    char text[MRL_PEER_TEXT]; /* "user 1000 (process 4711)", "10.0.0.7 port 5000" */
};

/** Finds out who is behind a connection that was accepted at one of the sink's sockets; -1: none.
 * The keeper's thread. */
void mrl_peer__find(const struct mrl_sink *sink, int connection, struct mrl_peer *ret_peer);

/** Whether this peer may change what the sensor does, by what the sink's row says of its options.
 * Error: -EACCES, with a line. */
int mrl_peer__may_change(const struct mrl_sink *sink,
                         const struct mrl_peer *peer,
                         struct mrl_error *error);

#endif
