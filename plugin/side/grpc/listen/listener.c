// SPDX-License-Identifier: Apache-2.0
/* Accepting, and the table of connections. One thread accepts, polls and cuts. The mutex guards
 * the table, in which the threads of core look up a peer to name it or to cut it. */
#include "side/grpc/listen/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "side/grpc/common/program.h"
#include "side/grpc/listen/banned.h"
#include "side/grpc/listen/connections.h"
#include "side/grpc/listen/relay.h"
#include "sinks/grpc_options.h"

enum {
    AT_ONCE = 32,      /* handed over, */
    ALL = 4096,        /* or looked at, */
    PAUSE_MS = 1,      /* before the next ones: what they want is seen first */
    FIXED = 2,         /* of the polled: wake, socket */
    INPUT = 32 * 1024, /* bytes of a TCP peer that wait here: requests are small */
    LOOK_MS = 1000,
    SAY_MS = 60 * 1000, /* between two complaints of one kind */
    STUCK_LOOKS = 6,    /* as long as keepalive takes for the others */
};

/* core owns `fd`; `watched` is a duplicate of ours, which outlives it. */
struct connection {
    int fd, watched;
    uint64_t number;   /* numbers of descriptors are used again: the latest is meant */
    int queued;        /* bytes that the peer had not taken at the last look */
    uint64_t progress; /* the owner's, at that */
    int stuck_looks;   /* since when both are the same */
    int64_t second;    /* in which it came to so many points: */
    unsigned int points;
    struct mrl_peer_id peer;
};

struct mrl_listener {
    int socket; /* -1: none */
    unsigned int mode;
    gid_t group;
    uid_t owner_uid;
    bool is_unix;
    int wake; /* -1: none */
    pthread_t thread;
    bool has_thread, stopping;
    struct mrl_listener_owner owner;
    pthread_mutex_t mutex; /* of the table */
    struct connection table[MRL_CONNECTIONS_MAX];
    unsigned int count, max;
    struct mrl_banned banned;  /* guarded as the table is */
    atomic_ullong turned_away; /* connections of those */
    uint64_t accepted;
    int64_t said_full_ms;
    struct pollfd polled[MRL_CONNECTIONS_MAX + FIXED]; /* the thread's */
};

/* -- opening ---------------------------------------------------------------------------------- */

static bool is_unix(int fd)
{
    int domain = -1;
    socklen_t size = sizeof(domain);

    return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX;
}

int mrl_listener__open(int socket,
                       const struct mrl_server_options *options,
                       struct mrl_error *error,
                       struct mrl_listener **ret_listener)
{
    struct mrl_listener *listener = calloc(1, sizeof(*listener));
    const int input = INPUT;
    int err;

    if (!listener) {
        close(socket);
        return mrl_error__set(error, -ENOMEM, "out of memory");
    }
    listener->socket = socket;
    listener->mode = options->socket_mode;
    listener->group = options->socket_group;
    listener->owner_uid = options->owner;
    pthread_mutex_init(&listener->mutex, NULL);
    listener->max = mrl_connections__most(*options->cert);
    listener->is_unix = is_unix(socket);
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &input, sizeof(input)); /* for those it accepts */
    listener->said_full_ms = -SAY_MS;
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->wake < 0) {
        err = mrl_error__set(error, -errno, "an eventfd: %s", strerror(errno));
        mrl_listener__close(listener);
        return err;
    }
    *ret_listener = listener;
    return 0;
}

/* -- accepting -------------------------------------------------------------------------------- */

static void say_full(struct mrl_listener *listener)
{
    if (mrl_clock__ms() - listener->said_full_ms < SAY_MS)
        return;
    listener->said_full_ms = mrl_clock__ms();
    mrl_grpc__log(MRL_LOG_WARNING, "%u clients are connected: more are refused", listener->count);
}

static bool is_banned(struct mrl_listener *listener, const struct mrl_peer_id *peer)
{
    bool has;

    pthread_mutex_lock(&listener->mutex);
    has = mrl_banned__has(&listener->banned, peer, mrl_clock__ms());
    pthread_mutex_unlock(&listener->mutex);
    if (has)
        atomic_fetch_add(&listener->turned_away, 1);
    return has;
}

/* Who connected while there was no server, sent what it had, and left, or waits: its bytes are
 * still here, and core would work through all of them, for nobody. A client says little before it
 * hears from the server. */
static bool has_left_or_said_much(int fd)
{
    struct pollfd peer = { .fd = fd, .events = POLLRDHUP };
    int unread = 0;

    return poll(&peer, 1, 0) > 0 || (!ioctl(fd, FIONREAD, &unread) && unread > INPUT / 2);
}

