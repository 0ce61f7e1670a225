/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Filters in the kernel: whether a finished call obeys the rules that user space laid down before
 * the load. Asked before the caller's identity is collected and before a ring has to make room, so
 * that a call that nobody wants costs the least.
 */
#ifndef MRL_LIB_SCOPE_H
#define MRL_LIB_SCOPE_H

#include <bpf/bpf_helpers.h>

#include "abi/rule.h"
#include "task.h"

const volatile struct mrl_rules rules;

static __always_inline bool number_obeys(const volatile struct mrl_rule *rule,
                                         struct task_struct *task,
                                         const struct mrl_record *record)
{
    __u32 subject = rule->subject;

    if (subject < MRL_ARGS_MAX)
        return mrl_rule_accepts(rule, record->args[subject]);
    switch (subject) {
    case MRL_SUBJECT_RET:
        return mrl_rule_accepts(rule, record->ret);
    case MRL_SUBJECT_UID:
        return mrl_rule_accepts(rule, task->cred->uid.val);
    case MRL_SUBJECT_HOST_PID:
        return mrl_rule_accepts(rule, (__u32)task->tgid);
    case MRL_SUBJECT_HOST_TID:
        return mrl_rule_accepts(rule, (__u32)task->pid);
    case MRL_SUBJECT_HOST_TASK:
        return mrl_rule_accepts(rule, (__u32)task->tgid) ||
               mrl_rule_accepts(rule, (__u32)task->pid);
    case MRL_SUBJECT_START:
        return mrl_rule_accepts(rule, task->group_leader->start_boottime);
    }
    return true;
}

static __always_inline bool name_obeys(const volatile struct mrl_name_rule *rule,
                                       struct task_struct *task)
{
    __u64 name[MRL_NAME_BYTES / 8];

    copy_name((char *)name, task->comm);
    return mrl_name_rule_accepts(rule, name[0], name[1]);
}

/*
 * The verifier knows .rodata, and walks these loops with constants: what no rule needs is not even
 * loaded. They are not unrolled, so that sixteen rules are no more code than one.
 */
static __always_inline bool scope_accepts(int event,
                                          struct task_struct *task,
                                          const struct mrl_record *record)
{
    for (__u32 i = 0; i < MRL_RULES_MAX && i < rules.count; i++)
        if ((rules.rules[i].events & (1U << event)) && !number_obeys(&rules.rules[i], task, record))
            return false;
    for (__u32 i = 0; i < MRL_NAME_RULES_MAX && i < rules.name_count; i++)
        if ((rules.names[i].events & (1U << event)) && !name_obeys(&rules.names[i], task))
            return false;
    return true;
}

#endif
