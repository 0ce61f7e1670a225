// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The probes. One body for the entry of a call and one for its exit; each rung of the ladder adds
 * two thin programs that find the system call number in their context. A rung loads only its own
 * programs (autoload), because one program that a kernel refuses fails the whole object.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi/record.h"
#include "emit.h"
#include "identity.h"
#include "judge.h"
#include "lib/call.h"
#include "lib/caller.h"
#include "lib/config.h"
#include "lib/kill.h"
#include "lib/locks.h"
#include "lib/marks.h"
#include "lib/settings.h"
#include "lib/syscall.h"
#include "lib/target.h"
#include "lib/task.h"
#include "proof.h"
#include "submit.h"
#include "watched.h"

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set while the function that reaps is probed: see programs/reap.bpf.c. */
int reaper_watched;

/* Which hook saw an exit. With --coverage all there are two: the exit of the function comes
 * first, and then the tracepoint, which also sees the calls that never reached the function. */
enum exit_hook { BY_TRACEPOINT, BY_FUNCTION };

MRL_SLOTS(small_calls, small_call)

enum slot { SLOT_OWN, SLOT_CLAIM, SLOT_SPARE };

/* A slot that is busy for the task, as its record; or NULL. */
static __always_inline struct mrl_record *find_slot(int event, __u32 tid, enum slot which)
{
    int at;

    /* A reference to the bigger table only where it is needed: the small one serves a storm. */
    if (wants_target(event)) {
        at = which == SLOT_OWN     ? target_calls__own(tid)
             : which == SLOT_CLAIM ? target_calls__claim(tid)
                                   : target_calls__spare(tid);
        return at < 0 ? NULL : bpf_map_lookup_elem(&target_calls, &at);
    }
    at = which == SLOT_OWN     ? small_calls__own(tid)
         : which == SLOT_CLAIM ? small_calls__claim(tid)
                               : small_calls__spare(tid);
    return at < 0 ? NULL : bpf_map_lookup_elem(&small_calls, &at);
}

/* Leaves the slot to the task's call in flight, or, with 0, to anybody. */
static __always_inline void leave_slot(int event, struct mrl_record *record, __u64 to)
{
    set_owner(wants_target(event) ? &((struct call *)record)->owner
                                  : &((struct small_call *)record)->owner,
              to);
}

/* The looks at a target are global functions, which the verifier follows once, and not for each way
 * that leads to them: that halves the time of a start. */
__noinline int look_first(struct call *call)
{
    if (!call)
        return 0;
    __builtin_memset(&call->target, 0, sizeof(call->target));
    target_at_entry(bpf_get_current_task_btf(), call);
    return 0;
}

__noinline int look_again(struct call *call)
{
    if (call)
        target_at_exit(bpf_get_current_task_btf(), call);
    return 0;
}

static __always_inline void look_at_entry(struct task_struct *task, struct call *call)
{
    look_first(call);
    if (call->target.flags & MRL_TARGET_FOUND)
        tell_target_cgroup(task, (int)call->record.args[0], call->target.cgroup_id);
    if (reaper_watched)
        call->target.flags |= MRL_TARGET_WATCHED;
    if (settings.reap_kill)
        call->target.flags |= MRL_TARGET_REAP_KILL;
    if (settings.needs & MRL_NEED_KILL && call->target.flags & MRL_TARGET_FOUND)
        call->target.kill_ns = kill_time(&call->target);
}

