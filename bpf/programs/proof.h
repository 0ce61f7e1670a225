/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which calls are proofs: made by a sensor to see whether its probes see, and events for nobody.
 * A secret alone would do until somebody learns it: our own are believed of a child of ours, while
 * we prove. Those of another sensor, and what doctor tries, are known by a number that is no
 * secret, and are believed of who may load programs like these: such calls do nothing, but for
 * munlockall, or release the memory of the caller's own child.
 */
#ifndef MRL_PROGRAMS_PROOF_H
#define MRL_PROGRAMS_PROOF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "lib/pidfd.h"
#include "lib/settings.h"
#include "lib/task.h"
#include "lib/types.h"

#define MRL_INITIAL_USER_NS 4026531837U /* PROC_USER_INIT_INO, include/linux/proc_ns.h */
#define MRL_CAP_SYS_ADMIN   (1ULL << 21)
#define MRL_CAPS_TO_LOAD    (1ULL << 38 | 1ULL << 39) /* CAP_PERFMON, CAP_BPF */

/* Of the process that proves, in its PID namespace, and that; 0: nobody proves, no matter which. */
__u32 prover_pid;
__u32 prover_pid_ns;

/* Of our own, per event: those of other sensors may come in between. And of these the ones whose
 * entry was seen: a filter refuses a call before that, and what stands at its end sees it still. */
__u64 own_proofs[MRL_EVENT_COUNT];
__u64 own_entries[MRL_EVENT_COUNT];

static __always_inline void count_own_proof(int event, bool entered)
{
    if (event < 0 || event >= MRL_EVENT_COUNT)
        return;
    __sync_fetch_and_add(&own_proofs[event], 1);
    if (entered)
        __sync_fetch_and_add(&own_entries[event], 1);
}

enum proof { NO_PROOF, OWN_PROOF, FOREIGN_PROOF };

static __always_inline bool is_child_of_prover(struct task_struct *task)
{
    struct task_struct *parent = task->group_leader->real_parent->group_leader;

    return prover_pid && pid_number(parent->thread_pid) == prover_pid &&
           (!prover_pid_ns || pid_namespace_of(parent->thread_pid) == prover_pid_ns);
}

static __always_inline bool may_load_programs(struct task_struct *task)
{
    const struct cred *cred = task->cred;
    __u64 held = 0;

    if (BPF_CORE_READ(cred, user_ns, ns.inum) != MRL_INITIAL_USER_NS)
        return false;
    /* Two words of 32 bits until 6.3, one of 64 since: the same bytes. */
    bpf_probe_read_kernel(&held, sizeof(held), &cred->cap_effective);
    return held & MRL_CAP_SYS_ADMIN || (held & MRL_CAPS_TO_LOAD) == MRL_CAPS_TO_LOAD;
}

/* Of who makes such a call it is the child until it has waited for it. */
static __always_inline bool is_own_child(struct task_struct *task, int pidfd)
{
    __u32 flags = 0;
    struct task_struct *child = task_of_pidfd(task, pidfd, &flags);

    return child &&
           BPF_CORE_READ(child, real_parent, group_leader) == BPF_CORE_READ(task, group_leader);
}

/* The arguments of mrl_proof__make() (plugin/lib/probe/proof_args.h): -1 first, so that the call
 * does nothing, or a child that doctor has killed. The second is free: the question for a flag
 * (ladder.c) puts one there. */
static __always_inline bool is_marked(const __u64 args[MRL_ARGS_MAX], bool compat)
{
    if (compat)
        return args[0] == MRL_PROOF_ADDRESS && !args[1] && (__u32)args[2] == ~0U &&
               (__u32)args[3] == (__u32)MRL_PROOF_MARK;
    return !~args[2] && !~args[3] && args[4] == MRL_PROOF_MARK;
}

static __always_inline bool concerns_nobody(struct task_struct *task,
                                            const struct mrl_record *record,
                                            bool compat)
{
    return compat || !~record->args[0] ||
           (record->event == MRL_EVENT_PROCESS_MRELEASE &&
            is_own_child(task, (int)record->args[0]));
}

/*
 * The cookie has 64 bits that nobody has there by accident: the sixth argument, or, where that has
 * 32 bits, the fifth and the sixth.
 */
static __always_inline enum proof proof_of(struct task_struct *task,
                                           const struct mrl_record *record,
                                           bool compat)
{
    __u64 fifth = record->args[MRL_ARGS_MAX - 2], sixth = record->args[MRL_ARGS_MAX - 1];

    if ((compat ? fifth << 32 | sixth : sixth) == settings.self_cookie && is_child_of_prover(task))
        return OWN_PROOF;
    return is_marked(record->args, compat) && may_load_programs(task) &&
                   concerns_nobody(task, record, compat)
               ? FOREIGN_PROOF
               : NO_PROOF;
}

#endif
