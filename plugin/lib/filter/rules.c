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
    return left;
}