/* `regs` is NULL where the hook does not give them as a BTF pointer. */
static __always_inline int call_enter(struct pt_regs *regs, long number)
{
    struct mrl_record *record;
    struct task_struct *task;
    bool compat = false;
    struct mark *mark;
    __u32 tid;
    int event;

    /* On a rung that every system call of the host passes, nearly all end here: a few comparisons,
     * and no helper is called before. */
    if (!may_be_watched(number))
        return 0;
    task = bpf_get_current_task_btf();
    event = followed_event(task, number, &compat);
    if (event < 0)
        return 0;
    tid = task->pid;
    record = find_slot(event, tid, SLOT_OWN);
    /* What it still says of the last call is the only trace of it. */
    if (record)
        count_exit_missed(record);
    else
        record = find_slot(event, tid, SLOT_CLAIM);
    if (!record) {
        mark = mark_of(tid);
        if (mark) {
            mark->entry_ns = bpf_ktime_get_boot_ns();
            __sync_fetch_and_add(&mark->open, 1);
        }
        return 0;
    }
    record->event = event;
    record->flags = MRL_CALL_OPEN;
    record->entry_ns = bpf_ktime_get_boot_ns();
    syscall_args(regs ? regs : (void *)bpf_task_pt_regs(task), compat, record->args);
    if (wants_target(event))
        look_at_entry(task, (void *)record);
    else if (wants_locks(event))
        locks_at_entry(task, &((struct small_call *)record)->locks);
    leave_slot(event, record, tid);
    return 0;
}

/*
 * The result of a call that never ran. A filter that kills the caller, or sends it SIGSYS, leaves
 * no result: the kernel takes the registers back to what they were (syscall_rollback()), and what
 * stands there looks like success. ENOSYS is what the kernel says of a call that it did not make.
 */
static __always_inline long result_without_call(const struct mrl_record *record,
                                                long number,
                                                long ret)
{
#if defined(__TARGET_ARCH_x86)
    bool taken_back = (__u32)ret == (__u32)number;
#else
    bool taken_back = ret == (long)record->args[0];
#endif
    return ret > 0 && taken_back ? -MRL_ENOSYS : ret;
}

/* Where the state of a call could not be kept: what is left of the target when it returns. How much
 * memory it had is not known, so that none is said to have been released; nor is its executable
 * looked for, which would double the time that the kernel takes to check this program. */
__noinline int look_late(struct call *call)
{
    struct task_struct *task = bpf_get_current_task_btf(), *leader;

    if (!call)
        return 0;
    leader = task_of_pidfd(task, (int)call->record.args[0], &call->target.flags);
    if (!leader)
        return 0;
    call->target.flags |= MRL_TARGET_FOUND;
    target_identity(leader, task, &call->target);
    return 0;
}

/* Also global: since 6.4 each step from the current task costs the verifier a search of all types
 * of the kernel, some milliseconds, for each way that leads to it. */
__noinline int add_caller(struct mrl_record *record)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!record)
        return 0;
    record->cpu = bpf_get_smp_processor_id();
    record->cgroup_id =
        settings.cgroup_v1 ? task_cgroup_id(task, true) : bpf_get_current_cgroup_id();
    record->container = container_state(task, record->cgroup_id, settings.cgroup_v1);
    task_identity(task, record);
    return 0;
}

__noinline int proof_of_call(struct mrl_record *record, int compat)
{
    return record ? proof_of(bpf_get_current_task_btf(), record, compat) : NO_PROOF;
}

/* How an exit was found. */
struct exit {
    enum exit_hook hook;
    bool compat;
    bool entered; /* its entry was seen, and what it told was kept */
    bool marked;  /* it was seen, and could not be kept */
    __u32 tid;
    __u32 generation; /* of the configuration that judges the call */
    __u64 task_start_ns;
    long number;
    long ret;
};

/* A task that started, or ended a call, after the probes were attached is in no call that is older
 * than they are. So its entry was not missed: seccomp, which comes before the tracepoint, refused
 * the call. A function that returns was entered: there it was the entry that was missed. */
static __always_inline bool was_blocked(int event, const struct exit *exit)
{
    __u64 start = since(event);

    return exit->hook == BY_TRACEPOINT && !exit->entered && !exit->marked &&
           (exit->task_start_ns > start || ended_after(exit->tid, start));
}

