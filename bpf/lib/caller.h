/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The path of the caller's executable, when it is asked for. A walk up the directories costs more
 * than all the rest of a call, so each task walks once per program that it executes, and keeps what
 * it found: an executable that is renamed afterwards keeps its old path, as it does with Tracee.
 */
#ifndef MRL_LIB_CALLER_H
#define MRL_LIB_CALLER_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "call.h"
#include "exe.h"
#include "types.h"

struct caller {
    __u64 exe_file; /* what the path was read of; only compared */
    __u64 exec_id;  /* counts the programs that the task executed */
    __u32 exe_bytes;
    __u32 flags; /* 0 or MRL_RECORD_EXE_CUT */
    /* A copy of the call's record, perhaps with its locks, and the path behind it: what is
     * submitted is one piece. */
    struct small_call copy;
    char exe[MRL_EXE_BYTES + MRL_STEP_BYTES];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct caller);
} callers SEC(".maps");

/*
 * A global function, which the verifier looks at once and by itself: within each exit program the
 * loop would be followed for every way that leads to it.
 */
__noinline int read_caller(struct caller *caller)
{
    bool cut;

    if (!caller)
        return 0;
    caller->exe_bytes = target_path(bpf_get_current_task_btf()->mm, caller->exe, &cut);
    caller->flags = cut ? MRL_RECORD_EXE_CUT : 0;
    return 0;
}

/* The current task's caller with its path, or NULL when the kernel has no memory for it. */
static __always_inline struct caller *current_caller(struct task_struct *task)
{
    struct caller *caller =
        bpf_task_storage_get(&callers, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct mm_struct *mm = task->mm;
    __u64 exe_file;

    if (!caller)
        return NULL;
    exe_file = mm ? (__u64)mm->exe_file : 0;
    if (exe_file && (caller->exe_file != exe_file || caller->exec_id != task->self_exec_id)) {
        read_caller(caller);
        caller->exe_file = exe_file;
        caller->exec_id = task->self_exec_id;
    }
    return caller;
}

/* The verifier forgets such a bound when the value goes through memory. */
static __always_inline __u64 caller_exe_bytes(const struct caller *caller)
{
    __u64 bytes = caller->exe_bytes;

    asm volatile("" : "+r"(bytes));
    return bytes > MRL_EXE_BYTES ? MRL_EXE_BYTES : bytes;
}

/* The call's record with the path behind it; the record stays as it is. */
static __always_inline struct mrl_record *record_with_exe(struct caller *caller,
                                                          const struct mrl_record *record)
{
    struct mrl_record *copy = (void *)caller->exe - sizeof(*copy);

    *copy = *record;
    copy->flags |= caller->flags;
    copy->exe_bytes = caller_exe_bytes(caller);
    return copy;
}

/* The same with what was locked in between. */
static __always_inline struct mrl_record *locks_with_exe(struct caller *caller,
                                                         const struct small_call *call)
{
    caller->copy = *call;
    caller->copy.record.flags |= caller->flags;
    caller->copy.record.exe_bytes = caller_exe_bytes(caller);
    return &caller->copy.record;
}

#endif
