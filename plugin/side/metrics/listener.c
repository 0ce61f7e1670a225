// SPDX-License-Identifier: Apache-2.0
#include "side/metrics/listener.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "base/clock.h"

enum { LOOK_MS = 500, PAUSE_MS = 5 };

struct mrl_http_listener {
    int socket, wake;
    pthread_t thread;
    atomic_bool stopping;
    void (*take)(void *context, int fd, const struct sockaddr *peer, socklen_t peer_size);
    void *context;
    pthread_mutex_t lock; /* of what follows */
    /* By descriptor, in ms: since when it is a connection; 0: it is none. And since when it is cut;
     * 0: it is not. One that was cut is held until its owner closes it. */
    int64_t since_ms[MRL_HTTP_FILES], cut_ms[MRL_HTTP_FILES];
    unsigned int open, held; /* open: those that are not cut */
};

/* -- the table, with the lock held ------------------------------------------------------------- */

static void drop(struct mrl_http_listener *listener, int fd)
{
    if (!listener->since_ms[fd])
        return;
    listener->held--;
    listener->open -= !listener->cut_ms[fd];
    listener->since_ms[fd] = listener->cut_ms[fd] = 0;
}

/* Its owner then reads the end, and closes it. */
static void cut(struct mrl_http_listener *listener, int fd)
{
    shutdown(fd, SHUT_RDWR);
    listener->cut_ms[fd] = mrl_clock__ms();
    listener->open--;
}

/* The oldest that is not cut, or one that is late; -1: there is none. */
static int find_oldest(const struct mrl_http_listener *listener)
{
    int found = -1;

    for (int fd = 0; fd < MRL_HTTP_FILES; fd++)
        if (listener->since_ms[fd] && !listener->cut_ms[fd] &&
            (found < 0 || listener->since_ms[fd] < listener->since_ms[found]))
            found = fd;
    return found;
}

static void cut_late(struct mrl_http_listener *listener)
{
    const int64_t before = mrl_clock__ms() - MRL_HTTP_LIFE_MS;
    int oldest;

    pthread_mutex_lock(&listener->lock);
    while ((oldest = find_oldest(listener)) >= 0 && listener->since_ms[oldest] < before)
        cut(listener, oldest);
    pthread_mutex_unlock(&listener->lock);
}

static void enter(struct mrl_http_listener *listener, int fd)
{
    pthread_mutex_lock(&listener->lock);
    drop(listener, fd); /* its last owner had it from elsewhere */
    if (listener->open >= MRL_HTTP_CONNECTIONS)
        cut(listener, find_oldest(listener));
    listener->since_ms[fd] = mrl_clock__ms();
    listener->open++;
    listener->held++;
    pthread_mutex_unlock(&listener->lock);
}

void mrl_http_listener__forget(struct mrl_http_listener *listener, int fd)
{
    pthread_mutex_lock(&listener->lock);
    drop(listener, fd);
    pthread_mutex_unlock(&listener->lock);
}

static bool has_room(struct mrl_http_listener *listener)
{
    bool has;

    pthread_mutex_lock(&listener->lock);
    has = listener->held < MRL_HTTP_HELD;
    pthread_mutex_unlock(&listener->lock);
    return has;
}

bool mrl_http_listener__lives(struct mrl_http_listener *listener)
{
    const int64_t before = mrl_clock__ms() - MRL_HTTP_HANG_MS;
    bool lives = true;

    pthread_mutex_lock(&listener->lock);
    for (int fd = 0; fd < MRL_HTTP_FILES; fd++)
        lives &= !listener->cut_ms[fd] || listener->cut_ms[fd] > before;
    pthread_mutex_unlock(&listener->lock);
    return lives;
}

/* -- the thread ------------------------------------------------------------------------------- */

static void accept_one(struct mrl_http_listener *listener)
{
    struct sockaddr_storage peer = { 0 };
    socklen_t size = sizeof(peer);
    int fd;

    if (!has_room(listener)) {
        mrl_clock__pause_ms(PAUSE_MS); /* the cut ones are being closed */
        return;
    }
    fd = accept4(listener->socket, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            mrl_clock__pause_ms(PAUSE_MS);
        return;
    }
    if (fd >= MRL_HTTP_FILES) {
        close(fd);
        return;
    }
    enter(listener, fd);
    listener->take(listener->context, fd, (const struct sockaddr *)&peer, size);
}

static void *accept_all(void *context)
{
    struct mrl_http_listener *listener = context;
    struct pollfd polled[] = { { .fd = listener->socket, .events = POLLIN },
                               { .fd = listener->wake, .events = POLLIN } };

    while (!atomic_load(&listener->stopping)) {
        if (poll(polled, 2, LOOK_MS) > 0 && polled[0].revents)
            accept_one(listener);
        cut_late(listener);
    }
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------- */

int mrl_http_listener__open(
    int socket,
    void (*take)(void *context, int fd, const struct sockaddr *peer, socklen_t peer_size),
    void *context,
    struct mrl_http_listener **ret_listener)
{
    struct mrl_http_listener *listener = calloc(1, sizeof(*listener));
    int err;

    if (!listener)
        return -ENOMEM;
    listener->socket = socket;
    listener->take = take;
    listener->context = context;
    pthread_mutex_init(&listener->lock, NULL);
    *ret_listener = listener; /* before the thread: its connections are forgotten by it */
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err =
        listener->wake < 0 ? errno : pthread_create(&listener->thread, NULL, accept_all, listener);
    if (err) {
        mrl_http_listener__free(listener);
        *ret_listener = NULL;
    }
    return -err;
}

void mrl_http_listener__stop(struct mrl_http_listener *listener)
{
    const uint64_t once = 1;

    atomic_store(&listener->stopping, true);
    if (write(listener->wake, &once, sizeof(once)) == sizeof(once))
        pthread_join(listener->thread, NULL);
}

void mrl_http_listener__free(struct mrl_http_listener *listener)
{
    if (!listener)
        return;
    if (listener->wake >= 0)
        close(listener->wake);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}
