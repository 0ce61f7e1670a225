/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as nanoseconds. */
#ifndef MRL_BASE_CLOCK_H
#define MRL_BASE_CLOCK_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#include <sys/prctl.h>

/** What the clock `clock` (CLOCK_…) shows. Any thread. */
static inline int64_t mrl_clock__ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/** The same of CLOCK_MONOTONIC, in ms. */
static inline int64_t mrl_clock__ms(void)
{
    return mrl_clock__ns(CLOCK_MONOTONIC) / 1000000;
}

/** Sleeps so long, or until a signal comes. */
static inline void mrl_clock__pause_ms(int64_t ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&pause, NULL);
}

/**
 * Sleeps of this thread, and of those that it makes, end when they should. By default the kernel
 * may end each 50 us late, to wake a CPU less often.
 */
static inline void mrl_clock__sleep_to_the_point(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL);
}

/** ms, rounded up, until CLOCK_MONOTONIC shows `end_ns`; 0: it is past; INT_MAX is the most. Any
 * thread. */
static inline int mrl_clock__left_ms(int64_t end_ns)
{
    const int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    const int64_t left_ms = end_ns <= now_ns ? 0 : (end_ns - now_ns - 1) / 1000000 + 1;

    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/** The time of CLOCK_MONOTONIC in `ms` from now, as pthread_cond_timedwait() wants it. Any thread.
 */
static inline struct timespec mrl_clock__in_ms(int ms)
{
    int64_t ns = mrl_clock__ns(CLOCK_MONOTONIC) + ms * INT64_C(1000000);

    return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

/**
 * The kernel's CLOCK_BOOTTIME, on which all times of the probes are. A time namespace shifts what
 * this process is shown of that clock, and this takes the shift back. The shift is learnt from the
 * kernel at the first call that may load a program (CAP_BPF, CAP_PERFMON); until then it is taken
 * to be none. Any thread.
 */
int64_t mrl_clock__boot_ns(void);

#endif
