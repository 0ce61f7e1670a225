/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is remembered of calls beside their state, in a few bytes that are there from the start. */
#ifndef MRL_LIB_MARKS_H
#define MRL_LIB_MARKS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "slots.h"

enum {
    MRL_MARKS = 1 << 16,
    MRL_ENDED = 1 << 14,
    MRL_TID_BITS = 22, /* PID_MAX_LIMIT of 64-bit kernels */
    MRL_MARK_TRIES = 4,
};

/* Calls without a slot, and those of them that a function's exit has reported: by the task's hash.
 */
struct mark {
    __u32 open;
    __u32 told;
    __u64 entry_ns; /* of the latest that is open */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MRL_MARKS);
    __type(key, __u32);
    __type(value, struct mark);
} marks SEC(".maps");

/* When tasks ended their last calls: the number of the task, and the time in 65 us above it. What
 * another task has overwritten is not known. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MRL_ENDED);
    __type(key, __u32);
    __type(value, __u64);
} ended_calls SEC(".maps");

static __always_inline struct mark *mark_of(__u32 tid)
{
    __u32 at = task_hash(tid) & (MRL_MARKS - 1);

    return bpf_map_lookup_elem(&marks, &at);
}

/* Takes one away where there is one; tasks that share a bucket may be quicker. */
static __always_inline bool take_mark(__u32 *count)
{
    for (int i = 0; i < MRL_MARK_TRIES; i++) {
        __u32 now = *count;

        if (!now)
            return false;
        if (__sync_val_compare_and_swap(count, now, now - 1) == now)
            return true;
    }
    return false;
}

static __always_inline void note_end(__u32 tid, __u64 time_ns)
{
    __u32 at = task_hash(tid) & (MRL_ENDED - 1);
    __u64 *ended = bpf_map_lookup_elem(&ended_calls, &at);

    if (ended)
        *ended = tid | time_ns >> 16 << MRL_TID_BITS;
}

/* Whether the task is known to have ended a call after that time. */
static __always_inline bool ended_after(__u32 tid, __u64 time_ns)
{
    __u32 at = task_hash(tid) & (MRL_ENDED - 1);
    __u64 *ended = bpf_map_lookup_elem(&ended_calls, &at);

    return ended && (*ended & ((1 << MRL_TID_BITS) - 1)) == tid &&
           *ended >> MRL_TID_BITS > time_ns >> 16;
}

#endif
