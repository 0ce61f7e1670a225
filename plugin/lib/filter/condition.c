// SPDX-License-Identifier: Apache-2.0
/* Conditions of a filter: found, or made, and given the values that a text compares with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/parse.h"

struct mrl_condition *mrl_condition__on(struct mrl_filter *filter,
                                        const struct mrl_filter_field *field,
                                        uint32_t events)
{
    struct mrl_condition *conditions;

    for (unsigned int i = 0; i < filter->condition_count; i++) {
        struct mrl_condition *condition = &filter->conditions[i];

        if (condition->events == events && condition->field.type == field->type &&
            condition->field.flags == field->flags && condition->field.offset == field->offset &&
            condition->field.other_offset == field->other_offset &&
            condition->field.value == field->value)
            return condition;
    }
    conditions =
        realloc(filter->conditions, (filter->condition_count + 1) * sizeof(*filter->conditions));
    if (!conditions)
        return NULL;
    filter->conditions = conditions;
    conditions += filter->condition_count++;
    *conditions = (struct mrl_condition){ .field = *field, .events = events };
    return conditions;
}

static const char *type_name(const struct mrl_filter_field *field)
{
    static const char *const names[2][2] = { { "a number from 0 to 2^64-1", "a number of 64 bits" },
                                             { "a number from 0 to 2^32-1",
                                               "a number of 32 bits" } };

    return names[(field->flags & MRL_FILTER_NARROW) != 0][(field->flags & MRL_FILTER_SIGNED) != 0];
}

/* Decimal, or hexadecimal behind 0x; a '-' in front. The field says what is in range. */
static int parse_key(const struct mrl_filter_field *field,
                     const char *text,
                     uint64_t *ret_key,
                     struct mrl_error *error)
{
    bool negative = text[0] == '-', is_signed = field->flags & MRL_FILTER_SIGNED;
    bool narrow = field->flags & MRL_FILTER_NARROW;
    const char *digits = text + negative;
    int base = digits[0] == '0' && (digits[1] | ' ') == 'x' ? 16 : 10;
    unsigned long long number, limit = narrow ? UINT32_MAX : UINT64_MAX;
    char *end;

    digits += base == 16 ? 2 : 0;
    if (is_signed)
        limit = limit / 2 + negative;
    errno = 0;
    number = strtoull(digits, &end, base);
    if (!isxdigit((unsigned char)*digits) || *end || errno || number > limit ||
        (negative && number && !is_signed))
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s: it is %s", text,
                              field->name, type_name(field));
    number = negative ? 0 - number : number;
    /* With the sign turned over, signed numbers are in the order of unsigned ones: one comparison
     * serves both, also in the kernel (abi/rule.h). */
    *ret_key = is_signed ? number ^ (1ULL << 63) : number;
    return 0;
}

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

/* `value` steals nothing: its text is copied. */
static int add_value(struct mrl_condition *condition,
                     struct mrl_filter_value value,
                     struct mrl_error *error)
{
    struct mrl_filter_value *values =
        realloc(condition->values, (condition->value_count + 1) * sizeof(*values));

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

static int add_number(struct mrl_condition *condition,
                      enum mrl_comparison comparison,
                      const char *text,
                      struct mrl_error *error)
{
    struct mrl_filter_value value = { .refused = comparison == MRL_NOT_EQUAL };
    int err = parse_key(&condition->field, text, &value.key, error);

    if (err)
        return err;
    if (comparison == MRL_LESS && !value.key)
        return mrl_error__set(error, -EINVAL, "nothing is less than '%.64s' in %s", text,
                              condition->field.name);
    if (comparison != MRL_EQUAL && comparison != MRL_NOT_EQUAL)
        mrl_condition__add_limit(condition, comparison == MRL_LESS || comparison == MRL_LESS_EQUAL,
                                 value.key);
    if (comparison == MRL_LESS || comparison == MRL_GREATER)
        return 0;
    return add_value(condition, value, error);
}

/* What '*' at its ends makes of a text. */
static struct mrl_filter_value pattern_of(char *text)
{
    size_t size = strlen(text);
    bool ends = text[0] == '*', begins = text[size - 1] == '*';
    struct mrl_filter_value value = { .text = text, .size = size, .how = MRL_FILTER_EXACT };

    if (ends) {
        value.text++;
        value.size--;
    }
    if (begins)
        value.size--;
    if (ends || begins)
        value.how =
            ends && begins ? MRL_FILTER_CONTAINS : (ends ? MRL_FILTER_ENDS : MRL_FILTER_BEGINS);
    return value;
}

static int add_text(struct mrl_condition *condition,
                    enum mrl_comparison comparison,
                    char *text,
                    struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    struct mrl_filter_value value;

    if (!strcmp(text, "*") || !strcmp(text, "**"))
        return mrl_error__set(error, -EINVAL, "'%s' is no value of %s: it fits everything", text,
                              field->name);
    value = pattern_of(text);
    value.refused = comparison == MRL_NOT_EQUAL;
    if (field->flags & MRL_FILTER_PREFIX)
        value.how = MRL_FILTER_BEGINS;
    if (field->type == MRL_FILTER_TEXT && field->size && value.size > field->size)
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s, which holds %u bytes",
                              text, field->name, field->size);
    if (field->type == MRL_FILTER_NUMBER && value.text[strspn(value.text, "-0123456789*")])
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s: it is %s", text,
                              field->name, type_name(field));
    return add_value(condition, value, error);
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
        return add_text(condition, comparison, text, error);
    return add_number(condition, comparison, text, error);
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
            return mrl_error__set(error, -EINVAL, "%s lacks a value in '%.64s'",
                                  condition->field.name, expression->values);
        text = strndup(at, size);
        err = text ? add_one(condition, expression->comparison, text, error)
                   : mrl_error__set(error, -ENOMEM, "out of memory");
        free(text);
        if (!at[size])
            break;
    }
    return err;
}
