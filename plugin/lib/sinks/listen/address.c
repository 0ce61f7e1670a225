// SPDX-License-Identifier: Apache-2.0
/* Sockets that listen. */
#include "sinks/listen/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "sinks/opening.h"
#include "sinks/server_options.h"

enum {
    BACKLOG = 1024,
    SOCKET_MODE = 0600,
    HANDED_FIRST = 3, /* the descriptor of the first socket that a service manager hands over */
    HANDED_MAX = 1024,
};

static int fail(struct mrl_error *error, const char *where)
{
    int err = errno;

    return mrl_error__set(error, -err, "%.256s: %s", where, strerror(err));
}

/* -- unix ------------------------------------------------------------------------------------- */

static int listen_unix(struct mrl_address *address,
                       const char *path,
                       const struct mrl_server_options *options,
                       struct mrl_error *error)
{
    return mrl_address__listen_unix(path, SOCK_STREAM, options->mode ? options->mode : SOCKET_MODE,
                                    options->group, error, address);
}

/* -- TCP -------------------------------------------------------------------------------------- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

int mrl_address__split(const char *text,
                       char host[256],
                       const char **ret_port,
                       struct mrl_error *error)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    unsigned long port;
    char *end;

    if (strpbrk(text, " \t"))
        return mrl_error__set(error, -EINVAL, "'tcp:%.100s': there is a blank in it", text);
    if (!size || size >= 256)
        return mrl_error__set(error, -EINVAL, "tcp:%.100s: it is tcp:HOST:PORT", text);
    port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || !port || port > UINT16_MAX)
        return mrl_error__set(error, -EINVAL, "tcp:%.100s: a port is a number from 1 to 65535",
                              text);
    *ret_port = colon + 1;
    if (*text == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    snprintf(host, 256, "%.*s", (int)size, text);
    return 0;
}

static int refuse_others(const struct sockaddr *address,
                         const char *where,
                         const struct mrl_server_options *options,
                         struct mrl_error *error)
{
    if (options->insecure || *options->cert || is_loopback(address))
        return 0;
    return mrl_error__set(error, -EINVAL,
                          "tcp:%.100s: not a loopback address, and served without TLS: "
                          "insecure=true says that it is meant; gRPC takes cert= and key=",
                          where);
}

static int listen_tcp(struct mrl_address *address,
                      const char *where,
                      const struct mrl_server_options *options,
                      struct mrl_error *error)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const char *port = "";
    char host[256] = "";
    int err = mrl_address__split(where, host, &port, error), failed, on = 1;

    if (err)
        return err;
    failed = getaddrinfo(host, port, &hints, &found);
    if (failed)
        return mrl_error__set(error, -EINVAL, "tcp:%.100s: %s", where, gai_strerror(failed));
    err = refuse_others(found->ai_addr, where, options, error);
    if (!err) {
        address->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (address->socket < 0 ||
            setsockopt(address->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
            bind(address->socket, found->ai_addr, found->ai_addrlen) ||
            listen(address->socket, BACKLOG))
            err = fail(error, where);
    }
    freeaddrinfo(found);
    return err;
}

/* -- systemd ---------------------------------------------------------------------------------- */

static bool listens(int fd)
{
    int type = 0, accepts = 0;
    socklen_t type_size = sizeof(type), accepts_size = sizeof(accepts);

    return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) && type == SOCK_STREAM &&
           !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_size) && accepts;
}

/* Who may connect is what the socket unit says (SocketMode=, SocketGroup=), and its file has. */
static int adopt(struct mrl_address *address, int fd, bool insecure, struct mrl_error *error)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    } where = { .room = { 0 } };
    socklen_t size = sizeof(where);
    struct stat file;

    if (!listens(fd))
        return mrl_error__set(error, -EINVAL,
                              "systemd: descriptor %d is no stream socket that "
                              "listens (ListenStream=)",
                              fd);
    address->socket = fd;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) ||
        getsockname(fd, &where.any, &size))
        return fail(error, "systemd");
    if (where.any.sa_family != AF_UNIX && !insecure && !is_loopback(&where.any))
        return mrl_error__set(error, -EINVAL,
                              "systemd: descriptor %d has no loopback address, and "
                              "is served without TLS: say insecure=true if that "
                              "is meant",
                              fd);
    if (where.any.sa_family == AF_UNIX && *where.local.sun_path &&
        !lstat(where.local.sun_path, &file)) {
        address->mode = file.st_mode & 0666;
        if (file.st_mode & 0060)
            address->group = file.st_gid;
    }
    return 0;
}

/* How many sockets the service manager hands to this process (sd_listen_fds(3)). */
static int handed_over(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    long count = fds ? strtol(fds, NULL, 10) : 0;

    if (!pid || strtol(pid, NULL, 10) != getpid() || count < 0 || count > HANDED_MAX)
        return 0;
    return (int)count;
}

