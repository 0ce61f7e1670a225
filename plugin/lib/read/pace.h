/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How close records follow each other, and so how a reader should wait for the next: asleep until
 * the kernel wakes it, or by naps while the rings fill. A wake-up costs the traced process more
 * than the record; a nap costs the reader one sleep, which is cheaper once it brings two records.
 * What a record costs then is that sleep shared by all that a nap brings, so a nap is as long as
 * many records take, within what a reader of the events may be kept waiting.
 */
#ifndef MRL_READ_PACE_H
#define MRL_READ_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    MRL_NAP_NS = 300 * 1000,                       /* the shortest */
    MRL_NAP_MAX_NS = 640 * 1000,                   /* and the longest */
    MRL_NAP_RECORDS = 24,                          /* between these two, so many records' time */
    MRL_PACE_CLOSE_NS = MRL_NAP_NS / 2,            /* two records in the shortest */
    MRL_PACE_APART_NS = MRL_PACE_CLOSE_NS / 4 * 5, /* not to go back and forth */
};

/** Begin with MRL_PACE. */
struct mrl_pace {
    int64_t last_ns; /* when records were last found */
    int64_t gap_ns;  /* running mean of the time between two records, at most 1 ms */
    bool close;      /* naps are the cheaper way */
};

#define MRL_PACE_GAP_MAX INT64_C(1000000)
#define MRL_PACE         ((struct mrl_pace){ .gap_ns = MRL_PACE_GAP_MAX })

enum { MRL_PACE_WEIGHT = 4 }; /* of what was known before, against one more look */

/** How long the next nap is. */
static inline int64_t mrl_pace__nap_ns(const struct mrl_pace *pace)
{
    const int64_t nap_ns = MRL_NAP_RECORDS * pace->gap_ns;

    return nap_ns < MRL_NAP_NS ? MRL_NAP_NS : nap_ns > MRL_NAP_MAX_NS ? MRL_NAP_MAX_NS : nap_ns;
}

static inline void mrl_pace__nap(const struct mrl_pace *pace)
{
    const struct timespec nap = { .tv_nsec = mrl_pace__nap_ns(pace) };

    nanosleep(&nap, NULL);
}

/** At `now_ns` (CLOCK_MONOTONIC), `records` were found that had come since the last look. */
static inline void mrl_pace__saw(struct mrl_pace *pace, int64_t now_ns, size_t records)
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
    pace->gap_ns += (gap_ns - pace->gap_ns) / MRL_PACE_WEIGHT;
    pace->close = pace->gap_ns < (pace->close ? MRL_PACE_APART_NS : MRL_PACE_CLOSE_NS);
}

#endif
