/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as nanoseconds. */
#ifndef MRL_BASE_CLOCK_H
#define MRL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** What the clock `clock` (CLOCK_…) shows. Any thread. */
static inline int64_t mrl_clock__ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
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
