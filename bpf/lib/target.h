/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: the process that a pidfd of the current task points to, as plain values. These calls are
 * rare and the objects are not reached through BTF pointers alone, so reads go through probe_read:
 * any of them may be freed under our eyes, and then yields zero or garbage but no fault. The
 * descriptor may be swapped between our look and the kernel's: hence the TOCTOU tags in events.def.
 */
#ifndef MRL_LIB_TARGET_H
#define MRL_LIB_TARGET_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "exe.h"
#include "features.h"
#include "task.h"
#include "task_rss.h"
#include "types.h"

#define MRL_PIDFS_MAGIC        0x50494446 /* include/uapi/linux/magic.h: "PIDF" */
#define MRL_PIDFD_SELF_THREAD  -10000     /* include/uapi/linux/pidfd.h, 6.15 */
#define MRL_PIDFD_SELF_THREADS -10001
#define MRL_MMF_OOM_SKIP       (1UL << 21) /* include/linux/mm_types.h */
#define MRL_PIDFD_NAME         "[pidfd]"   /* the anonymous inode's dentry before pidfs */

static __always_inline bool file_is_old_pidfd(struct file *file)
{
    char name[sizeof(MRL_PIDFD_NAME)] = {};

    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
    return !__builtin_memcmp(name, MRL_PIDFD_NAME, sizeof(name));
}

/* 6.9 moved pidfds to pidfs, whose inodes hold the struct pid; before, the file itself held it. */
static __always_inline struct pid *pid_of_file(struct file *file)
{
    if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == MRL_PIDFS_MAGIC)
        return BPF_CORE_READ(file, f_inode, i_private);
    if (file_is_old_pidfd(file))
        return BPF_CORE_READ(file, private_data);
    return NULL;
}

static __always_inline struct task_struct *task_of_pid(struct pid *pid)
{
    struct hlist_node *first = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);

    return first ? mrl_container(first, struct task_struct, pid_links[PIDTYPE_TGID]) : NULL;
}

/* The thread group leader behind a descriptor of the current task, or NULL. */
static __always_inline struct task_struct *task_of_pidfd(struct task_struct *current, int pidfd)
{
    struct file **slots, *file = NULL;
    struct fdtable *table;
    struct pid *pid;

    if (pidfd == MRL_PIDFD_SELF_THREAD || pidfd == MRL_PIDFD_SELF_THREADS)
        return BPF_CORE_READ(current, group_leader);
    if (pidfd < 0)
        return NULL;
    table = BPF_CORE_READ(current, files, fdt);
    if ((__u32)pidfd >= BPF_CORE_READ(table, max_fds))
        return NULL;
    slots = BPF_CORE_READ(table, fd);
    bpf_probe_read_kernel(&file, sizeof(file), slots + pidfd);
    if (!file)
        return NULL;
    pid = pid_of_file(file);
    return pid ? task_of_pid(pid) : NULL;
}

/* The mm of a process: its leader's, or that of a thread which still has one. */
static __always_inline struct mm_struct *mm_of_process(struct task_struct *leader)
{
    struct mm_struct *mm = BPF_CORE_READ(leader, mm);
    struct signal_struct *signal;
    struct list_head *entry;
    struct task_struct *thread;

    if (mm)
        return mm;
    signal = BPF_CORE_READ(leader, signal);
    if (!signal)
        return NULL;
    entry = BPF_CORE_READ(signal, thread_head.next);
    for (int i = 0; i < MRL_THREADS_MAX && entry; i++) {
        thread = mrl_container(entry, struct task_struct, thread_node);
        if (entry == (void *)signal + bpf_core_field_offset(signal->thread_head))
            return NULL;
        mm = BPF_CORE_READ(thread, mm);
        if (mm)
            return mm;
        entry = BPF_CORE_READ(thread, thread_node.next);
    }
    return NULL;
}

static __always_inline unsigned long mm_flags(struct mm_struct *mm)
{
    if (kernel_has_mm_flags_bitmap())
        return BPF_CORE_READ((struct mm_struct___since_6_18 *)mm, flags.__mm_flags[0]);
    return BPF_CORE_READ(mm, flags);
}

