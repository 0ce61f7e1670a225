// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/banned.h"

#include <netinet/in.h>
#include <string.h>

#include <sys/socket.h>

#include "base/clock.h"

void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof(address), peer_size = sizeof(struct ucred);
    struct ucred peer;

    memset(ret_id, 0, sizeof(*ret_id));
    if (getpeername(fd, (struct sockaddr *)&address, &size))
        return;
    if (address.ss_family == AF_UNIX) {
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size))
            return;
        ret_id->uid = peer.uid;
        ret_id->pid = peer.pid;
    } else if (address.ss_family == AF_INET) {
        memcpy(ret_id->address, &((struct sockaddr_in *)&address)->sin_addr,
               sizeof(struct in_addr));
    } else if (address.ss_family == AF_INET6) {
        memcpy(ret_id->address, &((struct sockaddr_in6 *)&address)->sin6_addr,
               sizeof(struct in6_addr));
    }
}

/* NULL: it is not in the table. */
static struct mrl_ban *find(struct mrl_banned *banned, const struct mrl_peer_id *id)
{
    for (unsigned int i = 0; i < MRL_BANNED_MAX; i++)
        if (banned->rows[i].until_ms && !memcmp(&banned->rows[i].id, id, sizeof(*id)))
            return &banned->rows[i];
    return NULL;
}

void mrl_banned__add(struct mrl_banned *banned, const struct mrl_peer_id *id)
{
    const int64_t now_ms = mrl_clock__ms();
    struct mrl_ban *row = find(banned, id);

    if (row && row->until_ms > now_ms)
        return; /* of a connection that it had before */
    if (row && row->until_ms + MRL_BAN_FORGET_MS > now_ms) {
        row->ban_ms = 2 * row->ban_ms < MRL_BAN_MOST_MS ? 2 * row->ban_ms : MRL_BAN_MOST_MS;
    } else {
        row = row ? row : &banned->rows[banned->next++ % MRL_BANNED_MAX];
        *row = (struct mrl_ban){ .id = *id, .ban_ms = MRL_BAN_MS };
    }
    row->until_ms = now_ms + row->ban_ms;
}

bool mrl_banned__has(struct mrl_banned *banned, const struct mrl_peer_id *id)
{
    const struct mrl_ban *row = find(banned, id);

    return row && row->until_ms > mrl_clock__ms();
}
