/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The names of cgroups, in front of the first record of each in a ring. A task holds its cgroup
 * while it is in a call, so nothing can be gone here; a container that lived for one call is gone
 * when a reader comes, and in a cgroup namespace of its own a reader is shown no names at all.
 */
#ifndef MRL_PROGRAMS_IDENTITY_H
#define MRL_PROGRAMS_IDENTITY_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "emit.h"
#include "lib/call.h"
#include "lib/features.h"
#include "lib/pidfd.h"
#include "lib/settings.h"
#include "lib/types.h"

/* The rings are read one after the other, so each has to say it for itself. */
struct cgroup_in_ring {
    __u64 cgroup_id;
    __u64 lane;
};

/* Those that were described. What falls out is described again: the reader remembers twice as
 * many. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct cgroup_in_ring);
    __type(value, __u8);
} described_cgroups SEC(".maps");

/* Cgroups that are made and removed, in a ring of their own: whoever asks for names does so while
 * the reader of the others waits for an output. Made only where names are wanted. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 64 * 1024); /* some fifty that are made at once */
} cgroup_changes SEC(".maps");

/* How many there were, from 1: as long as none is added, none is forgotten, by the kernel nor by
 * the reader. */
__u32 descriptions = 1;

static __always_inline bool is_described(__u64 cgroup_id, __u64 lane)
{
    const struct cgroup_in_ring key = { cgroup_id, lane };

    return bpf_map_lookup_elem(&described_cgroups, &key);
}

static __always_inline struct kernfs_node *cgroup_node(struct task_struct *task)
{
    return settings.cgroup_v1 ? BPF_CORE_READ(task, cgroups, subsys[0], cgroup, kn)
                              : BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
}

static __always_inline struct kernfs_node *parent_node(struct kernfs_node *node)
{
    return kernel_has_kernfs_parent()
               ? BPF_CORE_READ(node, parent)
               : BPF_CORE_READ((struct kernfs_node___since_6_15 *)node, __parent);
}

static __always_inline void put_names(struct kernfs_node *node,
                                      struct mrl_cgroup_names *names,
                                      __u8 flags)
{
    names->size = sizeof(*names);
    names->event = MRL_RECORD_CGROUP;
    names->flags = flags;
    names->count = 0;
    names->cgroup_id = BPF_CORE_READ(node, id);
    for (int i = 0; i < MRL_CGROUP_NODES; i++) {
        names->nodes[i][0] = '\0';
        bpf_probe_read_kernel_str(names->nodes[i], sizeof(names->nodes[i]),
                                  BPF_CORE_READ(node, name));
        names->count = i + 1;
        node = parent_node(node);
        if (!node) {
            names->flags |= MRL_CGROUP_WHOLE;
            break;
        }
    }
}

/* It leaves the end of the rare ring to what has a share of it: programs/fair.h. */
static __always_inline struct mrl_cgroup_names *reserve_names(__u32 lane)
{
    if (lane != MRL_LANE_RARE)
        return bpf_ringbuf_reserve(&busy_records, sizeof(struct mrl_cgroup_names), 0);
    if (bpf_ringbuf_query(&rare_records, BPF_RB_AVAIL_DATA) >= settings.crowded)
        return NULL;
    return bpf_ringbuf_reserve(&rare_records, sizeof(struct mrl_cgroup_names), 0);
}

/*
 * Says the names of the cgroup at `address`. A global function: the verifier looks at the loop
 * once. Where the ring is full nothing is remembered, and the next event tries again. It is
 * remembered only behind the record: another CPU must not put its event before it.
 */
__noinline int describe_cgroup(__u64 address, __u32 lane)
{
    struct cgroup_in_ring key = { .lane = lane };
    struct mrl_cgroup_names *names;
    __u8 one = 1;

    if (!address)
        return 0;
    names = reserve_names(lane);
    if (!names)
        return 0;
    put_names((void *)address, names, 0);
    key.cgroup_id = names->cgroup_id;
    /* This record must wake the reader: the kernel sends a wake-up only for a record right behind
     * what has been read, so that the event that follows would send none. */
    bpf_ringbuf_submit(names, reader_awake ? BPF_RB_NO_WAKEUP : 0);
    bpf_map_update_elem(&described_cgroups, &key, &one, BPF_ANY);
    __sync_fetch_and_add(&descriptions, 1);
    return 0;
}

/* Whether it is of the hierarchy that numbers cgroups: a container has one in each of v1. */
static __always_inline bool is_numbered(struct cgroup *cgroup)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct cgroup_root *root = settings.cgroup_v1
                                   ? BPF_CORE_READ(task, cgroups, subsys[0], cgroup, root)
                                   : BPF_CORE_READ(task, cgroups, dfl_cgrp, root);

    return BPF_CORE_READ(cgroup, root) == root;
}

/*
 * A cgroup is made or removed: where names of containers are wanted, somebody asks for them from
 * here on, before the first process of the container runs.
 */
static __always_inline void tell_change(struct cgroup *cgroup, __u8 flags)
{
    struct mrl_cgroup_names *names;

    if (!is_numbered(cgroup))
        return;
    names = bpf_ringbuf_reserve(&cgroup_changes, sizeof(*names), 0);
    if (!names)
        return;
    put_names(BPF_CORE_READ(cgroup, kn), names, flags);
    bpf_ringbuf_submit(names, 0);
}

/* Of the current task. `told` is that of its slot: a task mostly calls again from where it was. */
static __always_inline void tell_caller_cgroup(struct task_struct *task,
                                               __u64 id,
                                               __u32 lane,
                                               struct told_cgroup *told)
{
    /* Read before the look: what is added meanwhile makes the next call look again. */
    __u32 now = *(volatile __u32 *)&descriptions;

    if (told->id == id && told->lane == lane && told->descriptions == now)
        return;
    if (is_described(id, lane))
        *told = (struct told_cgroup){ id, lane, now };
    else
        describe_cgroup((__u64)cgroup_node(task), lane);
}

/* Of the process behind a descriptor of the current task. */
static __always_inline void tell_target_cgroup(struct task_struct *task, int pidfd, __u64 id)
{
    struct task_struct *leader;
    __u32 ignored = 0;

    if (is_described(id, MRL_LANE_RARE))
        return;
    leader = task_of_pidfd(task, pidfd, &ignored);
    if (leader)
        describe_cgroup((__u64)cgroup_node(leader), MRL_LANE_RARE);
}

#endif
