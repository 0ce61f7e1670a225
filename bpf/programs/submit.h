/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The event of a call, with what the extras want behind its record. */
#ifndef MRL_PROGRAMS_SUBMIT_H
#define MRL_PROGRAMS_SUBMIT_H

#include "emit.h"
#include "lib/call.h"
#include "lib/caller.h"
#include "lib/config.h"
#include "lib/locks.h"
#include "lib/settings.h"
#include "watched.h"

/* Says in which map the state of a call lies. It asks what may be chosen and not what is watched
 * now: entry and exit must find the same map, also when an event is switched in between. */
static __always_inline bool wants_target(int event)
{
    return event == MRL_EVENT_PROCESS_MRELEASE &&
           (can_be_chosen(MRL_EVENT_DO_MRELEASE) || settings.needs & MRL_NEED_TARGET);
}

/* Behind the call's own event, whatever the call returned. */
static __always_inline bool needs_target(int event)
{
    return event == MRL_EVENT_PROCESS_MRELEASE && settings.needs & MRL_NEED_TARGET;
}

static __always_inline bool wants_locks(int event)
{
    return settings.needs & MRL_NEED_LOCKS && event_reads(event) == MRL_READS_LOCKS;
}

/* By the configuration that judged the call. */
static __always_inline bool wants_exe(struct mrl_record *record)
{
    return settings.caller_exe && config_of(judgement_of(record)->generation)->caller_exe;
}

/* Puts the path of the caller's executable behind the target's, and returns its bytes. */
static __always_inline __u64 append_caller_exe(struct call *call)
{
    struct caller *caller = current_caller();
    __u64 at = call->target.exe_bytes, bytes;

    if (!caller)
        return 0;
    /* The compiler may not move the bound away from its use: the verifier forgets a bound when the
     * value goes through memory in between. */
    asm volatile("" : "+r"(at));
    if (at > MRL_EXE_BYTES)
        at = MRL_EXE_BYTES;
    bytes = caller_exe_bytes(caller);
    bpf_probe_read_kernel(call->exe + at, bytes, caller->exe);
    call->record.exe_bytes = bytes;
    call->record.flags |= caller->flags;
    leave_caller(caller);
    return bytes;
}

/* An event with the target behind it. */
static __always_inline void emit_with_target(struct task_struct *task, int event, struct call *call)
{
    __u64 bytes = offsetof(struct call, exe);

    call->record.flags = (call->record.flags & ~MRL_RECORD_EXE_CUT) | MRL_RECORD_TARGET;
    call->record.exe_bytes = 0; /* another event of this call may have had a path */
    /* The mask repeats a bound that the verifier forgot when the value went through memory. */
    bytes += call->target.exe_bytes & (MRL_EXE_BYTES * 2 - 1);
    if (wants_exe(&call->record))
        bytes += append_caller_exe(call);
    /* Behind this stand addresses of the kernel, which must not reach user space. It also is the
     * bound that the verifier wants for a size. */
    if (bytes > offsetof(struct call, mm))
        bytes = offsetof(struct call, mm);
    emit(event, &call->record, bytes);
}

static __always_inline void emit_with_locks(struct task_struct *task,
                                            int event,
                                            bool entered,
                                            struct small_call *call)
{
    struct caller *caller = wants_exe(&call->record) ? current_caller() : NULL;

    locks_at_exit(task, entered, &call->locks);
    call->record.flags |= MRL_RECORD_LOCKS;
    if (caller) {
        emit(event, locks_with_exe(caller, call),
             offsetof(struct small_call, owner) + caller_exe_bytes(caller));
        leave_caller(caller);
    } else {
        emit(event, &call->record, offsetof(struct small_call, owner));
    }
}

/* With the path of the caller's executable when that is wanted. */
static __always_inline void emit_alone(struct task_struct *task,
                                       int event,
                                       struct mrl_record *record)
{
    struct caller *caller = wants_exe(record) ? current_caller() : NULL;

    if (caller) {
        emit(event, record_with_exe(caller, record),
             sizeof(struct judged_record) + caller_exe_bytes(caller));
        leave_caller(caller);
    } else {
        emit(event, record, sizeof(struct judged_record));
    }
}

/* The event of the call itself, with what the extras want behind it. */
static __always_inline void emit_call(struct task_struct *task,
                                      int event,
                                      bool entered,
                                      struct mrl_record *record)
{
    if (needs_target(event))
        emit_with_target(task, event, (void *)record);
    else if (wants_locks(event))
        emit_with_locks(task, event, entered, (void *)record);
    else
        emit_alone(task, event, record);
}

/* Both events of a call have room, or none has. */
static __always_inline bool has_room(const struct mrl_record *record)
{
    __u64 used = bpf_ringbuf_query(&rare_records, BPF_RB_AVAIL_DATA);

    return used < settings.crowded ||
           has_share(used, record->share.owner_uid, record->share.release);
}

/* Sends the call's event, that of its release, or both. */
static __always_inline void emit_wanted(struct task_struct *task,
                                        struct mrl_record *record,
                                        int event,
                                        bool entered,
                                        __u64 call_policies,
                                        __u64 release_policies)
{
    struct mrl_judgement *judgement = judgement_of(record);

    if (event_lane(event) == MRL_LANE_RARE && !has_room(record)) {
        if (call_policies)
            count_suppressed(event, record);
        if (release_policies)
            count_suppressed(MRL_EVENT_DO_MRELEASE, record);
        return;
    }
    judgement->policies = call_policies;
    if (call_policies)
        emit_call(task, event, entered, record);
    judgement->policies = release_policies;
    if (release_policies)
        emit_with_target(task, MRL_EVENT_DO_MRELEASE, (void *)record);
}

#endif
