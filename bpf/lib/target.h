/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: the target of a call, as plain values, at its entry and at its exit. The descriptor may
 * be swapped between our look and the kernel's: hence the TOCTOU tags of its fields. Where the
 * function that reaps can be probed (programs/reap.bpf.c), the mm that it works on is believed
 * more.
 */
#ifndef MRL_LIB_TARGET_H
#define MRL_LIB_TARGET_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "call.h"
#include "dying.h"
#include "exe.h"
#include "mm.h"
#include "pidfd.h"
#include "settings.h"
#include "task.h"
#include "types.h"

/* The path of the executable of call->mm. A global function, which the verifier looks at by itself:
 * in each program it would follow the loop for every way that leads to it. */
__noinline int read_target_exe(struct call *call)
{
    bool cut;

    if (!call)
        return 0;
    call->target.exe_bytes = target_path(call->mm, call->exe, &cut);
    if (cut)
        call->target.flags |= MRL_TARGET_EXE_CUT;
    return 0;
}

static __always_inline __s32 pid_seen_by(struct task_struct *leader, struct task_struct *viewer)
{
    struct pid *pid = BPF_CORE_READ(leader, thread_pid), *own = viewer->thread_pid;
    __u32 level = own->level;
    struct upid *seen;

    /* A process has a number in its own namespace and in all above it. In that of the viewer it has
     * one only when the viewer's is among these; else there is none to show. */
    if (BPF_CORE_READ(pid, level) < level)
        return 0;
    seen = upid_at(pid, level);
    return BPF_CORE_READ(seen, ns) == BPF_CORE_READ(upid_at(own, level), ns)
               ? BPF_CORE_READ(seen, nr)
               : 0;
}

static __always_inline void target_identity(struct task_struct *leader,
                                            struct task_struct *viewer,
                                            struct mrl_target *target)
{
    target->host_pid = BPF_CORE_READ(leader, tgid);
    target->pid = pid_seen_by(leader, viewer);
    target->uid = BPF_CORE_READ(leader, real_cred, uid.val);
    target->start_ns = BPF_CORE_READ(leader, start_boottime);
    target->cgroup_id = task_cgroup_id(leader, settings.cgroup_v1);
    target->threads = BPF_CORE_READ(leader, signal, nr_threads);
    BPF_CORE_READ_STR_INTO(&target->comm, leader, comm);
}

static __always_inline void target_memory(struct mm_struct *mm,
                                          struct task_struct *leader,
                                          struct mrl_target *target)
{
    if (!kernel_counts_rss_per_cpu())
        target->flags |= MRL_TARGET_PER_TASK;
    target->locked_pages = BPF_CORE_READ(mm, locked_vm);
    target->pagetable_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
    if (mm_pages(mm, leader, &target->before))
        target->flags |= MRL_TARGET_EXACT_RSS;
}

/* What only the extras want to know. */
static __always_inline void target_state(struct task_struct *leader,
                                         struct mm_struct *mm,
                                         struct mrl_target *target)
{
    struct signal_struct *signal = BPF_CORE_READ(leader, signal);

    target->flags |= MRL_TARGET_STATE;
    if (BPF_CORE_READ(leader, flags) & MRL_PF_KTHREAD)
        target->flags |= MRL_TARGET_KERNEL;
    if (!signal)
        return;
    target->exit_code = BPF_CORE_READ(signal, group_exit_code);
    if (is_dying(leader, signal))
        target->flags |= MRL_TARGET_DYING;
    if (is_dumping(signal, mm))
        target->flags |= MRL_TARGET_DUMPING;
    if (mm && is_shared(mm, signal))
        target->flags |= MRL_TARGET_SHARED;
}

