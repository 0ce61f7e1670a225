// SPDX-License-Identifier: Apache-2.0
/* Listening sockets and the table of connections. */
#include "grpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "grpc/server.h"

enum { BACKLOG = 1024, SOCKET_MODE = 0600, FIXED = 2 /* of the polled: wake, socket */ };

/* core owns `fd`; `watched` is a duplicate of ours, which outlives it. */
struct connection {
    int fd, watched;
    uint64_t number; /* numbers of descriptors are used again: the latest is meant */
};

struct mrl_listener {
    int socket, wake, lock; /* -1: none; lock: of the path */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
    pthread_t thread;
    bool has_thread, stopping;
    struct mrl_server_options options;
    gid_t group; /* whose members are served; -1: none */
    mrl_accept_fn accept;
    void *context;
    pthread_mutex_t mutex; /* of the table */
    struct connection table[MRL_CONNECTIONS_MAX];
    unsigned int count;
    uint64_t accepted;
    struct pollfd polled[MRL_CONNECTIONS_MAX + FIXED]; /* the thread's */
};

/* -- unix ------------------------------------------------------------------------------------- */

static int fail(struct mrl_error *error, const char *where)
{
    int err = errno;

    return mrl_error__set(error, -err, "%.256s: %s", where, strerror(err));
}

/* Two programs that start at once must not both take the path for stale. */
static int lock_path(struct mrl_listener *listener, struct mrl_error *error)
{
    snprintf(listener->lock_path, sizeof(listener->lock_path), "%s.lock", listener->path);
    listener->lock = open(listener->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (listener->lock < 0)
        return fail(error, listener->lock_path);
    if (flock(listener->lock, LOCK_EX | LOCK_NB))
        return mrl_error__set(error, -EADDRINUSE, "%s: another server has it", listener->path);
    return 0;
}

static int remove_stale(const char *path,
                        const struct sockaddr_un *address,
                        struct mrl_error *error)
{
    struct stat file;
    int probe, err;

    if (lstat(path, &file))
        return errno == ENOENT ? 0 : fail(error, path);
    if (!S_ISSOCK(file.st_mode))
        return mrl_error__set(error, -EEXIST, "%s: it exists and is no socket", path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(error, path);
    err = connect(probe, (const struct sockaddr *)address, sizeof(*address)) ? errno : 0;
    close(probe);
    if (err != ECONNREFUSED)
        return mrl_error__set(error, -EADDRINUSE, "%s: a server is listening there", path);
    return unlink(path) ? fail(error, path) : 0;
}

static int give_to_group(struct mrl_listener *listener, struct mrl_error *error)
{
    struct group row, *group = NULL;
    char room[16 * 1024];

    if (!*listener->options.group)
        return 0;
    if (getgrnam_r(listener->options.group, &row, room, sizeof(room), &group) || !group)
        return mrl_error__set(error, -EINVAL, "there is no group '%s'", listener->options.group);
    listener->group = group->gr_gid;
    return chown(listener->path, (uid_t)-1, group->gr_gid) ? fail(error, listener->path) : 0;
}

/* The mode is that of the socket before anybody can connect: nothing listens yet. */
static int bind_unix(struct mrl_listener *listener, const char *path, struct mrl_error *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int err;

    if (!*path || strlen(path) >= sizeof(address.sun_path))
        return mrl_error__set(error, -EINVAL, "unix:%.100s: a path of 1 to %zu bytes", path,
                              sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(listener->path, path, strlen(path) + 1);
    err = lock_path(listener, error);
    if (!err)
        err = remove_stale(path, &address, error);
    if (err) {
        *listener->path = '\0'; /* not ours to remove */
        return err;
    }
    listener->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->socket < 0 ||
        bind(listener->socket, (const struct sockaddr *)&address, sizeof(address)) ||
        chmod(path, listener->options.mode ? listener->options.mode : SOCKET_MODE))
        return fail(error, path);
    return give_to_group(listener, error);
}

/* -- TCP -------------------------------------------------------------------------------------- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* "HOST:PORT", "[HOST]:PORT". */
static int split(const char *text, char host[256], const char **ret_port, struct mrl_error *error)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;

    if (!size || !colon[1] || size >= 256)
        return mrl_error__set(error, -EINVAL, "tcp:%.100s: it is tcp:HOST:PORT", text);
    *ret_port = colon + 1;
    if (*text == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    snprintf(host, 256, "%.*s", (int)size, text);
    return 0;
}

static int bind_tcp(struct mrl_listener *listener, const char *where, struct mrl_error *error)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const char *port = "";
    char host[256] = "";
    int err = split(where, host, &port, error), failed, on = 1;

    if (err)
        return err;
    failed = getaddrinfo(host, port, &hints, &found);
    if (failed)
        return mrl_error__set(error, -EINVAL, "tcp:%.100s: %s", where, gai_strerror(failed));
    if (!listener->options.insecure && !is_loopback(found->ai_addr)) {
        err = mrl_error__set(
            error, -EINVAL,
            "tcp:%.100s: not a loopback address, and served without TLS: say insecure=true if that is meant",
            where);
    } else {
        listener->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (listener->socket < 0 ||
            setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
            bind(listener->socket, found->ai_addr, found->ai_addrlen))
            err = fail(error, where);
    }
    freeaddrinfo(found);
    return err;
}

/* -- opening ---------------------------------------------------------------------------------- */

int mrl_listener__open(const char *destination,
                       const struct mrl_server_options *options,
                       struct mrl_error *error,
                       struct mrl_listener **ret_listener)
{
    static const struct {
        const char *lead;
        int (*bind)(struct mrl_listener *listener, const char *where, struct mrl_error *error);
    } kinds[] = { { "unix:", bind_unix }, { "tcp:", bind_tcp } };
    struct mrl_listener *listener = calloc(1, sizeof(*listener));
    int err = -EINVAL;

    if (!listener)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    listener->options = *options;
    listener->group = (gid_t)-1;
    listener->socket = listener->wake = listener->lock = -1;
    pthread_mutex_init(&listener->mutex, NULL);
    mrl_error__set(error, err, "'%.100s': it is unix:PATH or tcp:HOST:PORT", destination);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strncmp(destination, kinds[i].lead, strlen(kinds[i].lead)))
            err = kinds[i].bind(listener, destination + strlen(kinds[i].lead), error);
    if (!err && listen(listener->socket, BACKLOG))
        err = fail(error, destination);
    if (!err) {
        listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = listener->wake < 0 ? fail(error, destination) : 0;
    }
    if (err) {
        mrl_listener__close(listener);
        return err;
    }
    error->text[0] = '\0';
    *ret_listener = listener;
    return 0;
}

