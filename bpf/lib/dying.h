/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: whether a process is on its way out, and who else uses its memory, by the rules of
 * task_will_free_mem() in mm/oom_kill.c, on which the answer of process_mrelease depends.
 */
#ifndef MRL_LIB_DYING_H
#define MRL_LIB_DYING_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "features.h"
#include "pidfd.h"
#include "types.h"

#define MRL_SIGNAL_GROUP_EXIT 0x4      /* include/linux/sched/signal.h */
#define MRL_PF_EXITING        0x4      /* include/linux/sched.h */
#define MRL_PF_KTHREAD        0x200000 /* include/linux/sched.h */

/* A process whose last thread exits by itself is dying without the flag of a group exit. */
static __always_inline bool is_dying(struct task_struct *leader, struct signal_struct *signal)
{
    if (BPF_CORE_READ(signal, flags) & MRL_SIGNAL_GROUP_EXIT)
        return true;
    return BPF_CORE_READ(signal, nr_threads) == 1 &&
           (BPF_CORE_READ(leader, flags) & MRL_PF_EXITING);
}

static __always_inline bool is_dumping(struct signal_struct *signal, struct mm_struct *mm)
{
    if (kernel_has_dump_in_signal())
        return BPF_CORE_READ(signal, core_state);
    return BPF_CORE_READ((struct mm_struct___before_5_16 *)mm, core_state);
}

/*
 * Whether a mm has more users than the threads of its process. Each thread that still has the mm is
 * one; where there are more threads than are searched, all of them are taken to have it.
 */
static __always_inline bool is_shared(struct mm_struct *mm, struct signal_struct *signal)
{
    struct list_head *entry = BPF_CORE_READ(signal, thread_head.next);
    int threads = BPF_CORE_READ(signal, nr_threads), own = 0;
    struct task_struct *thread;

    for (int i = 0; i < MRL_THREADS_MAX && entry; i++) {
        if (entry == (void *)signal + bpf_core_field_offset(signal->thread_head))
            break;
        thread = mrl_container(entry, struct task_struct, thread_node);
        own += BPF_CORE_READ(thread, mm) == mm;
        entry = BPF_CORE_READ(thread, thread_node.next);
    }
    return BPF_CORE_READ(mm, mm_users.counter) > (threads > MRL_THREADS_MAX ? threads : own);
}

#endif
