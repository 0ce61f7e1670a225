// SPDX-License-Identifier: Apache-2.0
#include "side/stream/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/tame.h"
#include "side/stream/tls.h"
#include "sinks/stream/options.h"

enum {
    STEP_MS = 100,   /* a stop is seen within that */
    SETTLE_MS = 100, /* and as long as the handshake took */
    GOODBYE_MS = 500,
    DRAIN_BYTES = 64 * 1024,
    ACK_FIRST_NS = 20000, /* how long the first look at what is not acknowledged waits */
    ACK_LAST_NS = 5000000,
};

struct mrl_link {
    char host[256], port[8];
    int type; /* SOCK_… */
    bool is_tls;
    SSL_CTX *context;
    uint64_t timeout_ns;
    int fd; /* -1: it is closed */
    SSL *ssl;
    const int *stop;
    int64_t deadline_ns;
    int64_t trip_ns; /* that connecting took */
    enum mrl_item_verdict verdict;
    char why[MRL_WHY_BYTES];
};

/* -- errors, and the end ---------------------------------------------------------------------- */

static void abandon(struct mrl_link *link)
{
    SSL_free(link->ssl);
    link->ssl = NULL;
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

__attribute__((format(printf, 4, 0))) static int fail_with(struct mrl_link *link,
                                                           int err,
                                                           enum mrl_item_verdict verdict,
                                                           const char *format,
                                                           va_list arguments)
{
    vsnprintf(link->why, sizeof(link->why), format, arguments);
    mrl_tame(link->why);
    link->verdict = verdict;
    abandon(link);
    return err;
}

__attribute__((format(printf, 3, 4))) static int fail(struct mrl_link *link,
                                                      int err,
                                                      const char *format,
                                                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail_with(link, err, MRL_VERDICT_AGAIN, format, arguments);
    va_end(arguments);
    return err;
}

int mrl_link__fail(struct mrl_link *link, enum mrl_item_verdict verdict, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail_with(link, -EPROTO, verdict, format, arguments);
    va_end(arguments);
    return -EPROTO;
}

static int fail_errno(struct mrl_link *link, int err)
{
    return fail(link, err, "%s:%s: %s", link->host, link->port,
                err == -ECANCELED   ? "the sensor ends"
                : err == -ETIMEDOUT ? "it takes too long"
                                    : strerror(-err));
}

static int fail_tls(struct mrl_link *link, int code, int err)
{
    link->verdict = mrl_tls__explain(link->ssl, code, err, link->why);
    mrl_tame(link->why);
    abandon(link);
    return code == SSL_ERROR_ZERO_RETURN ? -EPIPE : -EPROTO;
}

const char *mrl_link__why(const struct mrl_link *link)
{
    return link->why;
}

enum mrl_item_verdict mrl_link__verdict(const struct mrl_link *link)
{
    return link->verdict;
}

/* -- waiting ---------------------------------------------------------------------------------- */

static bool is_stopped(const struct mrl_link *link)
{
    return link->stop && __atomic_load_n(link->stop, __ATOMIC_RELAXED);
}

/* Until the socket is ready for `events`. Errors: -ETIMEDOUT, -ECANCELED. */
static int wait_for(const struct mrl_link *link, int events, int64_t until_ns)
{
    struct pollfd one = { .fd = link->fd, .events = (short)events };

    for (;;) {
        const int left_ms = mrl_clock__left_ms(until_ns);
        int ready;

        if (is_stopped(link))
            return -ECANCELED;
        if (!left_ms)
            return -ETIMEDOUT;
        ready = poll(&one, 1, left_ms < STEP_MS ? left_ms : STEP_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return -errno;
    }
}

/* What a call of TLS waits for; 0: it failed. */
static int events_of(int code)
{
    return code == SSL_ERROR_WANT_READ ? POLLIN : code == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

/* What a call of TLS came to, as read_some() returns it. */
static ssize_t end_tls(struct mrl_link *link, int result, int *ret_events)
{
    int code = result > 0 ? 0 : SSL_get_error(link->ssl, result);

    *ret_events = events_of(code);
    return result > 0 ? result : *ret_events ? 0 : fail_tls(link, code, errno);
}

/* Reads without waiting. Returns the size; 0: `*ret_events` are to be waited for; -errno. */
static ssize_t read_some(struct mrl_link *link, char *bytes, size_t size, int *ret_events)
{
    ssize_t result;

    if (link->ssl) {
        ERR_clear_error();
        errno = 0;
        return end_tls(link, SSL_read(link->ssl, bytes, (int)size), ret_events);
    }
    result = recv(link->fd, bytes, size, 0);
    *ret_events = POLLIN;
    if (result > 0 || (result < 0 && (errno == EAGAIN || errno == EINTR)))
        return result > 0 ? result : 0;
    if (result < 0)
        return fail_errno(link, -errno);
    /* A datagram may be empty. */
    return link->type == SOCK_DGRAM
               ? 0
               : fail(link, -EPIPE, "%s:%s: it closed the connection", link->host, link->port);
}

static ssize_t write_some(struct mrl_link *link, const char *bytes, size_t size, int *ret_events)
{
    ssize_t result;

    if (link->ssl) {
        ERR_clear_error();
        errno = 0;
        return end_tls(link, SSL_write(link->ssl, bytes, size < INT32_MAX ? (int)size : INT32_MAX),
                       ret_events);
    }
    result = send(link->fd, bytes, size, MSG_NOSIGNAL);
    *ret_events = POLLOUT;
    if (result >= 0 || errno == EAGAIN || errno == EINTR)
        return result > 0 ? result : 0;
    return errno == EMSGSIZE ? -EMSGSIZE : fail_errno(link, -errno);
}

/* -- opening ---------------------------------------------------------------------------------- */

static int connect_to(struct mrl_link *link, const struct addrinfo *where, int64_t until_ns)
{
    socklen_t size = sizeof(int);
    int err = 0, on = 1;

    link->fd = socket(where->ai_family, where->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0)
        return fail_errno(link, -errno);
    if (connect(link->fd, where->ai_addr, where->ai_addrlen) && errno != EINPROGRESS)
        return fail_errno(link, -errno);
    err = wait_for(link, POLLOUT, until_ns);
    if (!err && !getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &err, &size))
        err = -err;
    if (err)
        return fail_errno(link, err);
    if (link->type == SOCK_STREAM) {
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(link->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    return 0;
}

static int shake_hands(struct mrl_link *link, int64_t until_ns)
{
    int result, code, err;

    link->ssl = mrl_tls__new(link->context, link->host, link->fd);
    if (!link->ssl)
        return fail(link, -ENOMEM, "TLS: out of memory");
    for (;;) {
        ERR_clear_error();
        errno = 0;
        result = SSL_connect(link->ssl);
        if (result == 1)
            return 0;
        code = SSL_get_error(link->ssl, result);
        if (!events_of(code))
            return fail_tls(link, code, errno);
        err = wait_for(link, events_of(code), until_ns);
        if (err)
            return fail_errno(link, err);
    }
}

int mrl_link__open(struct mrl_link *link)
{
    const struct addrinfo hints = { .ai_socktype = link->type, .ai_flags = AI_NUMERICSERV };
    int64_t began_ns = mrl_clock__ns(CLOCK_MONOTONIC),
            until_ns = began_ns + MRL_STREAM_CONNECT_S * INT64_C(1000000000);
    struct addrinfo *found = NULL;
    int err;

    if (link->fd >= 0)
        return 0;
    err = getaddrinfo(link->host, link->port, &hints, &found);
    if (err)
        return fail(link, -EHOSTUNREACH, "%s: %s", link->host, gai_strerror(err));
    until_ns = until_ns < link->deadline_ns ? until_ns : link->deadline_ns;
    err = -EHOSTUNREACH;
    for (const struct addrinfo *at = found; at && err && err != -ECANCELED; at = at->ai_next)
        err = connect_to(link, at, until_ns);
    freeaddrinfo(found);
    if (!err && link->is_tls)
        err = shake_hands(link, until_ns);
    link->trip_ns = mrl_clock__ns(CLOCK_MONOTONIC) - began_ns;
    return err ? err : 1;
}

int mrl_link__drain(struct mrl_link *link)
{
    char bytes[4096];
    size_t drained = 0;
    ssize_t size = 1;
    int events;

    while (size > 0 && drained < DRAIN_BYTES) {
        size = read_some(link, bytes, sizeof(bytes), &events);
        drained += size > 0 ? (size_t)size : 0;
    }
    return size < 0 ? (int)size : 0;
}

int mrl_link__settle(struct mrl_link *link)
{
    int64_t until_ns =
        mrl_clock__ns(CLOCK_MONOTONIC) + SETTLE_MS * INT64_C(1000000) + link->trip_ns;
    bool is_tls = link->is_tls;
    char why[MRL_WHY_BYTES];
    int err = 0, waited = 0;

    while (!err && !waited) {
        err = mrl_link__drain(link);
        waited = err ? 0 : wait_for(link, POLLIN, until_ns);
    }
    if (waited == -ECANCELED)
        return fail_errno(link, waited);
    if (!err || !is_tls)
        return err;
    snprintf(why, sizeof(why), "%s", link->why);
    mrl_link__fail(link, MRL_VERDICT_MISCONFIGURED,
                   "%s, right after the handshake: does it want a certificate of this client?",
                   why);
    return -EPIPE;
}

/* -- sending, receiving ----------------------------------------------------------------------- */

int mrl_link__send(struct mrl_link *link, const char *bytes, size_t size)
{
    while (size) {
        int events;
        ssize_t sent = write_some(link, bytes, size, &events);
        int err = sent < 0 ? (int)sent : 0;

        if (err)
            return err;
        bytes += sent;
        size -= (size_t)sent;
        if (!sent && (err = wait_for(link, events, link->deadline_ns)))
            return fail_errno(link, err);
    }
    return 0;
}

int mrl_link__await_acks(struct mrl_link *link)
{
    struct timespec pause = { .tv_nsec = ACK_FIRST_NS };
    int left = 0;

    for (;;) {
        socklen_t size = sizeof(int);
        int err = 0;

        if (ioctl(link->fd, SIOCOUTQ, &left))
            return fail_errno(link, -errno);
        /* What an end that is gone will never acknowledge is not acknowledged. */
        if (!getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &err, &size) && err)
            return fail_errno(link, -err);
        if (!left)
            return 0;
        if (is_stopped(link) || mrl_clock__ns(CLOCK_MONOTONIC) >= link->deadline_ns)
            return fail_errno(link, is_stopped(link) ? -ECANCELED : -ETIMEDOUT);
        nanosleep(&pause, NULL);
        pause.tv_nsec = 2 * pause.tv_nsec < ACK_LAST_NS ? 2 * pause.tv_nsec : ACK_LAST_NS;
    }
}

ssize_t mrl_link__receive(struct mrl_link *link, char *bytes, size_t size)
{
    for (;;) {
        int events, err;
        ssize_t got = read_some(link, bytes, size, &events);

        if (got)
            return got;
        err = wait_for(link, events, link->deadline_ns);
        if (err)
            return fail_errno(link, err);
    }
}

/* -- the link itself -------------------------------------------------------------------------- */

int mrl_link__new(const char *url,
                  const char *port,
                  uint64_t timeout_ns,
                  struct mrl_error *error,
                  struct mrl_link **ret_link)
{
    struct mrl_link *link = calloc(1, sizeof(*link));
    const char *host = strstr(url, "://") + 3;
    size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    bool is_bracketed = *host == '[';

    if (!link)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    link->fd = -1;
    link->type = !strncmp(url, "udp:", 4) ? SOCK_DGRAM : SOCK_STREAM;
    link->is_tls = mrl_files__is_tls(url);
    link->timeout_ns = timeout_ns ? timeout_ns : MRL_STREAM_TIMEOUT_S * UINT64_C(1000000000);
    snprintf(link->host, sizeof(link->host), "%.*s", (int)(size - 2 * is_bracketed),
             host + is_bracketed);
    if (host[size] == ':')
        port = host + size + 1;
    snprintf(link->port, sizeof(link->port), "%.*s", (int)strcspn(port, "/"), port);
    *ret_link = link;
    return 0;
}

int mrl_link__take_files(struct mrl_link *link,
                         const struct mrl_files *files,
                         struct mrl_error *error)
{
    SSL_CTX *context = NULL;
    int err = link->is_tls ? mrl_tls__context(files, error, &context) : 0;

    if (err)
        return err;
    mrl_link__close(link);
    SSL_CTX_free(link->context);
    link->context = context;
    return 0;
}

void mrl_link__begin(struct mrl_link *link, const int *stop)
{
    link->stop = stop;
    link->deadline_ns = mrl_clock__ns(CLOCK_MONOTONIC) + (int64_t)link->timeout_ns;
}

bool mrl_link__is_open(const struct mrl_link *link)
{
    return link->fd >= 0;
}

/* A socket that is closed while there is something to be read is reset, and what was sent last may
 * be lost with it: so the other end's turn to close is waited for. */
bool mrl_link__close(struct mrl_link *link)
{
    int64_t until_ns = mrl_clock__ns(CLOCK_MONOTONIC) + GOODBYE_MS * INT64_C(1000000);
    bool is_over = link->fd < 0 || link->type == SOCK_DGRAM;
    int err = 0;

    link->stop = NULL;
    if (!is_over && link->ssl)
        SSL_shutdown(link->ssl);
    if (!is_over)
        shutdown(link->fd, SHUT_WR);
    while (!is_over) {
        err = mrl_link__drain(link);
        is_over = err || wait_for(link, POLLIN, until_ns);
    }
    abandon(link);
    return err == -EPIPE;
}

void mrl_link__free(struct mrl_link *link)
{
    if (!link)
        return;
    mrl_link__close(link);
    SSL_CTX_free(link->context);
    free(link);
}
