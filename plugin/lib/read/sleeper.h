/* SPDX-License-Identifier: Apache-2.0 */
/* How a reader sleeps: until a descriptor has something, it is interrupted, or the clock is set. */
#ifndef MRL_READ_SLEEPER_H
#define MRL_READ_SLEEPER_H

#include <stdbool.h>

/** One thread sleeps. Open it before it is used. */
struct mrl_sleeper {
    int epoll;
    int wake;  /* eventfd of interrupt() */
    int clock; /* timerfd that never expires: it is there to be cancelled when the clock is set */
    bool interrupted;
};

/** `clock` is a descriptor that can be read when the wall clock was set; stolen. -errno; done() is
 * due either way. */
int mrl_sleeper__open(struct mrl_sleeper *sleeper, int clock);

/** -errno. */
int mrl_sleeper__watch(struct mrl_sleeper *sleeper, int fd);

/** Sleeps until there may be something; 0: the time is over or the sleep was interrupted. */
int mrl_sleeper__sleep(struct mrl_sleeper *sleeper, int timeout_ms);

/** Ends a sleep, now or the next. Any thread; async-signal-safe. */
void mrl_sleeper__interrupt(const struct mrl_sleeper *sleeper);

void mrl_sleeper__done(struct mrl_sleeper *sleeper);

#endif