/* Where more than half of all connections are taken, a peer has a quarter of them at most. Only
 * this thread adds and removes rows. */
static bool has_its_part(const struct mrl_listener *listener, const struct mrl_peer_id *peer)
{
    unsigned int own = 0;

    if (!mrl_peer_id__is_one(peer))
        return false;
    for (unsigned int i = 0; listener->count > listener->max / 2 && i < listener->count; i++)
        own += !memcmp(&listener->table[i].peer, peer, sizeof(*peer));
    return own >= listener->max / 4 && own;
}

/* What costs least is looked at first: whoever only connects shall cost next to nothing. */
static bool is_welcome(struct mrl_listener *listener, int fd, struct mrl_peer_id *ret_peer)
{
    bool full;

    if (has_left_or_said_much(fd))
        return false;
    mrl_peer_id__of(fd, ret_peer);
    if (is_banned(listener, ret_peer))
        return false;
    full = listener->count == listener->max || has_its_part(listener, ret_peer) ||
           listener->owner.is_full(listener->owner.context);
    if (full)
        say_full(listener);
    return !full && (!listener->is_unix ||
                     mrl_peer__is_served(fd, listener->mode, listener->group, listener->owner_uid));
}

static bool hand_over(struct mrl_listener *listener, int fd, const struct mrl_peer_id *peer)
{
    int watched = fcntl(fd, F_DUPFD_CLOEXEC, 0), on = 1, core;

    if (watched < 0) {
        say_full(listener);
        return false;
    }
    /* An event that comes alone must not wait for the peer's acknowledgement of the one before. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* fails on unix sockets */
    core = listener->owner.relays ? mrl_relays__add(listener->owner.relays, fd) : fd;
    if (core < 0) {
        close(watched);
        return false;
    }
    pthread_mutex_lock(&listener->mutex);
    /* The row stands in the table before core gets the descriptor: the first call may come at once,
     * on another thread, and is named and cut by this row. */
    listener->table[listener->count++] = (struct connection){
        .fd = core, .watched = watched, .number = ++listener->accepted, .peer = *peer
    };
    pthread_mutex_unlock(&listener->mutex);
    listener->owner.accept(listener->owner.context, core);
    return true;
}

/* Returns whether core has it. */
static bool take(struct mrl_listener *listener, int fd)
{
    struct mrl_peer_id peer;

    if (is_welcome(listener, fd, &peer) && hand_over(listener, fd, &peer))
        return true;
    shutdown(fd, SHUT_RDWR);
    close(fd);
    return false;
}

static void accept_all(struct mrl_listener *listener)
{
    for (int i = 0, taken = 0; i < ALL && taken < AT_ONCE; i++) {
        int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                say_full(listener);
                /* The client stays in the socket's queue, so that poll() in watch() would return at
                 * once, again and again. */
                poll(NULL, 0, 10);
            }
            return;
        }
        taken += take(listener, fd);
    }
    poll(NULL, 0, PAUSE_MS);
}

/* Drops the rows of connections that the peer or core has closed. */
static void sweep(struct mrl_listener *listener, unsigned int count)
{
    pthread_mutex_lock(&listener->mutex);
    /* From the end: the last row moves into the hole, and it was looked at already. */
    for (unsigned int i = count; i--;)
        if (listener->polled[FIXED + i].revents) {
            close(listener->table[i].watched);
            listener->table[i] = listener->table[--listener->count];
        }
    pthread_mutex_unlock(&listener->mutex);
}

/* Fills the list to poll, without keeping the lock during poll(). Only this thread removes rows, so
 * that row i of the table is still entry FIXED + i of the list when sweep() reads the answers. */
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

/*
 * Cuts a connection whose peer has stopped reading its socket. Core's keepalive cannot: its ping
 * queues behind the bytes that the peer does not take, and the timeout starts only once the ping is
 * out. A peer counts as stopped when, for STUCK_LOOKS looks in a row, the socket holds the same
 * number of unsent bytes and the owner sent no message through. A peer whose gRPC library still
 * reads, while its program does not, keeps the socket empty and is never cut here.
 */
static void look_at(struct mrl_listener *listener, struct connection *row)
{
    int queued = 0;
    uint64_t progress = 0;

    if (!ioctl(row->watched, SIOCOUTQ, &queued) && queued)
        progress = listener->owner.progress(listener->owner.context, row->fd);
    if (!queued || queued != row->queued || progress != row->progress)
        row->stuck_looks = 0;
    else if (++row->stuck_looks == STUCK_LOOKS)
        shutdown(row->watched, SHUT_RDWR);
    row->queued = queued;
    row->progress = progress;
}

unsigned long long mrl_listener__turned_away(const struct mrl_listener *listener)
{
    return atomic_load(&listener->turned_away);
}

