// SPDX-License-Identifier: Apache-2.0
/* The running mean of the time between two records. */
#include "read/pace.h"

enum { WEIGHT = 4 }; /* of what was known before, against one more look */

void mrl_pace__saw(struct mrl_pace *pace, int64_t now_ns, size_t records)
{
    int64_t gap_ns = now_ns - pace->last_ns;

    if (records) {
        gap_ns /= (int64_t)records;
        pace->last_ns = now_ns;
    } else if (gap_ns <= pace->gap_ns) {
        return; /* no later than was to be expected */
    }
    /* A pause of an hour must not outweigh what comes after it. */
    if (gap_ns > MRL_PACE_GAP_MAX)
        gap_ns = MRL_PACE_GAP_MAX;
    pace->gap_ns += (gap_ns - pace->gap_ns) / WEIGHT;
    pace->close = pace->gap_ns < (pace->close ? MRL_PACE_APART_NS : MRL_PACE_CLOSE_NS);
}
