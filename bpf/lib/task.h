/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: a task's identity as plain values. The task is always the current one, reached through
 * BTF pointers, so members are followed as in C: each is one load with a fault handler, where a
 * probe_read helper costs several times that.
 */
#ifndef MRL_LIB_TASK_H
#define MRL_LIB_TASK_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

/* Namespaces nest 32 deep (MAX_PID_NS_LEVEL), and an entry takes 16 bytes. */
#define MRL_PID_OFFSET_MASK 1023

#define MRL_PF_FORKNOEXEC 0x40 /* include/linux/sched.h: forked, and has executed nothing */

/*
 * The entry of a pid for one level of namespaces. The verifier of 6.1 refuses to add an unbounded
 * number to a BTF pointer, and forgets bounds in a product: hence the mask behind it, which the
 * compiler must not see through. Every verifier wants such an address to be read by probe_read.
 */
static __always_inline struct upid *upid_at(struct pid *pid, __u64 level)
{
    __u64 offset = level * bpf_core_type_size(struct upid);

    asm volatile("" : "+r"(offset));
    return (void *)pid + bpf_core_field_offset(pid->numbers) + (offset & MRL_PID_OFFSET_MASK);
}

/* Number of a pid in its own, innermost namespace. */
static __always_inline __u32 pid_number(struct pid *pid)
{
    if (!pid)
        return 0;
    if (!pid->level)
        return pid->numbers[0].nr;
    return BPF_CORE_READ(upid_at(pid, pid->level), nr);
}

/* Inode number of the PID namespace that a pid is innermost in. */
static __always_inline __u32 pid_namespace_of(struct pid *pid)
{
    if (!pid)
        return 0;
    if (!pid->level)
        return pid->numbers[0].ns->ns.inum;
    return BPF_CORE_READ(upid_at(pid, pid->level), ns, ns.inum);
}

static __always_inline __u64 task_cgroup_id(struct task_struct *task, bool cgroup_v1)
{
    if (cgroup_v1)
        return BPF_CORE_READ(task, cgroups, subsys[0], cgroup, kn, id);
    return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

/*
 * Whether a container is being set up: its first process is a fork of the runtime that has executed
 * nothing yet. Within a container anybody may make a PID namespace whose first process never does,
 * hence the outermost but the host's; and where the host's is shared, that is such a one. Its
 * parent is in the container, as a runtime's is not. Of the process's first thread: another may
 * have taken its place, and no thread executes anything.
 */
static __always_inline __u8 container_state(struct task_struct *task,
                                            __u64 cgroup_id,
                                            bool cgroup_v1)
{
    struct pid_namespace *namespace = task->nsproxy->pid_ns_for_children;
    struct pid *pid = task->thread_pid;
    struct task_struct *first;

    if (!pid || !pid->level)
        return 0;
    /* The namespace for a task's children is its own or within that. Where both are the outermost,
     * one look suffices, without a helper. */
    if (pid->level == 1 && namespace->level == 1 &&
        !(namespace->child_reaper->group_leader->flags & MRL_PF_FORKNOEXEC))
        return 0;
    first = BPF_CORE_READ(upid_at(pid, 1), ns, child_reaper, group_leader);
    if (!first || !(BPF_CORE_READ(first, flags) & MRL_PF_FORKNOEXEC) ||
        task_cgroup_id(BPF_CORE_READ(first, real_parent), cgroup_v1) == cgroup_id)
        return 0;
    return MRL_CONTAINER_STARTING;
}

/*
 * 16 bytes of a name that is at least as long, the last of them cleared. Two loads, where the
 * helpers for strings cost ten times that; bytes behind the name's NUL come along and mean nothing.
 */
static __always_inline void copy_name(char name[MRL_NAME_BYTES], const char *from)
{
    const __u64 *words = (const __u64 *)from;

    ((__u64 *)name)[0] = words[0];
    ((__u64 *)name)[1] = words[1];
    name[MRL_NAME_BYTES - 1] = '\0';
}

static __always_inline void task_identity(struct task_struct *task, struct mrl_record *record)
{
    struct task_struct *leader = task->group_leader;
    struct task_struct *parent = leader->real_parent->group_leader;
    struct nsproxy *namespaces = task->nsproxy;
    __u32 parent_pid_ns = pid_namespace_of(parent->thread_pid);

    record->pid_ns = pid_namespace_of(task->thread_pid);
    record->tid = pid_number(task->thread_pid);
    record->pid = pid_number(leader->thread_pid);
    record->ppid = parent_pid_ns == record->pid_ns ? pid_number(parent->thread_pid) : 0;
    record->host_tid = task->pid;
    record->host_pid = task->tgid;
    record->host_ppid = parent->tgid;
    record->uid = task->cred->uid.val;
    record->mount_ns = namespaces->mnt_ns->ns.inum;
    record->thread_start_ns = task->start_boottime;
    record->leader_start_ns = leader->start_boottime;
    record->parent_start_ns = parent->start_boottime;
    copy_name(record->comm, task->comm);
    copy_name(record->host_name, namespaces->uts_ns->name.nodename);
}

#endif
