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

#endif
