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

/* Each step from a task costs the verifier a search of all types of the kernel (add_caller()), so
 * that these are not followed again for every rule. */
__noinline __u64 number_of(__u32 subject, const struct mrl_record *record)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!record)
        return 0;
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
                                         const struct mrl_record *record)
{
    __u32 subject = rule->subject;

    return rule_accepts(rule, number_of(subject, record)) ||
           (subject == MRL_SUBJECT_HOST_TASK &&
            rule_accepts(rule, number_of(MRL_SUBJECT_HOST_TID, record)));
}

__noinline int name_obeys(const struct mrl_name_rule *rule)
{
    __u64 name[MRL_NAME_BYTES / 8];

    if (!rule)
        return 0;
    copy_name((char *)name, bpf_get_current_task_btf()->comm);
    return mrl_name_rule_accepts(rule, name[0], name[1]);
}

/* Those of the policies whose rules on this event all accept the call. */
__noinline __u64 policies_left(const struct mrl_config *config,
                               const struct mrl_record *record,
                               int event,
                               __u64 policies)
{
    __u32 bit = 1U << (event & (MRL_EVENTS_MAX - 1));

    if (!config || !record)
        return 0;
    for (__u32 i = 0; i < MRL_RULES_MAX && i < config->rules.count; i++) {
        const struct mrl_rule *rule = &config->rules.rules[i];

        if (rule->events & bit && rule->policies & policies && !number_obeys(rule, record))
            policies &= ~rule->policies;
    }
    for (__u32 i = 0; i < MRL_NAME_RULES_MAX && i < config->rules.name_count; i++) {
        const struct mrl_name_rule *rule = &config->rules.names[i];

        if (rule->events & bit && rule->policies & policies && !name_obeys(rule))
            policies &= ~rule->policies;
    }
    return policies;
}

#endif
