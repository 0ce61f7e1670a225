/* SPDX-License-Identifier: Apache-2.0 */
/* What bpf/lib/scope.h does with the rules of a filter, with a record in place of a task. */
#ifndef MRL_TESTS_KERNEL_RULES_H
#define MRL_TESTS_KERNEL_RULES_H

#include <abi/record.h>
#include <abi/rule.h>
#include <stdbool.h>
#include <string.h>

#include "unit/unit.h"

/* What number_obeys() there does. */
static inline bool test_rule__obeys(const struct mrl_rule *rule, const struct mrl_record *record)
{
    if (rule->subject < MRL_ARGS_MAX)
        return mrl_rule_accepts(rule, record->args[rule->subject]);
    switch (rule->subject) {
    case MRL_SUBJECT_RET:
        return mrl_rule_accepts(rule, (uint64_t)record->ret);
    case MRL_SUBJECT_UID:
        return mrl_rule_accepts(rule, record->uid);
    case MRL_SUBJECT_HOST_PID:
        return mrl_rule_accepts(rule, record->host_pid);
    case MRL_SUBJECT_HOST_TID:
        return mrl_rule_accepts(rule, record->host_tid);
    case MRL_SUBJECT_HOST_TASK:
        return mrl_rule_accepts(rule, record->host_pid) || mrl_rule_accepts(rule, record->host_tid);
    case MRL_SUBJECT_START:
        return mrl_rule_accepts(rule, record->leader_start_ns);
    default:
        fail_case("subject %u", rule->subject);
        return false;
    }
}

/** Those of the policies whose rules all accept the call. */
static inline uint64_t test_rules__left(const struct mrl_rules *rules,
                                        const struct mrl_record *record,
                                        uint64_t policies)
{
    const uint32_t bit = 1U << record->event;
    uint64_t name[2];

    memcpy(name, record->comm, sizeof(name));
    for (unsigned int i = 0; i < rules->count; i++)
        if (rules->rules[i].events & bit && rules->rules[i].policies & policies &&
            !test_rule__obeys(&rules->rules[i], record))
            policies &= ~rules->rules[i].policies;
    for (unsigned int i = 0; i < rules->name_count; i++)
        if (rules->names[i].events & bit && rules->names[i].policies & policies &&
            !mrl_name_rule_accepts(&rules->names[i], name[0], name[1]))
            policies &= ~rules->names[i].policies;
    return policies;
}

#endif
