/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Extract: the memory of a process, its marks, and its counters of pages. */
#ifndef MRL_LIB_MM_H
#define MRL_LIB_MM_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "features.h"
#include "pidfd.h"
#include "settings.h"
#include "types.h"

/* include/linux/mm_types.h, sched/coredump.h before: the same bits since 4.15. */
#define MRL_MMF_OOM_SKIP (1UL << 21)
#define MRL_MMF_UNSTABLE (1UL << 22)

/* How often a sum of per-CPU parts is tried while other CPUs change it. */
#define MRL_SUM_TRIES 3

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

/*
 * A per-CPU counter: what was added up, and what each CPU keeps to itself. Exact when the former
 * was the same before and after: no CPU moved its part there meanwhile. percpu_counter_sum() takes
 * a lock for that.
 */
static __always_inline bool counter_sum(__s64 *count, __s32 *parts, __s64 *ret_sum)
{
    __s64 before = 0, after = 0, sum;
    __s32 part;

    for (int try = 0; try < MRL_SUM_TRIES; try++) {
        /* A lock is out of reach of a program, so the sum is tried anew instead, a few times only:
         * the verifier follows every turn of the loop. */
        bpf_probe_read_kernel(&before, sizeof(before), count);
        sum = before;
        for (__u32 cpu = 0; cpu < MRL_CPUS_MAX && cpu < settings.cpus; cpu++) {
            part = 0;
            bpf_probe_read_kernel(&part, sizeof(part), (void *)parts + settings.cpu_offsets[cpu]);
            sum += part;
        }
        bpf_probe_read_kernel(&after, sizeof(after), count);
        *ret_sum = sum;
        if (before == after)
            return true;
    }
    return false;
}

#define mrl_percpu_pages(mm, kind, ret_pages)                                 \
    counter_sum(__builtin_preserve_access_index(&(mm)->rss_stat[kind].count), \
                BPF_CORE_READ(mm, rss_stat[kind].counters), ret_pages)

/* Adds the parts of the counters that the threads of a process keep to themselves. False when
 * the mm has other users as well: their parts are not found here. */
static __always_inline bool add_task_parts(struct task_struct *leader,
                                           struct mm_struct *mm,
                                           struct mrl_pages *pages)
{
    struct signal_struct *signal = BPF_CORE_READ(leader, signal);
    struct list_head *entry = BPF_CORE_READ(signal, thread_head.next);
    int own = 0;

    for (int i = 0; i < MRL_THREADS_MAX && entry; i++) {
        struct task_struct *thread = mrl_container(entry, struct task_struct, thread_node);
        struct task_struct___before_6_2 *old = (void *)thread;

        if (entry == (void *)signal + bpf_core_field_offset(signal->thread_head))
            break;
        if (BPF_CORE_READ(thread, mm) == mm) {
            own++;
            pages->file += BPF_CORE_READ(old, rss_stat.count[0]);
            pages->anon += BPF_CORE_READ(old, rss_stat.count[1]);
            pages->swap += BPF_CORE_READ(old, rss_stat.count[2]);
            pages->shmem += BPF_CORE_READ(old, rss_stat.count[3]);
        }
        entry = BPF_CORE_READ(thread, thread_node.next);
    }
    return BPF_CORE_READ(mm, mm_users.counter) <= own;
}

/* Whether the counters are exact: a sum that nothing is missing from. `leader`: of its process. */
static __always_inline bool mm_pages(struct mm_struct *mm,
                                     struct task_struct *leader,
                                     struct mrl_pages *pages)
{
    struct mm_struct___before_6_2 *old = (void *)mm;
    /* 0 where the offsets of the CPUs were not found: the sum then lacks their parts. */
    bool exact = settings.cpus;

    if (kernel_counts_rss_per_cpu()) {
        exact &= mrl_percpu_pages(mm, 0, &pages->file);
        exact &= mrl_percpu_pages(mm, 1, &pages->anon);
        exact &= mrl_percpu_pages(mm, 2, &pages->swap);
        exact &= mrl_percpu_pages(mm, 3, &pages->shmem);
        return exact;
    }
    pages->file = BPF_CORE_READ(old, rss_stat.count[0].counter);
    pages->anon = BPF_CORE_READ(old, rss_stat.count[1].counter);
    pages->swap = BPF_CORE_READ(old, rss_stat.count[2].counter);
    pages->shmem = BPF_CORE_READ(old, rss_stat.count[3].counter);
    return !kernel_counts_rss_per_task() || (leader && add_task_parts(leader, mm, pages));
}

#endif