/* The place of `name` in the list of names, which are apart by colons; -1: it is not there. */
static int find_name(const char *names, const char *name)
{
    const size_t size = strlen(name);
    int at = 0;

    for (const char *each = names; each; at++) {
        const char *end = strchrnul(each, ':');

        if (!size || ((size_t)(end - each) == size && !memcmp(each, name, size)))
            return at;
        each = *end ? end + 1 : NULL;
    }
    return -1;
}

static int listen_systemd(struct mrl_address *address,
                          const char *name,
                          const struct mrl_server_options *options,
                          struct mrl_error *error)
{
    const char *names = getenv("LISTEN_FDNAMES");
    int count = handed_over(), found = find_name(names ? names : "unknown", name);

    if (!count)
        return mrl_error__set(error, -ENOENT,
                              "systemd hands no socket over: a .socket unit starts "
                              "the service, and $LISTEN_FDS says so");
    if (found < 0 || found >= count)
        return mrl_error__set(error, -ENOENT,
                              "systemd hands %d sockets over, and none is named "
                              "'%.64s' (FileDescriptorName=)",
                              count, name);
    return adopt(address, HANDED_FIRST + found, options->insecure, error);
}

/* -- all -------------------------------------------------------------------------------------- */

static int check_unix(const char *path,
                      const struct mrl_server_options *options,
                      struct mrl_error *error)
{
    const size_t room = sizeof(((struct sockaddr_un *)0)->sun_path);

    (void)options;
    if (*path && strlen(path) < room)
        return 0;
    return mrl_error__set(error, -EINVAL, "unix:%.100s: a path of 1 to %zu bytes", path, room - 1);
}

/* Of an address; what a name stands for is asked when it is listened at. */
static int check_tcp(const char *where,
                     const struct mrl_server_options *options,
                     struct mrl_error *error)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    const char *port;
    char host[256];
    int err = mrl_address__split(where, host, &port, error);

    if (!err && !getaddrinfo(host, port, &hints, &found)) {
        err = refuse_others(found->ai_addr, where, options, error);
        freeaddrinfo(found);
    }
    return err;
}

static const struct kind {
    const char *lead;
    bool has_mode, has_tls;
    int (*check)(const char *where,
                 const struct mrl_server_options *options,
                 struct mrl_error *error); /* NULL: any words will do */
    int (*listen)(struct mrl_address *address,
                  const char *where,
                  const struct mrl_server_options *options,
                  struct mrl_error *error);
} kinds[] = {
    { "unix:", true, false, check_unix, listen_unix },
    { "tcp:", false, true, check_tcp, listen_tcp },
    { "systemd:", false, false, NULL, listen_systemd },
};

/* "systemd" is "systemd:". NULL, with a line: something is wrong. `*ret_where` follows the lead. */
static const struct kind *find_kind(const char *destination,
                                    const struct mrl_server_options *options,
                                    const char **ret_where,
                                    struct mrl_error *error)
{
    const char *whole = strcmp(destination, "systemd") != 0 ? destination : "systemd:";
    const struct kind *kind = NULL;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strncmp(whole, kinds[i].lead, strlen(kinds[i].lead)))
            kind = &kinds[i];
    if (!kind) {
        mrl_error__set(error, -EINVAL,
                       "'%.100s': it is unix:PATH, tcp:HOST:PORT, systemd or systemd:NAME",
                       destination);
        return NULL;
    }
    *ret_where = whole + strlen(kind->lead);
    if (!kind->has_mode && (options->mode || *options->group))
        mrl_error__set(error, -EINVAL, "%.100s: mode= and group= are of unix:PATH", destination);
    else if (!kind->has_tls && *options->cert)
        mrl_error__set(error, -EINVAL, "%.100s: cert=, and with it TLS, is of tcp:HOST:PORT",
                       destination);
    else if (!kind->check || !kind->check(*ret_where, options, error))
        return kind;
    return NULL;
}

int mrl_address__check(const char *destination,
                       const struct mrl_server_options *options,
                       struct mrl_error *error)
{
    const char *where;
    gid_t group;

    if (!find_kind(destination, options, &where, error))
        return -EINVAL;
    return mrl_opening__find_group(options->group, destination, &group, error);
}

int mrl_address__listen(const char *destination,
                        const struct mrl_server_options *options,
                        struct mrl_error *error,
                        struct mrl_address *ret_address)
{
    const char *where;
    const struct kind *kind = find_kind(destination, options, &where, error);
    int err;

    if (!kind)
        return -EINVAL;
    *ret_address = (struct mrl_address){ .socket = -1, .lock = -1, .group = (gid_t)-1 };
    err = kind->listen(ret_address, where, options, error);
    if (err)
        mrl_address__release(ret_address);
    return err;
}
