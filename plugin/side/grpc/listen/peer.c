// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/peer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>

#include "side/grpc/common/program.h"

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_storage room;
};

static bool ask(int fd, union address *ret_address, struct ucred *ret_process)
{
    socklen_t size = sizeof(*ret_address), process_size = sizeof(*ret_process);

    memset(ret_address, 0, sizeof(*ret_address));
    return !getpeername(fd, &ret_address->any, &size) &&
           (ret_address->any.sa_family != AF_UNIX ||
            !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_process, &process_size));
}

void mrl_peer_id__of(int fd, struct mrl_peer_id *ret_id)
{
    union address address;
    struct ucred process;

    memset(ret_id, 0, sizeof(*ret_id));
    if (!ask(fd, &address, &process))
        return;
    if (address.any.sa_family == AF_UNIX) {
        ret_id->uid = process.uid;
        ret_id->pid = process.pid;
    } else if (address.any.sa_family == AF_INET) {
        memcpy(ret_id->address, &address.ipv4.sin_addr, sizeof(address.ipv4.sin_addr));
    } else if (address.any.sa_family == AF_INET6) {
        memcpy(ret_id->address, &address.ipv6.sin6_addr, sizeof(address.ipv6.sin6_addr));
    }
}

bool mrl_peer_id__is_one(const struct mrl_peer_id *id)
{
    static const uint8_t ipv6[16] = { [15] = 1 }, none[16], mapped[12] = { [10] = 0xff, 0xff };
    const bool is_host = memcmp(id->address, none, sizeof(none)) != 0,
               is_mapped = !memcmp(id->address, mapped, sizeof(mapped)) && id->address[12] == 127,
               is_loopback = id->address[0] == 127 || is_mapped || !memcmp(id->address, ipv6, 16);

    return id->pid || (is_host && !is_loopback);
}

void mrl_peer_id__name(int fd, char text[128])
{
    char host[64], port[16];
    union address address;
    struct ucred process;

    snprintf(text, 128, "a peer that is gone");
    if (!ask(fd, &address, &process))
        return;
    if (address.any.sa_family == AF_UNIX)
        snprintf(text, 128, "user %u (process %d)", process.uid, process.pid);
    else if (!getnameinfo(&address.any, sizeof(address), host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(text, 128, "%s port %s", host, port);
}

/* Also by a supplementary group. */
static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
    gid_t groups[256];
    socklen_t size = sizeof(groups);

    if (group == (gid_t)-1)
        return false;
    if (peer->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size))
        return false;
    for (size_t i = 0; i < size / sizeof(groups[0]); i++)
        if (groups[i] == group)
            return true;
    return false;
}

/* The kernel says pid 0 of a process that our pid namespace does not have, and still the right
 * user. */
bool mrl_peer__is_served(int fd, unsigned int mode, gid_t group, uid_t owner)
{
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t size = sizeof(peer);

    if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
        (!peer.uid || peer.uid == owner || mode & 0006 || in_group(fd, &peer, group)))
        return true;
    mrl_grpc__log(MRL_LOG_WARNING, "a client of user %u (process %d) was refused", peer.uid,
                  peer.pid);
    return false;
}
