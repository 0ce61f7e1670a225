// SPDX-License-Identifier: Apache-2.0
/* Numbers that a condition compares with: read, and refused where the field cannot hold them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/parse.h"

enum { RANGE_BYTES = 40 };

static unsigned int bits_of(const struct mrl_filter_field *field)
{
    if (field->flags & MRL_FILTER_NARROW)
        return 32;
    return field->size ? 8 * field->size : 64;
}

static void print_range(const struct mrl_filter_field *field, char text[RANGE_BYTES])
{
    if (field->flags & MRL_FILTER_SIGNED)
        snprintf(text, RANGE_BYTES, "a number of %u bits", bits_of(field));
    else
        snprintf(text, RANGE_BYTES, "a number from 0 to 2^%u-1", bits_of(field));
}

int mrl_condition__no_number(const struct mrl_filter_field *field,
                             const char *text,
                             struct mrl_error *error)
{
    char range[RANGE_BYTES];

    print_range(field, range);
    return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s: it is %s", text, field->name,
                          range);
}

/* The largest number of either sign that the field holds, without its sign. */
static uint64_t largest(const struct mrl_filter_field *field, bool negative)
{
    uint64_t all = UINT64_MAX >> (64 - bits_of(field));

    if (field->flags & MRL_FILTER_SIGNED)
        return all / 2 + negative;
    return negative ? 0 : all;
}

/* With the sign turned over, signed numbers are in the order of unsigned ones: one comparison
 * serves both, also in the kernel (abi/rule.h). */
static uint64_t key_of(const struct mrl_filter_field *field, uint64_t number, bool negative)
{
    number = negative ? 0 - number : number;
    return field->flags & MRL_FILTER_SIGNED ? number ^ (1ULL << 63) : number;
}

/* Decimal, or hexadecimal behind 0x; a '-' in front. The field says what is in range. */
static int parse_key(const struct mrl_filter_field *field,
                     const char *text,
                     uint64_t *ret_key,
                     struct mrl_error *error)
{
    bool negative = text[0] == '-';
    const char *digits = text + negative;
    int base = digits[0] == '0' && (digits[1] | ' ') == 'x' ? 16 : 10;
    unsigned long long number;
    char *end;

    if ((field->flags & MRL_FILTER_BOOLEAN) && (!strcmp(text, "true") || !strcmp(text, "false"))) {
        *ret_key = *text == 't';
        return 0;
    }
    digits += base == 16 ? 2 : 0;
    errno = 0;
    number = strtoull(digits, &end, base);
    if (!isxdigit((unsigned char)*digits) || *end)
        return mrl_condition__no_number(field, text, error);
    if (errno || number > largest(field, negative)) {
        mrl_condition__no_number(field, text, error);
        return -EDOM; /* it is a number, and never this one's */
    }
    *ret_key = key_of(field, number, negative);
    return 0;
}

int mrl_condition__add_number(struct mrl_condition *condition,
                              enum mrl_comparison comparison,
                              const char *text,
                              struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    struct mrl_filter_value value = { .refused = comparison == MRL_NOT_EQUAL };
    bool is_less = comparison == MRL_LESS || comparison == MRL_LESS_EQUAL;
    int err = parse_key(field, text, &value.key, error);

    /* Of the context, all numbers are more than a negative one, as in Tracee. */
    if (err == -EDOM && *text == '-' && (field->flags & MRL_FILTER_IN_EVENT) &&
        (comparison == MRL_GREATER || comparison == MRL_GREATER_EQUAL)) {
        comparison = MRL_GREATER_EQUAL;
        value.key = 0;
        err = 0;
    }
    if (err)
        return err;
    if (comparison == MRL_LESS && value.key == key_of(field, largest(field, true), true))
        return mrl_error__set(error, -EDOM, "nothing is less than '%.64s' in %s", text,
                              field->name);
    if (comparison == MRL_GREATER && value.key == key_of(field, largest(field, false), false))
        return mrl_error__set(error, -EDOM, "nothing is more than '%.64s' in %s", text,
                              field->name);
    if (comparison != MRL_EQUAL && comparison != MRL_NOT_EQUAL)
        mrl_condition__add_limit(condition, is_less, value.key);
    if (comparison == MRL_LESS || comparison == MRL_GREATER)
        return 0;
    return mrl_condition__add_value(condition, value, error);
}
