/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines through the queue of an output. They are numbered in the order of their push, so that
 * order, and the exact place of a gap, can be read off what comes out: a number that is skipped
 * must be told missing there.
 */
#ifndef MRL_UNIT_TRAFFIC_H
#define MRL_UNIT_TRAFFIC_H

#include "deliver/queue.h"

enum { SIZE = 4096, LONGEST = 300, KINDS = 3 };

/** What went in and came out. */
struct traffic {
    struct mrl_queue queue;
    unsigned int
        first_event;        /* lines are of this and the next two; by default no share is for it */
    struct mrl_share share; /* of the next lines */
    uint32_t next_in;       /* number of the next line */
    uint32_t next_out;      /* of the next line or gap */
    uint64_t pushed[KINDS]; /* by event */
    uint64_t delivered[KINDS]; /* by event */
    uint64_t missing[MRL_CAUSE_GAPS][KINDS];
    bool ended;
};

/** With a queue of SIZE bytes. */
void traffic__begin(struct traffic *traffic, enum mrl_policy policy);

/** A line of `size` bytes, up to LONGEST; or several. */
void traffic__push(struct traffic *traffic, size_t size);
void traffic__push_times(struct traffic *traffic, size_t size, unsigned int times);

/** The kernel lost one. */
void traffic__push_lost(struct traffic *traffic);

/** Takes what fits `size` bytes; returns the number of lines. */
size_t traffic__pop(struct traffic *traffic, size_t size);

/** How many are known to be missing for this cause. */
uint64_t traffic__missing(const struct traffic *traffic, enum mrl_cause cause);

/** Empties and frees the queue; nothing may have disappeared. */
void traffic__finish(struct traffic *traffic);

#endif
