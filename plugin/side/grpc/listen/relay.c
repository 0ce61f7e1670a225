// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/relay.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"
#include "side/grpc/common/program.h"
#include "side/grpc/listen/tls.h"

enum {
    BYTES = 16 * 1024, /* a record of TLS */
    HANDSHAKE_MS = 10 * 1000,
    LINGER_MS = 1000,
    LOOK_MS = 1000,
    OPENING = 256, /* handshakes under way: one more ends the oldest */
    ROUNDS = 16,   /* of one connection, before the next has its turn */
    EVENTS = 64,
};

/* Each is told once, and then everything is moved that can be. */
#define ALL_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* What waits in one direction. */
struct pipe {
    size_t at, size;
    char bytes[BYTES];
};

struct relay {
    struct relay *next, **link; /* in the list of all */
    struct relay *next_busy;
    bool is_busy;
    SSL *session;
    int net, core;
    atomic_bool is_open; /* the handshake is done */
    bool core_ended;
    atomic_bool
        lingers; /* it is over, and what the peer still sends is dropped until it sees the end */
    int64_t since_ms;
    char peer[96];
    struct pipe in, out; /* to core, to the net */
};

struct mrl_relays {
    struct mrl_tls *tls;
    int epoll, wake;
    pthread_t thread;
    atomic_bool ending;
    pthread_mutex_t lock; /* of the list of all */
    struct relay *all;    /* the latest first */
    unsigned int opening; /* of them */
    struct relay *busy;   /* the thread's: those that had no turn to the end */
};

/* -- one connection --------------------------------------------------------------------------- */

enum step { MOVED, WAITS, OVER };

/* What a call of OpenSSL that did not succeed means. */
static enum step judge(const struct relay *relay, int result)
{
    int err = SSL_get_error(relay->session, result);

    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return WAITS;
    if (err == SSL_ERROR_SSL && !relay->is_open)
        mrl_grpc__log(MRL_LOG_WARNING, "a client, %s, was refused: handshake: %s", relay->peer,
                      ERR_reason_error_string(ERR_peek_error()));
    return OVER;
}

static enum step to_core(struct relay *relay)
{
    struct pipe *in = &relay->in;
    ssize_t sent;

    if (!in->size) {
        int size = SSL_read(relay->session, in->bytes, BYTES);

        if (size <= 0)
            return judge(relay, size);
        in->size = (size_t)size;
        in->at = 0;
    }
    sent = send(relay->core, in->bytes + in->at, in->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN ? WAITS : OVER;
    in->at += (size_t)sent;
    in->size -= (size_t)sent;
    return MOVED;
}

static enum step to_net(struct relay *relay)
{
    struct pipe *out = &relay->out;
    int sent;

    if (!out->size) {
        ssize_t size = relay->core_ended ? 0 : recv(relay->core, out->bytes, BYTES, MSG_DONTWAIT);

        if (size < 0)
            return errno == EAGAIN ? WAITS : OVER;
        if (!size) {
            SSL_shutdown(relay->session); /* core has said all */
            return OVER;
        }
        out->size = (size_t)size;
        out->at = 0;
    }
    sent = SSL_write(relay->session, out->bytes + out->at, (int)out->size);
    if (sent <= 0)
        return judge(relay, sent);
    out->at += (size_t)sent;
    out->size -= (size_t)sent;
    return MOVED;
}

static enum step drop_input(struct relay *relay)
{
    ssize_t size = 0;

    for (int i = 0; i < ROUNDS; i++) {
        size = recv(relay->net, relay->in.bytes, BYTES, MSG_DONTWAIT);
        if (size <= 0)
            break;
    }
    return size > 0 ? MOVED : size < 0 && errno == EAGAIN ? WAITS : OVER;
}

static bool speaks_h2(const struct relay *relay)
{
    const unsigned char *chosen;
    unsigned int size;

    SSL_get0_alpn_selected(relay->session, &chosen, &size);
    if (!size)
        mrl_grpc__log(MRL_LOG_WARNING, "a client, %s, was refused: handshake: it offers no HTTP/2",
                      relay->peer);
    return size;
}

static void has_opened(struct mrl_relays *relays, struct relay *relay)
{
    pthread_mutex_lock(&relays->lock);
    relay->is_open = true;
    relays->opening--;
    pthread_mutex_unlock(&relays->lock);
}

/* As much as can be moved now, up to a bound. */
static enum step pump(struct mrl_relays *relays, struct relay *relay)
{
    struct epoll_event event = { .events = ALL_EVENTS, .data.ptr = relay };