/* -- accepting -------------------------------------------------------------------------------- */

/* Also as one of its further groups. */
static bool in_group(const struct mrl_listener *listener, int fd, const struct ucred *peer)
{
    gid_t groups[256];
    socklen_t size = sizeof(groups);

    if (listener->group == (gid_t)-1)
        return false;
    if (peer->gid == listener->group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size))
        return false;
    for (size_t i = 0; i < size / sizeof(groups[0]); i++)
        if (groups[i] == listener->group)
            return true;
    return false;
}

/* Another user may not be served, whatever the mode of the socket has become. */
static bool may_serve(const struct mrl_listener *listener, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || !peer.pid)
        return true; /* TCP has none */
    if (!peer.uid || peer.uid == geteuid() || listener->options.mode & 0006 ||
        in_group(listener, fd, &peer))
        return true;
    mrl_grpc__log(MRL_LOG_WARNING, "a client of user %u (process %d) was refused", peer.uid,
                  peer.pid);
    return false;
}

static void take(struct mrl_listener *listener, int fd)
{
    int watched = fcntl(fd, F_DUPFD_CLOEXEC, 0), on = 1;
    bool full;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails on unix sockets */
    pthread_mutex_lock(&listener->mutex);
    full = watched < 0 || listener->count == MRL_CONNECTIONS_MAX;
    if (!full)
        listener->table[listener->count++] =
            (struct connection){ fd, watched, ++listener->accepted };
    pthread_mutex_unlock(&listener->mutex);
    if (!full && may_serve(listener, fd)) {
        listener->accept(listener->context, fd);
        return;
    }
    if (full && watched >= 0)
        close(watched);
    shutdown(fd, SHUT_RDWR); /* the table notices, where it has it */
    close(fd);
}

