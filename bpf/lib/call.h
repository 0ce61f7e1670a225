/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call in flight, and what it is kept in. */
#ifndef MRL_LIB_CALL_H
#define MRL_LIB_CALL_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "slots.h"
#include "types.h"

/* record.flags while no record is made; these never leave the kernel. */
#define MRL_CALL_OPEN 0x02 /* between entry and exit */
#define MRL_CALL_TOLD 0x01 /* a function's exit was reported; that of the call is still to come */
#define MRL_EBADF     9
#define MRL_ENOSYS    38

/* Whose cgroup this slot last knew to be described (programs/identity.h), and when, in number of
 * descriptions. Of the slot, whoever has it: it is there to spare a look into a hash. */
struct told_cgroup {
    __u64 id;
    __u32 lane;
    __u32 descriptions;
};

/*
 * The record is completed in place at exit and then copied to a ring, so that no scratch buffer is
 * shared between tasks that might preempt each other. Kernel addresses stand behind what is copied.
 */
struct call {
    struct mrl_record record;
    struct mrl_judgement judgement;
    struct mrl_target target;
    char exe[2 * MRL_EXE_BYTES + MRL_STEP_BYTES]; /* the target's, then the caller's */
    struct mm_struct *mm; /* of the target at entry; not held: it may be freed at any time */
    void *pgd;            /* of that mm */
    __u64 owner;          /* slots.h */
    struct told_cgroup told;
};

/* mlock and its kin have no target and keep the small part only. */
struct small_call {
    struct mrl_record record;
    struct mrl_judgement judgement;
    struct mrl_locks locks;
    __u64 owner;
    struct told_cgroup told;
};

/* Of a record in a slot. */
static __always_inline struct mrl_judgement *judgement_of(struct mrl_record *record)
{
    return (void *)(record + 1);
}

MRL_SLOTS(target_calls, call)

#endif