    if (relay->lingers)
        return drop_input(relay);
    ERR_clear_error();
    if (!relay->is_open) {
        int result = SSL_accept(relay->session);

        if (result != 1)
            return judge(relay, result);
        if (!speaks_h2(relay))
            return OVER;
        has_opened(relays, relay);
        if (epoll_ctl(relays->epoll, EPOLL_CTL_MOD, relay->core, &event))
            return OVER;
    }
    for (int i = 0; i < ROUNDS; i++) {
        enum step in = to_core(relay), out = to_net(relay);

        if (in == OVER || out == OVER)
            return OVER;
        if (in == WAITS && out == WAITS)
            return WAITS;
    }
    return MOVED;
}

static void name_peer(int fd, char text[96])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    char host[64], port[16];

    snprintf(text, 96, "a peer that is gone");
    if (!getpeername(fd, (struct sockaddr *)&address, &size) &&
        !getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                     NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(text, 96, "%.60s port %.15s", host, port);
}

static void end(struct mrl_relays *relays, struct relay *relay)
{
    pthread_mutex_lock(&relays->lock);
    *relay->link = relay->next;
    if (relay->next)
        relay->next->link = relay->link;
    relays->opening -= !relay->is_open;
    pthread_mutex_unlock(&relays->lock);
    SSL_free(relay->session);
    shutdown(relay->net, SHUT_RDWR); /* the listener sees that */
    /* Closing does not do that: the listener has a duplicate. */
    epoll_ctl(relays->epoll, EPOLL_CTL_DEL, relay->net, NULL);
    close(relay->net);
    if (relay->core >= 0)
        close(relay->core);
    free(relay);
}

/* A socket that is closed while the peer sends is reset, and the peer would not read why. */
static void linger(struct relay *relay)
{
    close(relay->core);
    relay->core = -1;
    relay->lingers = true;
    relay->since_ms = mrl_clock__ms();
    shutdown(relay->net, SHUT_WR);
}

/* -- the thread ------------------------------------------------------------------------------- */

static void run(struct mrl_relays *relays, struct relay *relay)
{
    const bool is_late = relay->lingers && mrl_clock__ms() - relay->since_ms > LINGER_MS;
    enum step step = is_late ? OVER : pump(relays, relay);

    if (step == OVER && !relay->lingers) {
        linger(relay);
        step = drop_input(relay);
    }
    if (step == OVER) {
        end(relays, relay);
        return;
    }
    relay->is_busy = step == MOVED;
    if (!relay->is_busy)
        return;
    relay->next_busy = relays->busy;
    relays->busy = relay;
}

static void run_busy(struct mrl_relays *relays)
{
    struct relay *each = relays->busy, *next;

    relays->busy = NULL;
    for (; each; each = next) {
        next = each->next_busy;
        run(relays, each);
    }
}

/* Those that do not come to the end of a handshake, or do not see theirs. */
static void end_silent(struct mrl_relays *relays)
{
    const int64_t now = mrl_clock__ms();
    struct relay *each, *next;

    pthread_mutex_lock(&relays->lock);
    each = relays->all;
    pthread_mutex_unlock(&relays->lock);
    for (; each; each = next) {
        next = each->next; /* only this thread takes away */
        if (each->is_busy || (each->is_open && !each->lingers))
            continue;
        if (now - each->since_ms > (each->lingers ? LINGER_MS : HANDSHAKE_MS))
            end(relays, each);
    }
}

static void *watch(void *context)
{
    struct mrl_relays *relays = context;
    struct epoll_event events[EVENTS];
    int64_t looked_ms = mrl_clock__ms();

    while (!atomic_load(&relays->ending)) {
        int count = epoll_wait(relays->epoll, events, EVENTS, relays->busy ? 0 : LOOK_MS);

        /* Those first that wait already: an event may be about one of them, which is then run
         * twice, and is gone before that when it is over. */
        for (int i = 0; i < count; i++) {
            struct relay *relay = events[i].data.ptr;

            if (!relay || relay->is_busy)
                continue;
            for (int j = i + 1; j < count; j++) /* both of its descriptors may have something */
                if (events[j].data.ptr == relay)
                    events[j].data.ptr = NULL;
            run(relays, relay);
        }
        if (mrl_clock__ms() - looked_ms >= LOOK_MS) {
            end_silent(relays);
            looked_ms = mrl_clock__ms();
        }
        if (relays->busy)
            run_busy(relays);
    }
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------- */

int mrl_relays__new(struct mrl_tls *tls, struct mrl_relays **ret_relays)
{
    struct mrl_relays *relays = calloc(1, sizeof(*relays));
    struct epoll_event wake = { .events = EPOLLIN };
    int err;

    if (!relays)
        return -ENOMEM;
    relays->tls = tls;
    pthread_mutex_init(&relays->lock, NULL);
    relays->epoll = epoll_create1(EPOLL_CLOEXEC);
    relays->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    err = relays->epoll < 0 || relays->wake < 0 ||
                  epoll_ctl(relays->epoll, EPOLL_CTL_ADD, relays->wake, &wake)
              ? -errno
              : 0;
    if (!err)
        err = mrl_thread__start(&relays->thread, 0, watch, relays);
    if (err) {
        close(relays->epoll);
        close(relays->wake);
        free(relays);
        return err;
    }
    *ret_relays = relays;
    return 0;
}

static int register_both(struct mrl_relays *relays, struct relay *relay)
{
    struct epoll_event later = { .events = 0, .data.ptr = relay };
    struct epoll_event event = { .events = ALL_EVENTS, .data.ptr = relay };

    /* The net last: from then on the thread may run it, and end it. Core is heard from the end of
     * the handshake on. */
    if (epoll_ctl(relays->epoll, EPOLL_CTL_ADD, relay->core, &later) ||
        epoll_ctl(relays->epoll, EPOLL_CTL_ADD, relay->net, &event))
        return -errno;
    return 0;
}

static struct relay *make(struct mrl_relays *relays, int connection, int core)
{
    struct relay *relay = calloc(1, sizeof(*relay));

    if (!relay)
        return NULL;
    relay->session = mrl_tls__session(relays->tls);
    if (!relay->session || SSL_set_fd(relay->session, connection) != 1) {
        SSL_free(relay->session);
        free(relay);
        return NULL;
    }
    relay->net = connection;
    relay->core = core;
    relay->since_ms = mrl_clock__ms();
    name_peer(connection, relay->peer);
    return relay;
}

/* With the lock held. Those who say nothing make room for those who come: a handshake takes far
 * less time than OPENING others need to come. */
static void end_oldest_opening(struct mrl_relays *relays)
{
    struct relay *oldest = NULL;

    for (struct relay *each = relays->all; each; each = each->next)
        if (!each->is_open && !each->lingers)
            oldest = each;
    if (!oldest)
        return;
    oldest->lingers = true; /* nothing is said of it: there may be thousands */
    shutdown(oldest->net, SHUT_RDWR);
}

static void enlist(struct mrl_relays *relays, struct relay *relay)
{
    pthread_mutex_lock(&relays->lock);
    if (relays->opening++ >= OPENING)
        end_oldest_opening(relays);
    relay->next = relays->all;
    if (relay->next)
        relay->next->link = &relay->next;
    relay->link = &relays->all;
    relays->all = relay;
    pthread_mutex_unlock(&relays->lock);
}

int mrl_relays__add(struct mrl_relays *relays, int connection)
{
    struct relay *relay;
    int pair[2], err;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return -errno;
    relay = make(relays, connection, pair[1]);
    if (!relay) {
        close(pair[0]);
        close(pair[1]);
        return -ENOMEM;
    }
    enlist(relays, relay);
    err = register_both(relays, relay);
    if (err) {
        /* Nothing has run it: epoll knows the core's end alone, on which nothing has come. */
        relay->net = dup(connection);
        end(relays, relay);
        close(pair[0]);
        return err;
    }
    return pair[0];
}

void mrl_relays__free(struct mrl_relays *relays)
{
    const uint64_t once = 1;

    if (!relays)
        return;
    atomic_store(&relays->ending, true);
    if (write(relays->wake, &once, sizeof(once)) == sizeof(once))
        pthread_join(relays->thread, NULL);
    while (relays->all)
        end(relays, relays->all);
    close(relays->epoll);
    close(relays->wake);
    pthread_mutex_destroy(&relays->lock);
    free(relays);
}
