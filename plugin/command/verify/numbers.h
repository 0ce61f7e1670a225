/* SPDX-License-Identifier: Apache-2.0 */
/** What is remembered of the numbers of a stretch of a stream: a few words per CPU and lane. */
#ifndef MRL_COMMAND_VERIFY_NUMBERS_H
#define MRL_COMMAND_VERIFY_NUMBERS_H

#include "base/hash.h"
#include "command/verify/line.h"

struct mrl_lane {
    bool seen;
    uint64_t first, next; /* the numbers that are there begin and, but for gaps, end here */
    uint64_t gaps;
    /** The last gap, and how many of its numbers were not found out of place since. */
    uint64_t gap_from, gap_to, gap_left;
};

struct mrl_cpu {
    uint32_t number;
    struct mrl_lane lanes[MRL_VERIFY_LANES];
    UT_hash_handle hh;
};

/** Zeroed is empty. */
struct mrl_numbers {
    struct mrl_cpu *cpus;
    struct mrl_cpu *last; /* most lines are of the CPU of the line before */
};

/** That of a CPU, made when it is new; borrowed. NULL: out of memory. */
struct mrl_lane *mrl_numbers__lane(struct mrl_numbers *numbers, uint32_t cpu, uint32_t lane);

enum mrl_step {
    MRL_STEP_NEXT,   /* in order */
    MRL_STEP_GAP,    /* gap_from up to, not including, gap_to is missing */
    MRL_STEP_MOVED,  /* it was missing, and stands in the wrong place */
    MRL_STEP_BEHIND, /* smaller than what must follow: nothing was changed */
};

/** Takes a number. */
enum mrl_step mrl_lane__step(struct mrl_lane *lane, uint64_t seq);

/** In the order of their numbers. */
void mrl_numbers__sort(struct mrl_numbers *numbers);

void mrl_numbers__done(struct mrl_numbers *numbers);

#endif