static __always_inline void look_at_exit(struct task_struct *task,
                                         int event,
                                         struct call *call,
                                         const struct exit *exit)
{
    if (exit->entered) {
        look_again(call);
        return;
    }
    __builtin_memset(&call->target, 0, sizeof(call->target));
    if (!exit->marked)
        return;
    look_late(call);
    if (call->target.flags & MRL_TARGET_FOUND)
        tell_target_cgroup(task, (int)call->record.args[0], call->target.cgroup_id);
}

/* Whoever runs out of room, here or behind the ring, decides by this what to keep. */
static __always_inline void add_share(struct mrl_record *record,
                                      const struct exit *exit,
                                      bool has_target)
{
    const struct mrl_target *target = &((const struct call *)record)->target;

    record->flags |= MRL_RECORD_SHARE;
    record->share.owner_uid = owner_uid();
    if (exit->ret || !(exit->entered || exit->marked))
        return;
    if (!settings.target_calls)
        record->share.release = MRL_RELEASE_UNSEEN;
    else if (has_target && target->flags & MRL_TARGET_FOUND)
        record->share.release = mrl_release_of(target->host_pid, target->start_ns);
}

/* The exit of a call that has a slot. */
static __always_inline void report_exit(struct task_struct *task,
                                        struct mrl_record *record,
                                        struct pt_regs *regs,
                                        int event,
                                        const struct exit *exit)
{
    const struct mrl_config *config = config_of(exit->generation);
    struct mrl_judgement *judgement = judgement_of(record);
    __u64 call_policies, release_policies = 0;
    long ret = exit->ret;
    bool has_target;
    int proof;

    record->event = event;
    record->flags = MRL_RECORD_JUDGED | (exit->compat ? MRL_RECORD_COMPAT : 0);
    record->exe_bytes = 0;
    record->exit_ns = bpf_ktime_get_boot_ns();
    if (!exit->entered) {
        record->flags |= MRL_RECORD_NO_ENTRY | (was_blocked(event, exit) ? MRL_RECORD_BLOCKED : 0);
        record->entry_ns = record->exit_ns;
        syscall_args(regs ? regs : (void *)bpf_task_pt_regs(task), exit->compat, record->args);
        ret = result_without_call(record, exit->number, ret);
    }
    note_end(exit->tid, record->exit_ns);
    proof = proof_of_call(record, exit->compat);
    if (proof == OWN_PROOF || (proof == FOREIGN_PROOF && !settings.trials)) {
        count_self(event);
        if (proof == OWN_PROOF)
            count_own_proof(event, exit->entered || exit->marked);
        return;
    }
    /* No call here has so many: what stands there is nobody's business, and may be another
     * sensor's cookie. */
    record->args[MRL_ARGS_MAX - 2] = record->args[MRL_ARGS_MAX - 1] = 0;
    record->ret = ret;
    call_policies = judge(config, event, record);
    /* Without an entry, the 0 may come from a seccomp filter: then the kernel has released
     * nothing. */
    if (event == MRL_EVENT_PROCESS_MRELEASE && (exit->entered || exit->marked) && !ret)
        release_policies = judge(config, MRL_EVENT_DO_MRELEASE, record);
    if (!call_policies && !release_policies)
        return;
    /* Only now, for calls that somebody wants: all that follows costs more than the rules above. */
    add_caller(record);
    judgement->generation = exit->generation;
    judgement->reserved = 0;
    tell_caller_cgroup(task, record->cgroup_id, event_lane(event),
                       wants_target(event) ? &((struct call *)record)->told
                                           : &((struct small_call *)record)->told);
    has_target = needs_target(event) || release_policies;
    if (has_target)
        look_at_exit(task, event, (void *)record, exit);
    if (event_lane(event) == MRL_LANE_RARE)
        add_share(record, exit, has_target);
    emit_wanted(task, record, event, exit->entered, call_policies, release_policies);
}