unsigned int mrl_listener__unread(struct mrl_listener *listener)
{
    unsigned int unread = 0;
    int queued;

    pthread_mutex_lock(&listener->mutex);
    for (unsigned int i = 0; i < listener->count; i++)
        unread += !ioctl(listener->table[i].watched, SIOCOUTQ, &queued) && queued;
    pthread_mutex_unlock(&listener->mutex);
    return unread;
}

static void cut_stuck(struct mrl_listener *listener)
{
    pthread_mutex_lock(&listener->mutex);
    for (unsigned int i = 0; i < listener->count; i++)
        look_at(listener, &listener->table[i]);
    pthread_mutex_unlock(&listener->mutex);
}

static void *watch(void *context)
{
    struct mrl_listener *listener = context;
    int64_t looked_ms = mrl_clock__ms();

    for (;;) {
        unsigned int count = fill(listener);

        /* Without connections there is nothing to look at, and the thread sleeps. */
        if (poll(listener->polled, count + FIXED, count ? LOOK_MS : -1) < 0)
            continue;
        if (mrl_clock__ms() - looked_ms >= LOOK_MS) {
            cut_stuck(listener);
            listener->owner.tick(listener->owner.context);
            looked_ms = mrl_clock__ms();
        }
        if (listener->polled[0].revents)
            return NULL;
        sweep(listener, count);
        if (listener->polled[1].revents)
            accept_all(listener);
    }
}

int mrl_listener__start(struct mrl_listener *listener, const struct mrl_listener_owner *owner)
{
    listener->owner = *owner;
    listener->has_thread = !pthread_create(&listener->thread, NULL, watch, listener);
    return listener->has_thread ? 0 : -EAGAIN;
}

void mrl_listener__stop(struct mrl_listener *listener)
{
    const uint64_t once = 1;

    if (listener->has_thread && write(listener->wake, &once, sizeof(once)) == sizeof(once)) {
        /* The thread accepts no more from here on; connections that it accepted live on in core. */
        pthread_join(listener->thread, NULL);
        listener->has_thread = false;
    }
    if (listener->socket >= 0)
        close(listener->socket);
    listener->socket = -1;
}

/* With the lock held. */
static struct connection *find(struct mrl_listener *listener, int fd)
{
    struct connection *meant = NULL;

    for (unsigned int i = 0; i < listener->count; i++)
        if (listener->table[i].fd == fd && (!meant || meant->number < listener->table[i].number))
            meant = &listener->table[i];
    return meant;
}

bool mrl_listener__is_unix(const struct mrl_listener *listener)
{
    return listener->is_unix;
}

bool mrl_listener__blame(struct mrl_listener *listener, int fd, unsigned int points, char text[128])
{
    const int64_t second = mrl_clock__ms() / 1000;
    struct connection *row;
    bool cut = false;

    pthread_mutex_lock(&listener->mutex);
    row = find(listener, fd);
    if (row) {
        unsigned int before = row->second == second ? row->points : 0;

        row->points = before + points;
        row->second = second;
        cut = before <= MRL_POINTS_MAX && row->points > MRL_POINTS_MAX;
    }
    if (cut) {
        mrl_peer_id__name(row->watched, text);
        mrl_banned__add(&listener->banned, &row->peer, mrl_clock__ms());
        shutdown(row->watched, SHUT_RDWR);
    }
    pthread_mutex_unlock(&listener->mutex);
    return cut;
}

void mrl_listener__peer(struct mrl_listener *listener, int fd, struct mrl_peer_id *ret_id)
{
    const struct connection *row = NULL;

    memset(ret_id, 0, sizeof(*ret_id));
    if (!listener)
        return;
    pthread_mutex_lock(&listener->mutex);
    row = find(listener, fd);
    if (row)
        *ret_id = row->peer;
    pthread_mutex_unlock(&listener->mutex);
}

int mrl_listener__duplicate(struct mrl_listener *listener, int fd)
{
    const struct connection *row;
    int copy;

    pthread_mutex_lock(&listener->mutex);
    row = find(listener, fd);
    copy = row ? fcntl(row->watched, F_DUPFD_CLOEXEC, 0) : -1;
    pthread_mutex_unlock(&listener->mutex);
    return copy;
}

void mrl_listener__cut(struct mrl_listener *listener, int fd)
{
    const struct connection *meant;

    pthread_mutex_lock(&listener->mutex);
    for (unsigned int i = 0; fd < 0 && i < listener->count; i++)
        shutdown(listener->table[i].watched, SHUT_RDWR);
    meant = fd < 0 ? NULL : find(listener, fd);
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
    pthread_mutex_destroy(&listener->mutex);
    free(listener);
}