/* Everything about the target that entry can tell; the call's target is zeroed. */
static __always_inline void target_at_entry(struct task_struct *current, struct call *call)
{
    struct mrl_target *target = &call->target;
    struct task_struct *leader = task_of_pidfd(current, (int)call->record.args[0], &target->flags);
    struct mm_struct *mm;
    unsigned long marks;

    call->mm = NULL;
    if (!leader)
        return;
    target->flags |= MRL_TARGET_FOUND;
    target_identity(leader, current, target);
    mm = mm_of_process(leader);
    if (settings.needs & MRL_NEED_TARGET)
        target_state(leader, mm, target);
    if (!mm)
        return;
    target->flags |= MRL_TARGET_MM;
    call->mm = mm;
    call->pgd = BPF_CORE_READ(mm, pgd);
    marks = mm_flags(mm);
    if (marks & MRL_MMF_OOM_SKIP)
        target->flags |= MRL_TARGET_OOM_SKIP;
    if (marks & MRL_MMF_UNSTABLE)
        target->flags |= MRL_TARGET_UNSTABLE;
    target_memory(mm, leader, target);
    read_target_exe(call);
}

/* The marks of the mm that was seen at entry. It may have been freed meanwhile: its contents are
 * believed when it still has the same page table. */
static __always_inline void marks_at_exit(const struct call *call, struct mrl_target *target)
{
    struct mm_struct *mm = call->mm;
    unsigned long marks;

    if (!mm)
        return;
    marks = mm_flags(mm);
    if (BPF_CORE_READ(mm, pgd) != call->pgd)
        return;
    target->flags |= MRL_TARGET_MM_AFTER;
    if (marks & MRL_MMF_OOM_SKIP)
        target->flags |= MRL_TARGET_SKIP_AFTER;
    if (marks & MRL_MMF_UNSTABLE)
        target->flags |= MRL_TARGET_UNSTABLE_AFTER;
}

static __always_inline void state_at_exit(struct task_struct *leader, struct mrl_target *target)
{
    struct signal_struct *signal = BPF_CORE_READ(leader, signal);

    if (is_dying(leader, signal))
        target->flags |= MRL_TARGET_DYING_AFTER;
    if (is_dumping(signal, mm_of_process(leader)))
        target->flags |= MRL_TARGET_DUMPING_AFTER;
}

/* When the mm goes away while its counters are read, they belong to no moment. The process then
 * has no memory left, and 0 is what is told. */
static __always_inline void pages_at_exit(struct task_struct *leader, struct mrl_target *target)
{
    struct mm_struct *mm = mm_of_process(leader);
    bool exact;

    if (!mm)
        return;
    exact = mm_pages(mm, leader, &target->after);
    if (mm_of_process(leader) != mm)
        __builtin_memset(&target->after, 0, sizeof(target->after));
    else if (!exact)
        target->flags &= ~MRL_TARGET_EXACT_RSS;
}

/*
 * What is left at exit. The process is found anew through the descriptor: only one that is the same
 * at both ends is believed. No mm means that nothing is left.
 */
static __always_inline void target_at_exit(struct task_struct *current, struct call *call)
{
    struct mrl_target *target = &call->target;
    struct task_struct *leader;
    __u32 ignored = 0;

    /* The kernel found no process behind the descriptor, whatever was seen here: an older kernel
     * does not know the numbers that mean the caller itself. */
    if (call->record.ret == -MRL_EBADF) {
        __builtin_memset(target, 0, sizeof(*target));
        return;
    }
    if (!(target->flags & MRL_TARGET_FOUND))
        return;
    marks_at_exit(call, target);
    leader = task_of_pidfd(current, (int)call->record.args[0], &ignored);
    /* The number alone is used again; with the start time it names one process. */
    if (!leader || BPF_CORE_READ(leader, tgid) != target->host_pid ||
        BPF_CORE_READ(leader, start_boottime) != target->start_ns)
        return;
    target->flags |= MRL_TARGET_AFTER;
    if (settings.needs & MRL_NEED_TARGET)
        state_at_exit(leader, target);
    if (!(target->flags & MRL_TARGET_COUNTED))
        pages_at_exit(leader, target);
}

#endif
