// SPDX-License-Identifier: Apache-2.0
/* Conditions of a filter: found, or made, and given the values that a text compares with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/parse.h"

static bool is_same_field(const struct mrl_filter_field *field,
                          const struct mrl_filter_field *other)
{
    return field->type == other->type && field->flags == other->flags &&
           field->offset == other->offset && field->other_offset == other->other_offset &&
           field->value == other->value;
}

struct mrl_condition *mrl_condition__on(struct mrl_filter *filter,
                                        const struct mrl_filter_field *field,
                                        struct mrl_condition_of of)
{
    struct mrl_condition *conditions;

    for (unsigned int i = 0; i < filter->condition_count; i++) {
        struct mrl_condition *condition = &filter->conditions[i];

        if (condition->events == of.events && condition->policies == of.policy &&
            is_same_field(&condition->field, field))
            return condition;
    }
    conditions =
        realloc(filter->conditions, (filter->condition_count + 1) * sizeof(*filter->conditions));
    if (!conditions)
        return NULL;
    filter->conditions = conditions;
    conditions += filter->condition_count++;
    *conditions =
        (struct mrl_condition){ .field = *field, .events = of.events, .policies = of.policy };
    return conditions;
}

void mrl_condition__done(struct mrl_condition *condition)
{
    for (unsigned int i = 0; i < condition->value_count; i++)
        free(condition->values[i].text);
    free(condition->values);
}

/* -- of several policies ---------------------------------------------------------------------- */

static bool is_same_value(const struct mrl_filter_value *value,
                          const struct mrl_filter_value *other)
{
    return value->refused == other->refused && value->how == other->how &&
           value->key == other->key && value->size == other->size &&
           value->mount_namespace == other->mount_namespace &&
           (!value->text || !memcmp(value->text, other->text, value->size));
}

static bool asks_the_same(const struct mrl_condition *condition, const struct mrl_condition *other)
{
    if (condition->events != other->events || !is_same_field(&condition->field, &other->field) ||
        condition->has_min != other->has_min || condition->has_max != other->has_max ||
        condition->min != other->min || condition->max != other->max ||
        condition->value_count != other->value_count)
        return false;
    for (unsigned int i = 0; i < condition->value_count; i++)
        if (!is_same_value(&condition->values[i], &other->values[i]))
            return false;
    return true;
}

void mrl_conditions__merge(struct mrl_filter *filter)
{
    struct mrl_condition *conditions = filter->conditions;
    unsigned int kept = 0;

    for (unsigned int i = 0; i < filter->condition_count; i++) {
        unsigned int same = 0;

        while (same < kept && !asks_the_same(&conditions[same], &conditions[i]))
            same++;
        if (same == kept) {
            conditions[kept++] = conditions[i];
            continue;
        }
        conditions[same].policies |= conditions[i].policies;
        mrl_condition__done(&conditions[i]);
    }
    filter->condition_count = kept;
}

/* -- what is asked of a field ----------------------------------------------------------------- */

void mrl_condition__add_limit(struct mrl_condition *condition, bool is_max, uint64_t key)
{
    /* Of several limits on one side the widest holds, as several values of one field are
     * alternatives. */
    if (is_max && (!condition->has_max || key > condition->max))
        condition->max = key;
    if (!is_max && (!condition->has_min || key < condition->min))
        condition->min = key;
    condition->has_max |= is_max;
    condition->has_min |= !is_max;
}

int mrl_condition__add_value(struct mrl_condition *condition,
                             struct mrl_filter_value value,
                             struct mrl_error *error)
{
    struct mrl_filter_value *values =
        realloc(condition->values, (condition->value_count + 1) * sizeof(*values));

    /* At once, also where the copy of the text fails below: the old array is gone. */
    if (values)
        condition->values = values;
    if (values && value.text)
        value.text = strndup(value.text, value.size);
    if (!values || (value.how != MRL_FILTER_KEY && !value.text))
        return mrl_error__set(error, -ENOMEM, "out of memory");
    condition->has_texts |= value.how != MRL_FILTER_KEY;
    values[condition->value_count++] = value;
    return 0;
}

static int add_one(struct mrl_condition *condition,
                   enum mrl_comparison comparison,
                   char *text,
                   struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    bool is_pattern = (field->flags & MRL_FILTER_PATTERNS) && strchr(text, '*') &&
                      (comparison == MRL_EQUAL || comparison == MRL_NOT_EQUAL);

    if (field->type == MRL_FILTER_TEXT || is_pattern)
        return mrl_condition__add_text(condition, comparison, text, error);
    return mrl_condition__add_number(condition, comparison, text, error);
}

static int no_value(const struct mrl_filter_field *field,
                    const char *value,
                    size_t size,
                    const char *values,
                    struct mrl_error *error)
{
    if (!size)
        return mrl_error__set(error, -EINVAL, "%s lacks a value in '%.64s'", field->name, values);
    return mrl_error__set(error, -EINVAL, "'%.*s' has a blank at its end: no value of %s does",
                          (int)(size < 64 ? size : 64), value, field->name);
}

int mrl_condition__add_values(struct mrl_condition *condition,
                              const struct mrl_expression *expression,
                              struct mrl_error *error)
{
    const char *at = expression->values;
    int err = 0;

    for (size_t size; !err; at += size + 1) {
        char *text;

        size = strcspn(at, ",");
        if (mrl_is_padded(at, size))
            return no_value(&condition->field, at, size, expression->values, error);
        text = strndup(at, size);
        err = text ? add_one(condition, expression->comparison, text, error)
                   : mrl_error__set(error, -ENOMEM, "out of memory");
        free(text);
        if (!at[size])
            break;
    }
    return err;
}
