// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Around the function that releases the memory, on kernels that let it be probed: it is handed the
 * very mm, so no swapped descriptor can mislead here. An object of its own beside the probes, whose
 * calls in flight it shares: where it does not load, they work without.
 *
 * The oom_reaper's thread calls the function too, but is in no call of process_mrelease.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi/record.h"
#include "lib/call.h"
#include "lib/features.h"
#include "lib/mm.h"
#include "lib/settings.h"
#include "lib/target.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void *first_argument(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return (void *)regs->di;
#else
    return (void *)regs->user_regs.regs[0];
#endif
}

/* Busy for the task until leave(). */
static __always_inline struct call *call_in_flight(struct task_struct *task)
{
    int at = target_calls__own(task->pid);
    struct call *call = at < 0 ? NULL : bpf_map_lookup_elem(&target_calls, &at);

    if (!call || call->record.flags & MRL_CALL_OPEN)
        return call;
    set_owner(&call->owner, task->pid);
    return NULL;
}

static __always_inline void leave(struct task_struct *task, struct call *call)
{
    set_owner(&call->owner, task->pid);
}

/* The process of an mm, while it has one. */
static __always_inline struct task_struct *owner_of(struct mm_struct *mm)
{
    struct task_struct *owner = NULL;

    if (kernel_has_mm_owner())
        owner = BPF_CORE_READ(mm, owner);
    return owner ? BPF_CORE_READ(owner, group_leader) : NULL;
}

/* The descriptor was swapped after our look: all that was seen is of somebody else. */
static __always_inline void look_anew(struct task_struct *task,
                                      struct task_struct *leader,
                                      struct mm_struct *mm,
                                      struct call *call)
{
    /* These are about the probes and the kernel, not about the target: they outlive it. */
    __u32 kept = call->target.flags & (MRL_TARGET_WATCHED | MRL_TARGET_REAP_KILL);

    __builtin_memset(&call->target, 0, sizeof(call->target));
    call->target.flags = kept | MRL_TARGET_FOUND | MRL_TARGET_MM;
    target_identity(leader, task, &call->target);
    if (settings.needs & MRL_NEED_TARGET)
        target_state(leader, mm, &call->target);
    call->mm = mm;
    read_target_exe(call);
    call->mm = NULL; /* not counted yet */
}

static __always_inline void see_reaping(struct task_struct *task,
                                        struct mm_struct *mm,
                                        struct call *call)
{
    struct task_struct *leader = owner_of(mm);
    unsigned long marks;
    bool same;

    if (leader && (!(call->target.flags & MRL_TARGET_FOUND) ||
                   BPF_CORE_READ(leader, tgid) != call->target.host_pid ||
                   BPF_CORE_READ(leader, start_boottime) != call->target.start_ns))
        look_anew(task, leader, mm, call);
    if (leader)
        call->target.flags |= MRL_TARGET_PROVEN;
    else if (mm != call->mm)
        return; /* without an owner, nothing says whose memory this is */
    same = mm == call->mm;
    /* target_at_exit() reads the marks of this mm, and asks its page table whether it is the same
     * still. */
    call->mm = mm;
    call->pgd = BPF_CORE_READ(mm, pgd);
    marks = mm_flags(mm);
    if (marks & MRL_MMF_UNSTABLE)
        call->target.flags |= MRL_TARGET_UNSTABLE;
    call->target.flags |= MRL_TARGET_MM | MRL_TARGET_REAPED;
    if (same)
        return; /* counted at entry: what the dying process freed since came back as well */
    call->target.flags &= ~MRL_TARGET_EXACT_RSS;
    target_memory(mm, leader, &call->target);
}

static __always_inline int reap_enter(struct mm_struct *mm)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct call *call = call_in_flight(task);

    if (!call)
        return 0;
    see_reaping(task, mm, call);
    leave(task, call);
    return 0;
}

/* The mm is the one that reap_enter() saw, since a task reaps one at a time. */
static __always_inline int reap_exit(void)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct call *call = call_in_flight(task);

    if (!call)
        return 0;
    if (call->target.flags & MRL_TARGET_REAPED && call->mm) {
        /* Here the function has just ended, and the mm is still held by the call. At the exit of
         * the system call it may be gone. */
        if (!mm_pages(call->mm, owner_of(call->mm), &call->target.after))
            call->target.flags &= ~MRL_TARGET_EXACT_RSS;
        call->target.flags |= MRL_TARGET_AFTER | MRL_TARGET_COUNTED;
    }
    leave(task, call);
    return 0;
}

SEC("fentry/__oom_reap_task_mm")
int BPF_PROG(fentry__reap_enter, struct mm_struct *mm)
{
    return reap_enter(mm);
}

SEC("fexit/__oom_reap_task_mm")
int BPF_PROG(fentry__reap_exit, struct mm_struct *mm)
{
    return reap_exit();
}

SEC("kprobe/__oom_reap_task_mm")
int kprobe__reap_enter(struct pt_regs *ctx)
{
    return reap_enter(first_argument(ctx));
}

SEC("kretprobe/__oom_reap_task_mm")
int kprobe__reap_exit(void *ctx)
{
    return reap_exit();
}
