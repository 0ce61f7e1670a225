/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Extract: what the current process has locked, and may. Through BTF pointers: it is the current
 * task. */
#ifndef MRL_LIB_LOCKS_H
#define MRL_LIB_LOCKS_H

#include "abi/record.h"
#include "types.h"

#define MRL_RLIMIT_MEMLOCK 8 /* include/uapi/asm-generic/resource.h */

static __always_inline void locks_at_entry(struct task_struct *task, struct mrl_locks *locks)
{
    /* A load through a BTF pointer has a fault handler: through NULL it yields 0. */
    locks->before_pages = task->mm->locked_vm;
}

static __always_inline void locks_at_exit(struct task_struct *task,
                                          bool entered,
                                          struct mrl_locks *locks)
{
    if (!entered)
        locks->before_pages = MRL_LOCKS_UNKNOWN;
    locks->after_pages = task->mm->locked_vm;
    locks->limit_bytes = task->signal->rlim[MRL_RLIMIT_MEMLOCK].rlim_cur;
}

#endif
