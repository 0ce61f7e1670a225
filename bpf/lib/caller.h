/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The path of the caller's executable, when it is asked for. A walk up the directories costs more
 * than all the rest of a call, so a process walks once per program that it executes, and what it
 * found is kept in a table of a fixed size: an executable that is renamed afterwards keeps its old
 * path, as it does with Tracee, until another process needs the place.
 */
#ifndef MRL_LIB_CALLER_H
#define MRL_LIB_CALLER_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "call.h"
#include "exe.h"
#include "types.h"

enum { MRL_CALLERS = 256, MRL_CALLER_WAYS = 4 }; /* powers of two */

/* A copy of the call's record, perhaps with its locks: what is submitted is one piece. */
struct judged_record {
    struct mrl_record record;
    struct mrl_judgement judgement;
};

struct record_copy {
    struct judged_record judged;
    struct mrl_locks locks;
};

struct caller {
    __u64 busy;     /* a program works with it: nobody else may */
    __u64 exe_file; /* what the path was read of; only compared */
    __u64 exec_id;  /* counts the programs that the process executed */
    __u64 start_ns; /* of the process */
    __u32 pid;
    __u32 exe_bytes;
    __u32 flags; /* 0 or MRL_RECORD_EXE_CUT */
    __u32 reserved;
    struct record_copy copy; /* and the path behind it */
    char exe[MRL_EXE_BYTES + MRL_STEP_BYTES];
};

/* The size is set before the load; 1 where nobody asks for paths. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MRL_CALLERS);
    __type(key, __u32);
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

static __always_inline bool is_caller(const struct caller *caller,
                                      struct task_struct *task,
                                      __u64 exe_file)
{
    return caller->pid == (__u32)task->tgid && caller->exe_file == exe_file &&
           caller->exec_id == task->self_exec_id &&
           caller->start_ns == task->group_leader->start_boottime;
}

/* A place that is busy for the task: that of its process, or, with `any`, another's, by chance:
 * two processes whose places are the same do not drive out each other at each call. */
static __always_inline int find_caller(struct task_struct *task, __u64 exe_file, bool any)
{
    __u32 first = task_hash(task->tgid), skip = any ? bpf_get_prandom_u32() : 0;

    for (__u32 i = 0; i < MRL_CALLER_WAYS; i++) {
        __u32 at = (first + ((skip + i) & (MRL_CALLER_WAYS - 1))) & (MRL_CALLERS - 1);
        struct caller *caller = bpf_map_lookup_elem(&callers, &at);

        if (!caller || (!any && !is_caller(caller, task, exe_file)) ||
            __sync_val_compare_and_swap(&caller->busy, 0, 1))
            continue;
        if (any || is_caller(caller, task, exe_file))
            return at;
        __sync_lock_test_and_set(&caller->busy, 0); /* somebody else's by now */
    }
    return -1;
}

__noinline int caller_place(void)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct mm_struct *mm = task->mm;
    __u64 exe_file = mm ? (__u64)mm->exe_file : 0;
    struct caller *caller;
    int at = find_caller(task, exe_file, false);

    if (at >= 0)
        return at;
    at = find_caller(task, exe_file, true);
    if (at < 0)
        return -1;
    caller = bpf_map_lookup_elem(&callers, &at);
    if (!caller)
        return -1;
    caller->pid = task->tgid;
    caller->exec_id = task->self_exec_id;
    caller->start_ns = task->group_leader->start_boottime;
    caller->exe_file = exe_file;
    read_caller(caller);
    return at;
}

/* The current task's caller with its path, busy for it until leave_caller(); or NULL where those
 * that it might have are all busy. */
static __always_inline struct caller *current_caller(void)
{
    int at = caller_place();

    return at < 0 ? NULL : bpf_map_lookup_elem(&callers, &at);
}

static __always_inline void leave_caller(struct caller *caller)
{
    __sync_lock_test_and_set(&caller->busy, 0);
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
    struct judged_record *copy = (void *)caller->exe - sizeof(*copy);

    *copy = *(const struct judged_record *)record;
    copy->record.flags |= caller->flags;
    copy->record.exe_bytes = caller_exe_bytes(caller);
    return &copy->record;
}

/* The same with what was locked in between. */
static __always_inline struct mrl_record *locks_with_exe(struct caller *caller,
                                                         const struct small_call *call)
{
    struct mrl_record *copy = &caller->copy.judged.record;

    caller->copy.judged = *(const struct judged_record *)&call->record;
    caller->copy.locks = call->locks;
    copy->flags |= caller->flags;
    copy->exe_bytes = caller_exe_bytes(caller);
    return copy;
}

#endif
