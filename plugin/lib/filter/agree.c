// SPDX-License-Identifier: Apache-2.0
/* Conditions that must all hold, and never do: said at once, and not by an empty stream. */
#include <errno.h>

#include "filter/parse.h"

/* Values that are wanted let an event through whatever the limits say. */
static bool has_wanted(const struct mrl_condition *condition)
{
    for (unsigned int i = 0; i < condition->value_count; i++)
        if (!condition->values[i].refused)
            return true;
    return false;
}

static bool is_empty_range(const struct mrl_condition *condition)
{
    return condition->has_min && condition->has_max && !has_wanted(condition) &&
           (condition->min >= condition->max || condition->max - condition->min == 1);
}

static bool wants_none(const struct mrl_condition *condition)
{
    return condition->field.flags & MRL_FILTER_ABSENT;
}

static bool wants_container(const struct mrl_condition *condition)
{
    const struct mrl_filter_field *field = &condition->field;

    if (field->type == MRL_FILTER_PRESENCE)
        return !wants_none(condition);
    return (field->flags & MRL_FILTER_NONEMPTY) ||
           ((field->flags & MRL_FILTER_PREFIX) && has_wanted(condition));
}

/* The events of which both are asked. */
static bool share_events(const struct mrl_filter *filter,
                         const struct mrl_condition *condition,
                         const struct mrl_condition *other)
{
    uint32_t events = condition->events & other->events;

    for (; events; events &= events - 1)
        if (filter->chosen_by[__builtin_ctz(events)] & condition->policies & other->policies)
            return true;
    return false;
}

static int check_pair(const struct mrl_filter *filter,
                      const struct mrl_condition *none,
                      struct mrl_error *error)
{
    for (unsigned int i = 0; i < filter->condition_count; i++) {
        const struct mrl_condition *other = &filter->conditions[i];

        if (wants_container(other) && share_events(filter, none, other))
            return mrl_error__set(error, -EDOM,
                                  "'%s' and '%s' at once: no call is in a container and in none",
                                  other->field.name, none->field.name);
    }
    return 0;
}

/* An event of a call that succeeded has no other result than 0. */
static bool wants_failure(const struct mrl_condition *condition)
{
    const struct mrl_filter one = { .conditions = (struct mrl_condition *)condition,
                                    .condition_count = 1,
                                    .policies = condition->policies };
    struct mrl_event event = { .return_value = 0 };

    if (condition->field.subject != MRL_SUBJECT_RET)
        return false;
    event.def = mrl_event_def__at((unsigned int)__builtin_ctz(condition->events));
    return !event.def->is_syscall && !mrl_filter__accepts(&one, &event);
}

int mrl_conditions__agree(const struct mrl_filter *filter, uint64_t policy, struct mrl_error *error)
{
    for (unsigned int i = 0; i < filter->condition_count; i++) {
        const struct mrl_condition *condition = &filter->conditions[i];

        if (!(condition->policies & policy))
            continue;
        if (is_empty_range(condition))
            return mrl_error__set(error, -EDOM, "no value of %s is in all of its limits at once",
                                  condition->field.name);
        if (wants_failure(condition))
            return mrl_error__set(error, -EDOM, "%s of this event is always 0: it tells of success",
                                  condition->field.name);
        if (wants_none(condition) && check_pair(filter, condition, error))
            return -EDOM;
    }
    return 0;
}
