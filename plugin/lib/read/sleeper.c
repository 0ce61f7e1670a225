// SPDX-License-Identifier: Apache-2.0
/* Sleeping by epoll. */
#include "read/sleeper.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { EVENTS_MAX = 4 };

int mrl_sleeper__open(struct mrl_sleeper *sleeper, int clock)
{
    int err = clock < 0 ? -errno : 0;

    *sleeper = (struct mrl_sleeper){ .epoll = epoll_create1(EPOLL_CLOEXEC),
                                     .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                     .clock = clock };
    if (!err && (sleeper->epoll < 0 || sleeper->wake < 0))
        err = -errno;
    if (!err)
        err = mrl_sleeper__watch(sleeper, sleeper->clock);
    return err ? err : mrl_sleeper__watch(sleeper, sleeper->wake);
}

int mrl_sleeper__watch(struct mrl_sleeper *sleeper, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    return epoll_ctl(sleeper->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int mrl_sleeper__sleep(struct mrl_sleeper *sleeper, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(sleeper->epoll, events, EVENTS_MAX, timeout_ms);
    uint64_t times;

    if (count < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        bool is_wake = events[i].data.fd == sleeper->wake;

        /* Of the clock that was set the next look finds out; read, it is silent until it is set
         * again. */
        if (is_wake || events[i].data.fd == sleeper->clock)
            sleeper->interrupted |= read(events[i].data.fd, &times, sizeof(times)) > 0 && is_wake;
    }
    return count;
}

void mrl_sleeper__interrupt(const struct mrl_sleeper *sleeper)
{
    const uint64_t once = 1;
    ssize_t written = write(sleeper->wake, &once, sizeof(once));

    (void)written; /* fails only when it is full of wake-ups already */
}

void mrl_sleeper__done(struct mrl_sleeper *sleeper)
{
    if (sleeper->epoll >= 0)
        close(sleeper->epoll);
    if (sleeper->wake >= 0)
        close(sleeper->wake);
    if (sleeper->clock >= 0)
        close(sleeper->clock);
}