static __always_inline void mm_pages(struct mm_struct *mm, struct mrl_pages *pages)
{
    if (kernel_counts_rss_per_cpu()) {
        pages->file = BPF_CORE_READ(mm, rss_stat[0].count);
        pages->anon = BPF_CORE_READ(mm, rss_stat[1].count);
        pages->swap = BPF_CORE_READ(mm, rss_stat[2].count);
        pages->shmem = BPF_CORE_READ(mm, rss_stat[3].count);
    } else {
        struct mm_struct___before_6_2 *old = (void *)mm;

        pages->file = BPF_CORE_READ(old, rss_stat.count[0].counter);
        pages->anon = BPF_CORE_READ(old, rss_stat.count[1].counter);
        pages->swap = BPF_CORE_READ(old, rss_stat.count[2].counter);
        pages->shmem = BPF_CORE_READ(old, rss_stat.count[3].counter);
    }
}

/*
 * The pages of a process, with the parts that its threads keep. Whether they are exact: not where
 * CPUs keep parts, nor when a thread told the mm its part while they were read.
 */
static __always_inline bool process_pages(struct task_struct *leader,
                                          struct mm_struct *mm,
                                          struct mrl_pages *pages)
{
    struct mrl_pages before, after = {};

    mm_pages(mm, pages);
    if (kernel_counts_rss_per_cpu())
        return false;
    if (!kernel_counts_rss_per_task())
        return true;
    before = *pages;
    if (!add_thread_pages(leader, mm, pages))
        return false;
    mm_pages(mm, &after);
    return before.file == after.file && before.anon == after.anon && before.swap == after.swap &&
           before.shmem == after.shmem;
}

static __always_inline void target_exe(struct mm_struct *mm, struct mrl_target *target, char *exe)
{
    bool cut;

    target->exe_bytes = exe_steps(mm, exe, &cut);
    if (cut)
        target->flags |= MRL_TARGET_EXE_CUT;
}

static __always_inline __s32 pid_seen_by(struct task_struct *leader, struct task_struct *viewer)
{
    struct pid *pid = BPF_CORE_READ(leader, thread_pid), *own = viewer->thread_pid;
    __u32 level = own->level;
    struct upid *seen;

    if (BPF_CORE_READ(pid, level) < level)
        return 0;
    seen = upid_at(pid, level);
    return BPF_CORE_READ(seen, ns) == BPF_CORE_READ(upid_at(own, level), ns)
               ? BPF_CORE_READ(seen, nr)
               : 0;
}

/* Everything about the target that entry can tell; target is zeroed, exe has room for the path. */
static __always_inline void target_at_entry(
    struct task_struct *current, int pidfd, bool cgroup_v1, struct mrl_target *target, char *exe)
{
    struct task_struct *leader = task_of_pidfd(current, pidfd);
    struct mm_struct *mm;

    if (!leader)
        return;
    target->flags = MRL_TARGET_FOUND;
    target->host_pid = BPF_CORE_READ(leader, tgid);
    target->pid = pid_seen_by(leader, current);
    target->uid = BPF_CORE_READ(leader, real_cred, uid.val);
    target->start_ns = BPF_CORE_READ(leader, start_boottime);
    target->cgroup_id = task_cgroup_id(leader, cgroup_v1);
    BPF_CORE_READ_STR_INTO(&target->comm, leader, comm);
    mm = mm_of_process(leader);
    if (!mm)
        return;
    target->flags |= MRL_TARGET_MM;
    if (mm_flags(mm) & MRL_MMF_OOM_SKIP)
        target->flags |= MRL_TARGET_OOM_SKIP;
    target->locked_pages = BPF_CORE_READ(mm, locked_vm);
    target->pagetable_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
    if (process_pages(leader, mm, &target->before))
        target->flags |= MRL_TARGET_EXACT_RSS;
    target_exe(mm, target, exe);
}

/*
 * What is left at exit. The mm seen at entry may be freed by now, so it is found anew through the
 * descriptor, and found again after its counters were read: only a process that is the same at both
 * ends is believed. No mm means that nothing is left.
 */
static __always_inline void target_at_exit(struct task_struct *current,
                                           int pidfd,
                                           struct mrl_target *target)
{
    struct task_struct *leader = task_of_pidfd(current, pidfd);
    struct mm_struct *mm;

    if (!(target->flags & MRL_TARGET_FOUND) || !leader ||
        BPF_CORE_READ(leader, tgid) != target->host_pid ||
        BPF_CORE_READ(leader, start_boottime) != target->start_ns)
        return;
    target->flags |= MRL_TARGET_AFTER;
    mm = mm_of_process(leader);
    if (!mm)
        return;
    if (!process_pages(leader, mm, &target->after))
        target->flags &= ~MRL_TARGET_EXACT_RSS;
    if (mm_of_process(leader) != mm)
        __builtin_memset(&target->after, 0, sizeof(target->after));
}

#endif
