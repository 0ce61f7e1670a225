// SPDX-License-Identifier: Apache-2.0
/* Texts that a condition compares with: read, and refused where the field never has such a one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter/parse.h"

enum { DIGITS_MAX = 20 }; /* of 2^64-1; of the least number of 64 bits 19, and its sign */

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

/* -- what a field can hold -------------------------------------------------------------------- */

static bool is_anchored(const struct mrl_filter_value *value)
{
    return value->how == MRL_FILTER_EXACT || value->how == MRL_FILTER_BEGINS;
}

/* The decimal text of a number: digits, not too many, no 0 in front of others, a sign if any first.
 */
static bool can_be_number(const struct mrl_filter_field *field,
                          const struct mrl_filter_value *value)
{
    bool negative = value->text[0] == '-';
    const char *digits = value->text + negative;
    size_t size = value->size - negative;

    if (negative && !(field->flags & MRL_FILTER_SIGNED))
        return false;
    if (strspn(digits, "0123456789") < size || value->size > DIGITS_MAX)
        return false;
    return !is_anchored(value) || *digits != '0' || (size == 1 && !negative);
}

static int check_number(const struct mrl_filter_field *field,
                        const struct mrl_filter_value *value,
                        const char *text,
                        struct mrl_error *error)
{
    return can_be_number(field, value) ? 0 : mrl_condition__no_number(field, text, error);
}

static int check_word(const struct mrl_filter_field *field,
                      const struct mrl_filter_value *value,
                      const char *text,
                      struct mrl_error *error)
{
    char what[64];

    for (unsigned int i = 0; i < field->word_count; i++)
        if (mrl_filter_value__fits(value, field->words[i], strlen(field->words[i])))
            return 0;
    snprintf(what, sizeof(what), "value of %s", field->name);
    return mrl_error__unknown(error, what, text, field->words, field->word_count);
}

static int check_path(const struct mrl_filter_field *field,
                      const struct mrl_filter_value *value,
                      const char *text,
                      struct mrl_error *error)
{
    /* "...": of a path too deep to be read whole, the inner end. */
    if (!is_anchored(value) || value->text[0] == '/' || value->text[0] == '.')
        return 0;
    return mrl_error__set(error, -EINVAL,
                          "'%.64s' is no value of %s: a path begins with '/'; '*/%.64s' ends so",
                          text, field->name, text);
}

static int check_container(const struct mrl_filter_field *field,
                           const struct mrl_filter_value *value,
                           const char *text,
                           struct mrl_error *error)
{
    if (strspn(value->text, "0123456789abcdefABCDEF-") >= value->size)
        return 0;
    return mrl_error__set(error, -EDOM, "'%.64s' is no value of %s: an id is hexadecimal", text,
                          field->name);
}

static int check_text(const struct mrl_filter_field *field,
                      const struct mrl_filter_value *value,
                      const char *text,
                      struct mrl_error *error)
{
    if (field->size && value->size > field->size)
        return mrl_error__set(error, -EDOM, "'%.64s' is no value of %s, which holds %u bytes", text,
                              field->name, field->size);
    if (field->word_count)
        return check_word(field, value, text, error);
    if (field->flags & MRL_FILTER_PATH)
        return check_path(field, value, text, error);
    if (field->flags & MRL_FILTER_CONTAINER_ID)
        return check_container(field, value, text, error);
    return 0;
}

int mrl_condition__add_text(struct mrl_condition *condition,
                            enum mrl_comparison comparison,
                            char *text,
                            struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    struct mrl_filter_value value;
    int err;

    if (!strcmp(text, "*") || !strcmp(text, "**"))
        return mrl_error__set(error, -EINVAL, "'%s' is no value of %s: it fits everything", text,
                              field->name);
    value = pattern_of(text);
    value.refused = comparison == MRL_NOT_EQUAL;
    if (field->flags & MRL_FILTER_PREFIX)
        value.how = MRL_FILTER_BEGINS;
    if (memchr(value.text, '*', value.size))
        return mrl_error__set(error, -EDOM,
                              "'%.64s' is no value of %s: '*' stands at the beginning, at the end, "
                              "or at both",
                              text, field->name);
    err = field->type == MRL_FILTER_TEXT ? check_text(field, &value, text, error)
                                         : check_number(field, &value, text, error);
    return err ? err : mrl_condition__add_value(condition, value, error);
}
