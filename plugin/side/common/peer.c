// SPDX-License-Identifier: Apache-2.0
#include "side/common/peer.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

/* The address at which a socket of ours listens, or was accepted. */
struct own_name {
    struct sockaddr_storage address;
    socklen_t size;
};

static bool read_name(int fd, struct own_name *ret_name)
{
    *ret_name = (struct own_name){ .size = sizeof(ret_name->address) };
    return !getsockname(fd, (struct sockaddr *)&ret_name->address, &ret_name->size);
}

/* A program could make a connection of its own, between ends that it holds both. */
static bool is_of_our_socket(const struct mrl_sink *sink, int connection)
{
    struct own_name one, other;

    if (!read_name(connection, &one))
        return false;
    for (unsigned int i = 0; i < MRL_SINK_FDS_MAX; i++)
        if (sink->fds[i] >= 0 && read_name(sink->fds[i], &other) && one.size == other.size &&
            !memcmp(&one.address, &other.address, one.size))
            return true;
    return false;
}

static void find_local(const struct mrl_sink *sink, int connection, struct mrl_peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);

    if (!is_of_our_socket(sink, connection) ||
        getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
        return;
    snprintf(peer->text, sizeof(peer->text), "user %u (process %d)", credentials.uid,
             credentials.pid);
    /* The program may connect to itself: that makes it no client. */
    if (credentials.pid == sink->pid)
        return;
    peer->uid = credentials.uid;
    peer->pid = credentials.pid ? credentials.pid : MRL_NOBODY;
}

static void find_remote(int connection, struct mrl_peer *peer)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    char host[64], port[16];

    if (!getpeername(connection, (struct sockaddr *)&address, &size) &&
        !getnameinfo((const struct sockaddr *)&address, size, host, sizeof(host), port,
                     sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(peer->text, sizeof(peer->text), "%s port %s", host, port);
}

void mrl_peer__find(const struct mrl_sink *sink, int connection, struct mrl_peer *ret_peer)
{
    int domain = -1;
    socklen_t size = sizeof(domain);

    *ret_peer = (struct mrl_peer){ MRL_NOBODY, MRL_NOBODY, "a peer that is not known" };
    if (connection < 0 || getsockopt(connection, SOL_SOCKET, SO_DOMAIN, &domain, &size))
        return;
    if (domain == AF_UNIX)
        find_local(sink, connection, ret_peer);
    else if (domain == AF_INET || domain == AF_INET6)
        find_remote(connection, ret_peer);
}

int mrl_peer__may_change(const struct mrl_sink *sink,
                         const struct mrl_peer *peer,
                         struct mrl_error *error)
{
    enum mrl_control control = sink->row->control(sink->options);

    if (control == MRL_CONTROL_ALL ||
        (control == MRL_CONTROL_OWNER && (!peer->uid || peer->uid == (int64_t)geteuid())))
        return 0;
    return mrl_error__set(error, -EACCES, "%s",
                          control == MRL_CONTROL_NOBODY
                              ? "this output is read-only"
                              : "only root and the sensor's own user may, on a unix socket");
}
