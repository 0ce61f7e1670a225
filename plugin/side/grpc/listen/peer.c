// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/peer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>

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
