/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every question that the probes ask of the running kernel's types, with the version that changed
 * the answer. CO-RE fills the answers in at load time; the verifier drops the branch not taken.
 */
#ifndef MRL_LIB_FEATURES_H
#define MRL_LIB_FEATURES_H

#include <bpf/bpf_core_read.h>

#include "types.h"

/* 6.2: mm->rss_stat became an array of per-CPU counters; before, an array of atomics in a struct.
 */
static __always_inline bool kernel_counts_rss_per_cpu(void)
{
    return !bpf_core_field_exists(((struct mm_struct___before_6_2 *)0)->rss_stat.count);
}

/* Until 6.2 a task kept what its last faults had changed to itself. */
static __always_inline bool kernel_counts_rss_per_task(void)
{
    return bpf_core_field_exists(((struct task_struct___before_6_2 *)0)->rss_stat.count);
}

/* 6.18: mm->flags became a bitmap in a struct of its own; before, one unsigned long. */
static __always_inline bool kernel_has_mm_flags_bitmap(void)
{
    return bpf_core_field_exists(((struct mm_struct___since_6_18 *)0)->flags.__mm_flags);
}

/* 5.16: a core dump in progress shows in the signal_struct; before, in the mm. */
static __always_inline bool kernel_has_dump_in_signal(void)
{
    return bpf_core_field_exists(((struct signal_struct *)0)->core_state);
}

/* 6.15: a kernfs node's parent is read under RCU, and has another name for that. */
static __always_inline bool kernel_has_kernfs_parent(void)
{
    return bpf_core_field_exists(((struct kernfs_node *)0)->parent);
}

/* Only with memory control groups does a mm know its process. */
static __always_inline bool kernel_has_mm_owner(void)
{
    return bpf_core_field_exists(((struct mm_struct *)0)->owner);
}

#endif
