/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When processes were sent their first SIGKILL. A table of the last few thousand: whoever releases
 * the memory of a process does so soon after, and what was pushed out is not known.
 */
#ifndef MRL_LIB_KILL_H
#define MRL_LIB_KILL_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "types.h"

#define MRL_SIGKILL 9

struct kill {
    __u64 start_ns; /* of the process: numbers are used again */
    __u64 kill_ns;
};

/* The size is set before the load. */
struct {
    /* Processes come and go without end: the map drops the oldest by itself and never refuses a new
     * one. */
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct kill);
} kills SEC(".maps");

static __always_inline void remember_kill(struct task_struct *task)
{
    struct task_struct *leader = BPF_CORE_READ(task, group_leader);
    struct kill kill = { BPF_CORE_READ(leader, start_boottime), bpf_ktime_get_boot_ns() };
    __u32 pid = BPF_CORE_READ(leader, tgid);
    struct kill *known = bpf_map_lookup_elem(&kills, &pid);

    /* Later signals change nothing: what counts is how long ago the process was first told to
     * die. */
    if (!known || known->start_ns != kill.start_ns)
        bpf_map_update_elem(&kills, &pid, &kill, BPF_ANY);
}

static __always_inline __u64 kill_time(const struct mrl_target *target)
{
    __u32 pid = target->host_pid;
    struct kill *known = bpf_map_lookup_elem(&kills, &pid);

    return known && known->start_ns == target->start_ns ? known->kill_ns : 0;
}

#endif
