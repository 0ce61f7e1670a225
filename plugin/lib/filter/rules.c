// SPDX-License-Identifier: Apache-2.0
/* The kernel's share of a filter: its conditions as rules, where they fit (abi/rule.h). */
#include <string.h>

#include "filter/filter.h"

/* Wanted values come first in a rule. */
static bool put_numbers(const struct mrl_condition *condition, struct mrl_rule *rule)
{
    /* A condition goes to the kernel whole or not at all: half of it there would refuse too much,
     * or be asked in vain. */
    if (condition->has_texts || condition->value_count > MRL_RULE_VALUES_MAX)
        return false;
    for (int refused = 0; refused < 2; refused++) {
        for (unsigned int i = 0; i < condition->value_count; i++)
            if (condition->values[i].refused == (bool)refused)
                rule->values[rule->value_count++] = condition->values[i].key;
        if (!refused)
            rule->equal_count = rule->value_count;
    }
    return true;
}

static bool put_rule(const struct mrl_condition *condition, struct mrl_rules *rules)
{
    const struct mrl_filter_field *field = &condition->field;
    struct mrl_rule rule = {
        .events = condition->events,
        .policies = condition->policies,
        .subject = field->subject,
        .flags = (field->flags & MRL_FILTER_SIGNED ? MRL_RULE_SIGNED : 0U) |
                 (field->flags & MRL_FILTER_NARROW ? MRL_RULE_NARROW : 0U) |
                 (condition->has_min ? MRL_RULE_MIN : 0U) |
                 (condition->has_max ? MRL_RULE_MAX : 0U),
        .min = condition->min,
        .max = condition->max,
    };

    if (rules->count == MRL_RULES_MAX || !put_numbers(condition, &rule))
        return false;
    rules->rules[rules->count++] = rule;
    return true;
}

/* The bytes of the text count, and the NUL behind it where all of the name is meant. */
static struct mrl_name_pattern pattern_of(const struct mrl_filter_value *value)
{
    char bytes[MRL_NAME_BYTES] = "", mask[MRL_NAME_BYTES] = "";
    struct mrl_name_pattern pattern;

    memcpy(bytes, value->text, value->size);
    memset(mask, 0xff, value->size + (value->how == MRL_FILTER_EXACT));
    memcpy(pattern.words, bytes, sizeof(pattern.words));
    memcpy(pattern.masks, mask, sizeof(pattern.masks));
    return pattern;
}

static bool is_pattern(const struct mrl_filter_value *value)
{
    return (value->how == MRL_FILTER_EXACT || value->how == MRL_FILTER_BEGINS) &&
           value->size < MRL_NAME_BYTES;
}

static bool put_name_rule(const struct mrl_condition *condition, struct mrl_rules *rules)
{
    struct mrl_name_rule rule = { .events = condition->events, .policies = condition->policies };

    if (rules->name_count == MRL_NAME_RULES_MAX || condition->value_count > MRL_NAME_RULE_NAMES_MAX)
        return false;
    for (int refused = 0; refused < 2; refused++) {
        for (unsigned int i = 0; i < condition->value_count; i++) {
            if (!is_pattern(&condition->values[i]))
                return false;
            if (condition->values[i].refused == (bool)refused)
                rule.names[rule.value_count++] = pattern_of(&condition->values[i]);
        }
        if (!refused)
            rule.equal_count = rule.value_count;
    }
    rules->names[rules->name_count++] = rule;
    return true;
}

/* The policies that have a rule on an event. */
static uint64_t have_rules(const struct mrl_rules *rules, uint32_t event_bit)
{
    uint64_t policies = 0;

    for (__u32 i = 0; i < rules->count; i++)
        if (rules->rules[i].events & event_bit)
            policies |= rules->rules[i].policies;
    for (__u32 i = 0; i < rules->name_count; i++)
        if (rules->names[i].events & event_bit)
            policies |= rules->names[i].policies;
    return policies;
}

/* Events that a policy wants without any rule: the kernel sends them all, and has nothing to ask.
 */
static uint32_t find_open(const struct mrl_filter *filter, const struct mrl_rules *rules)
{
    uint32_t open = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (mrl_filter__wanted_by(filter, i) & ~have_rules(rules, 1U << i))
            open |= 1U << i;
    return open;
}

/* Rules that would be asked in vain are not asked. */
static void drop_vain(const struct mrl_filter *filter, struct mrl_rules *rules)
{
    const uint32_t open = find_open(filter, rules);
    const __u32 count = rules->count, name_count = rules->name_count;

    rules->count = rules->name_count = 0;
    for (__u32 i = 0; i < count; i++) {
        rules->rules[i].events &= ~open;
        if (rules->rules[i].events & mrl_event_list__choosable())
            rules->rules[rules->count++] = rules->rules[i];
    }
    for (__u32 i = 0; i < name_count; i++) {
        rules->names[i].events &= ~open;
        if (rules->names[i].events & mrl_event_list__choosable())
            rules->names[rules->name_count++] = rules->names[i];
    }
}

unsigned int mrl_filter__rules(const struct mrl_filter *filter, struct mrl_rules *ret_rules)
{
    unsigned int left = 0;

    memset(ret_rules, 0, sizeof(*ret_rules));
    for (unsigned int i = 0; i < filter->condition_count; i++) {
        const struct mrl_condition *condition = &filter->conditions[i];
        bool put = false;

        if (condition->field.subject == MRL_SUBJECT_NAME)
            put = put_name_rule(condition, ret_rules);
        else if (condition->field.subject < MRL_SUBJECT_COUNT)
            put = put_rule(condition, ret_rules);
        /* What does not fit a rule stays with the reader, which asks all conditions again in any
         * case. */
        left += !put;
    }
    drop_vain(filter, ret_rules);
    return left;
}