static void accept_all(struct mrl_listener *listener)
{
    for (int i = 0; i < BACKLOG; i++) {
        int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                poll(NULL, 0, 10); /* nothing will be better at once */
            return;
        }
        take(listener, fd);
    }
}

/* Closes the duplicates of those whose peer, or core, is gone. */
static void sweep(struct mrl_listener *listener, unsigned int count)
{
    pthread_mutex_lock(&listener->mutex);
    for (unsigned int i = count; i--;)
        if (listener->polled[FIXED + i].revents) {
            close(listener->table[i].watched);
            listener->table[i] = listener->table[--listener->count];
        }
    pthread_mutex_unlock(&listener->mutex);
}

/* Only this thread removes rows, so that those that it polled are still where they were. */
static unsigned int fill(struct mrl_listener *listener)
{
    unsigned int count;

    listener->polled[0] = (struct pollfd){ .fd = listener->wake, .events = POLLIN };
    listener->polled[1] = (struct pollfd){ .fd = listener->socket, .events = POLLIN };
    pthread_mutex_lock(&listener->mutex);
    count = listener->count;
    for (unsigned int i = 0; i < count; i++)
        listener->polled[FIXED + i] =
            (struct pollfd){ .fd = listener->table[i].watched, .events = POLLRDHUP };
    pthread_mutex_unlock(&listener->mutex);
    return count;
}

static void *watch(void *context)
{
    struct mrl_listener *listener = context;

    for (;;) {
        unsigned int count = fill(listener);

        if (poll(listener->polled, count + FIXED, -1) < 0)
            continue;
        if (listener->polled[0].revents)
            return NULL;
        sweep(listener, count);
        if (listener->polled[1].revents)
            accept_all(listener);
    }
}

int mrl_listener__start(struct mrl_listener *listener, mrl_accept_fn accept, void *context)
{
    listener->accept = accept;
    listener->context = context;
    listener->has_thread = !pthread_create(&listener->thread, NULL, watch, listener);
    return listener->has_thread ? 0 : -EAGAIN;
}

void mrl_listener__stop(struct mrl_listener *listener)
{
    const uint64_t once = 1;

    if (listener->has_thread && write(listener->wake, &once, sizeof(once)) == sizeof(once)) {
        pthread_join(listener->thread, NULL);
        listener->has_thread = false;
    }
    if (listener->socket >= 0) {
        close(listener->socket);
        listener->socket = -1;
        if (*listener->path)
            unlink(listener->path);
    }
}

void mrl_listener__cut(struct mrl_listener *listener, int fd)
{
    const struct connection *meant = NULL;

    pthread_mutex_lock(&listener->mutex);
    for (unsigned int i = 0; i < listener->count; i++) {
        if (fd < 0)
            shutdown(listener->table[i].watched, SHUT_RDWR);
        else if (listener->table[i].fd == fd &&
                 (!meant || meant->number < listener->table[i].number))
            meant = &listener->table[i];
    }
    if (meant)
        shutdown(meant->watched, SHUT_RDWR);
    pthread_mutex_unlock(&listener->mutex);
}

void mrl_listener__close(struct mrl_listener *listener)
{
    if (!listener)
        return;
    mrl_listener__stop(listener);
    for (unsigned int i = 0; i < listener->count; i++)
        close(listener->table[i].watched);
    if (listener->wake >= 0)
        close(listener->wake);
    if (listener->lock >= 0) {
        if (*listener->path)
            unlink(listener->lock_path);
        close(listener->lock);
    }
    pthread_mutex_destroy(&listener->mutex);
    free(listener);
}
