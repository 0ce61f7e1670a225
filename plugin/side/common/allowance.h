/* SPDX-License-Identifier: Apache-2.0 */
/* So many in a second, and no more. */
#ifndef MRL_SIDE_COMMON_ALLOWANCE_H
#define MRL_SIDE_COMMON_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"

/** Zeroed is one that was not used yet. */
struct mrl_allowance {
    int64_t second;
    unsigned int used;
    unsigned int refused; /* since the caller made it 0 */
};

/** Whether none was used in this second. */
static inline bool mrl_allowance__is_fresh(const struct mrl_allowance *allowance)
{
    return allowance->second != mrl_clock__ns(CLOCK_MONOTONIC) / 1000000000;
}

/** Whether one more is allowed in this second; one that is not counts as refused. */
static inline bool mrl_allowance__take(struct mrl_allowance *allowance, unsigned int per_second)
{
    if (mrl_allowance__is_fresh(allowance)) {
        allowance->second = mrl_clock__ns(CLOCK_MONOTONIC) / 1000000000;
        allowance->used = 0;
    }
    if (allowance->used < per_second) {
        allowance->used++;
        return true;
    }
    allowance->refused++;
    return false;
}

#endif