/* There was no slot, not even for the report. */
static __always_inline void count_unreported(int event, const struct exit *exit)
{
    const struct mrl_config *config = config_of(exit->generation);

    if (wanted_by(config, event))
        count_no_memory(event);
    if (event == MRL_EVENT_PROCESS_MRELEASE && exit->marked && !exit->ret &&
        wanted_by(config, MRL_EVENT_DO_MRELEASE))
        count_no_memory(MRL_EVENT_DO_MRELEASE);
}

/* The function's exit has reported this call; the tracepoint beside it sees its end once more. */
static __always_inline bool was_told(const struct mrl_record *record,
                                     int event,
                                     enum exit_hook hook)
{
    return hook == BY_TRACEPOINT && (record->flags & MRL_CALL_TOLD) && record->event == event &&
           record->exit_ns >= since(event);
}

static __always_inline bool has_entered(const struct mrl_record *record,
                                        const struct exit *exit,
                                        int event)
{
    /* The number of a task is used again: state that is older than the task is another's. */
    return (record->flags & MRL_CALL_OPEN) && record->event == event &&
           record->entry_ns >= since(event) && record->entry_ns >= exit->task_start_ns;
}

/* A slot for the report of a call that has none: only a mark can tell what its entry was. */
static __always_inline struct mrl_record *slot_for_report(int event,
                                                          struct mark *mark,
                                                          struct exit *exit)
{
    struct mrl_record *record;

    /* One that an exit left behind, which nobody saw, is of an earlier call. */
    exit->marked = mark && mark->entry_ns >= since(event) &&
                   mark->entry_ns >= exit->task_start_ns && take_mark(&mark->open);
    record = find_slot(event, exit->tid, SLOT_SPARE);
    if (!record)
        record = find_slot(event, exit->tid, SLOT_CLAIM);
    if (!record)
        count_unreported(event, exit);
    return record;
}

static __always_inline int call_exit(struct pt_regs *regs,
                                     long number,
                                     long ret,
                                     enum exit_hook hook)
{
    bool seen_again = hook == BY_FUNCTION && settings.beside, own;
    struct exit exit = { .hook = hook, .number = number, .ret = ret };
    struct mrl_record *record;
    struct task_struct *task;
    struct mark *mark = NULL;
    int event;

    if (!may_be_watched(number))
        return 0;
    task = bpf_get_current_task_btf();
    event = followed_event(task, number, &exit.compat);
    if (event < 0)
        return 0;
    exit.generation = config_generation();
    exit.tid = task->pid;
    exit.task_start_ns = task->start_boottime;
    record = find_slot(event, exit.tid, SLOT_OWN);
    own = record;
    if (own) {
        if (was_told(record, event, hook)) {
            leave_slot(event, record, 0);
            return 0;
        }
        exit.entered = has_entered(record, &exit, event);
    } else {
        mark = mark_of(exit.tid);
        if (mark && hook == BY_TRACEPOINT && settings.beside && take_mark(&mark->told))
            return 0;
        record = slot_for_report(event, mark, &exit);
    }
    if (record) {
        report_exit(task, record, regs, event, &exit);
        record->event = event;
        record->flags = MRL_CALL_TOLD;
        leave_slot(event, record, own && seen_again ? exit.tid : 0);
    }
    if (mark && seen_again)
        __sync_fetch_and_add(&mark->told, 1);
    return 0;
}

#include "rungs.h"

/* Beside any rung, where --extra time wants it. */

SEC("raw_tp/signal_generate")
int kill__signal_generate(struct bpf_raw_tracepoint_args *ctx)
{
    if ((int)ctx->args[0] == MRL_SIGKILL)
        remember_kill((void *)ctx->args[2]);
    return 0;
}

/* Beside any rung, where containers have names. */

SEC("raw_tp/cgroup_mkdir")
int names__cgroup_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
    tell_change((void *)ctx->args[0], MRL_CGROUP_MADE);
    return 0;
}

SEC("raw_tp/cgroup_rmdir")
int names__cgroup_rmdir(struct bpf_raw_tracepoint_args *ctx)
{
    tell_change((void *)ctx->args[0], MRL_CGROUP_REMOVED);
    return 0;
}
