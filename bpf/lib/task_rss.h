/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: what each thread keeps to itself of the page counters of its mm. Before 6.2 a thread
 * adds up its page faults and tells the mm every 64 of them (SPLIT_RSS_COUNTING in
 * include/linux/mm_types_task.h), so the mm's own counters lack up to some hundred pages per
 * thread.
 */
#ifndef MRL_LIB_TASK_RSS_H
#define MRL_LIB_TASK_RSS_H

#include <bpf/bpf_core_read.h>

#include "abi/record.h"
#include "exe.h"
#include "types.h"

static __always_inline void add_task_pages(struct task_struct *thread, struct mrl_pages *pages)
{
    struct task_struct___before_6_2 *old = (void *)thread;

    pages->file += BPF_CORE_READ(old, rss_stat.count[0]);
    pages->anon += BPF_CORE_READ(old, rss_stat.count[1]);
    pages->swap += BPF_CORE_READ(old, rss_stat.count[2]);
    pages->shmem += BPF_CORE_READ(old, rss_stat.count[3]);
}

/* Adds the parts of the threads of a process that still use the mm. Returns whether it saw all. */
static __always_inline bool add_thread_pages(struct task_struct *leader,
                                             struct mm_struct *mm,
                                             struct mrl_pages *pages)
{
    struct signal_struct *signal = BPF_CORE_READ(leader, signal);
    struct list_head *entry;
    struct task_struct *thread;

    if (!signal)
        return false;
    entry = BPF_CORE_READ(signal, thread_head.next);
    for (int i = 0; i < MRL_THREADS_MAX && entry; i++) {
        if (entry == (void *)signal + bpf_core_field_offset(signal->thread_head))
            return true;
        thread = mrl_container(entry, struct task_struct, thread_node);
        if (BPF_CORE_READ(thread, mm) == mm)
            add_task_pages(thread, pages);
        entry = BPF_CORE_READ(thread, thread_node.next);
    }
    return false;
}

#endif
