/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Put: finished records go into the rings, and every call into the counters. For each event and
 * CPU: seen = submitted + refused + suppressed + no_memory + exit_missed + self + filtered
 * (docs/accounting.md).
 */
#ifndef MRL_PROGRAMS_EMIT_H
#define MRL_PROGRAMS_EMIT_H

#include "abi/record.h"
#include "fair.h"
#include "lib/call.h"
#include "watched.h"

/* Set while the reader is busy: it will look at the rings again by itself, so no wake-up is sent.
 */
int reader_awake;

/* Sizes are set before the load. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} rare_records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} busy_records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MRL_EVENT_COUNT);
    __type(key, __u32);
    __type(value, struct mrl_event_counters);
} event_counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MRL_LANE_COUNT);
    __type(key, __u32);
    __type(value, __u64);
} sequences SEC(".maps");

static __always_inline struct mrl_event_counters *counters_of(__u32 event)
{
    return bpf_map_lookup_elem(&event_counters, &event);
}

static __always_inline __u64 next_sequence(__u32 lane)
{
    __u64 *sequence = bpf_map_lookup_elem(&sequences, &lane);

    /* Atomic, for a rung that may be preempted between the load and the store. */
    return sequence ? __sync_fetch_and_add(sequence, 1) : 0;
}

static __always_inline long submit(int event, struct mrl_record *record, __u64 bytes)
{
    /* The constant maps let the verifier see which ring it is; a map in a variable it refuses. */
    __u64 wake = reader_awake ? BPF_RB_NO_WAKEUP : 0;

    if (event_lane(event) == MRL_LANE_RARE)
        return bpf_ringbuf_output(&rare_records, record, bytes, wake);
    return bpf_ringbuf_output(&busy_records, record, bytes, wake);
}

/* Puts one event of a finished call into its ring. The one place that emits. */
static __always_inline void emit(int event, struct mrl_record *record, __u64 bytes)
{
    struct mrl_event_counters *counters = counters_of(event);

    if (!counters)
        return;
    __sync_fetch_and_add(&counters->seen, 1);
    record->event = event;
    record->lane = event_lane(event);
    record->size = bytes;
    /* The number is taken before the ring is asked. A record that the ring refuses so leaves a hole
     * in the numbers, by which the reader notices the loss, and where it was. */
    record->seq = next_sequence(record->lane);
    if (submit(event, record, bytes)) {
        __sync_fetch_and_add(&counters->refused, 1);
        blame(record->lane, record->cgroup_id);
    } else {
        __sync_fetch_and_add(&counters->submitted, 1);
    }
}

/* A call that was seen, and came to this end. */
static __always_inline bool count(int event, __u32 end)
{
    struct mrl_event_counters *counters = counters_of(event);

    if (!counters)
        return false;
    __sync_fetch_and_add(&counters->seen, 1);
    __sync_fetch_and_add((__u64 *)((char *)counters + end), 1);
    return true;
}

/* It takes a number, as one that is emitted: the reader sees where it is missing. */
static __always_inline void count_suppressed(int event, const struct mrl_record *record)
{
    if (!count(event, offsetof(struct mrl_event_counters, suppressed)))
        return;
    next_sequence(event_lane(event));
    blame(event_lane(event), record->cgroup_id);
}

/* A proof call counts as itself whether or not its event is chosen: it shows that the probes see.
 */
static __always_inline void count_self(int event)
{
    count(event, offsetof(struct mrl_event_counters, self));
}

static __always_inline void count_filtered(int event)
{
    count(event, offsetof(struct mrl_event_counters, filtered));
}

static __always_inline void count_no_memory(int event)
{
    count(event, offsetof(struct mrl_event_counters, no_memory));
}

/* An entry while the task's last call is still open: the probes were not shown the exit of that
 * call. A kretprobe follows only so many calls at once, and the kernel runs no probe within
 * another. No exit is missed when the call is not followed now, or began before it was. */
static __always_inline void count_exit_missed(const struct mrl_record *record)
{
    if ((record->flags & MRL_CALL_OPEN) && is_followed(record->event) &&
        record->entry_ns >= since(record->event))
        count(record->event, offsetof(struct mrl_event_counters, exit_missed));
}

#endif
