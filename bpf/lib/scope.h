/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Filters in the kernel: which policies still want a finished call, after the rules of the
 * configuration. Asked before the caller's identity is collected and before a ring has to make
 * room, so that a call that nobody wants costs the least.
 */
#ifndef MRL_LIB_SCOPE_H
#define MRL_LIB_SCOPE_H

#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "task.h"

/* Global functions here, so that the verifier follows the loops once each: it knows nothing of what
 * the rules will be. */
__noinline int rule_accepts(const struct mrl_rule *rule, __u64 value)
{
    return rule && mrl_rule_accepts(rule, value);
}

__noinline int name_rule_accepts(const struct mrl_name_rule *rule, __u64 low, __u64 high)
{
    return rule && mrl_name_rule_accepts(rule, low, high);
}

static __always_inline __u64 number_of(__u32 subject,
                                       struct task_struct *task,
                                       const struct mrl_record *record)
{
    switch (subject) {
    case MRL_SUBJECT_RET:
        return record->ret;
    case MRL_SUBJECT_UID:
        return task->cred->uid.val;
    case MRL_SUBJECT_HOST_PID:
    case MRL_SUBJECT_HOST_TASK:
        return (__u32)task->tgid;
    case MRL_SUBJECT_HOST_TID:
        return (__u32)task->pid;
    case MRL_SUBJECT_START:
        return task->group_leader->start_boottime;
    }
    /* The compiler may not compare another copy than the one that is used: the verifier would not
     * see the bound. */
    asm volatile("" : "+r"(subject));
    return subject < MRL_ARGS_MAX ? record->args[subject] : 0;
}

static __always_inline bool number_obeys(const struct mrl_rule *rule,
                                         struct task_struct *task,
                                         const struct mrl_record *record)
{
    __u32 subject = rule->subject;

    return rule_accepts(rule, number_of(subject, task, record)) ||
           (subject == MRL_SUBJECT_HOST_TASK && rule_accepts(rule, (__u32)task->pid));
}

static __always_inline bool name_obeys(const struct mrl_name_rule *rule, struct task_struct *task)
{
    __u64 name[MRL_NAME_BYTES / 8];

    copy_name((char *)name, task->comm);
    return name_rule_accepts(rule, name[0], name[1]);
}

/* Those of the policies whose rules on this event all accept the call. */
__noinline __u64 policies_left(const struct mrl_config *config,
                               const struct mrl_record *record,
                               int event,
                               __u64 policies)
{
    struct task_struct *task = bpf_get_current_task_btf();
    __u32 bit = 1U << (event & (MRL_EVENTS_MAX - 1));

    if (!config || !record)
        return 0;
    for (__u32 i = 0; i < MRL_RULES_MAX && i < config->rules.count; i++) {
        const struct mrl_rule *rule = &config->rules.rules[i];

        if (rule->events & bit && rule->policies & policies && !number_obeys(rule, task, record))
            policies &= ~rule->policies;
    }
    for (__u32 i = 0; i < MRL_NAME_RULES_MAX && i < config->rules.name_count; i++) {
        const struct mrl_name_rule *rule = &config->rules.names[i];

        if (rule->events & bit && rule->policies & policies && !name_obeys(rule, task))
            policies &= ~rule->policies;
    }
    return policies;
}

#endif
