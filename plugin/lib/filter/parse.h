/* SPDX-License-Identifier: Apache-2.0 */
/* Within the parser of filters: a text taken apart, and the conditions that it adds to. */
#ifndef MRL_FILTER_PARSE_H
#define MRL_FILTER_PARSE_H

#include <ctype.h>

#include "filter/filter.h"

enum { MRL_EXPRESSION_PARTS = 3, MRL_EXPRESSION_BYTES = 128 };

enum mrl_comparison {
    MRL_EQUAL,
    MRL_NOT_EQUAL,
    MRL_LESS,
    MRL_LESS_EQUAL,
    MRL_GREATER,
    MRL_GREATER_EQUAL,
    MRL_NO_OPERATOR
};

/** What a text is about, and how that compares to which values. */
struct mrl_expression {
    char subject[MRL_EXPRESSION_BYTES];
    char *parts[MRL_EXPRESSION_PARTS]; /* of the subject */
    unsigned int part_count;
    enum mrl_comparison comparison;
    const char *values; /* borrowed from the text; "" without an operator */
};

/** Whether a word is empty, or has blanks at its ends. */
static inline bool mrl_is_padded(const char *text, size_t size)
{
    return !size || isspace((unsigned char)text[0]) || isspace((unsigned char)text[size - 1]);
}

/** Which events' condition it is, and whose: a bit of struct mrl_filter.policies. */
struct mrl_condition_of {
    uint32_t events;
    uint64_t policy;
};

/** The condition on this field, made where there is none. NULL without memory. */
struct mrl_condition *mrl_condition__on(struct mrl_filter *filter,
                                        const struct mrl_filter_field *field,
                                        struct mrl_condition_of of);

/** Adds an exclusive limit. Of two of a kind the wider one holds, as in Tracee. */
void mrl_condition__add_limit(struct mrl_condition *condition, bool is_max, uint64_t key);

/** Adds a value; its text is copied. Errors: -ENOMEM. */
int mrl_condition__add_value(struct mrl_condition *condition,
                             struct mrl_filter_value value,
                             struct mrl_error *error);

/** Adds one value, or the limit that it is. -EINVAL where it can never match; -ENOMEM. */
int mrl_condition__add_number(struct mrl_condition *condition,
                              enum mrl_comparison comparison,
                              const char *text,
                              struct mrl_error *error);
int mrl_condition__add_text(struct mrl_condition *condition,
                            enum mrl_comparison comparison,
                            char *text,
                            struct mrl_error *error);

/** Says that a text is no number that the field holds. -EINVAL. */
int mrl_condition__no_number(const struct mrl_filter_field *field,
                             const char *text,
                             struct mrl_error *error);

/** Takes a text apart; `what` it is not, in an error. Its parts are in the expression. -EINVAL. */
int mrl_expression__split(struct mrl_expression *expression,
                          const char *text,
                          const char *what,
                          struct mrl_error *error);

/** Whether it is "=started". */
bool mrl_expression__asks_started(const struct mrl_expression *expression);

/** Adds that an event is of a container whose own program has begun; `container` is the field that
 * asks for one. -ENOMEM. */
int mrl_condition__add_started(struct mrl_filter *filter,
                               const struct mrl_filter_field *container,
                               struct mrl_condition_of of,
                               struct mrl_error *error);

/** Adds what an expression asks of a field. Errors: -EINVAL, -EDOM, -ENOMEM. */
int mrl_condition__add_expression(struct mrl_filter *filter,
                                  const struct mrl_filter_field *field,
                                  struct mrl_condition_of of,
                                  const struct mrl_expression *expression,
                                  struct mrl_error *error);

/** Adds the values of an expression whose operator fits the field. Errors: -EINVAL, -ENOMEM. */
int mrl_condition__add_values(struct mrl_condition *condition,
                              const struct mrl_expression *expression,
                              struct mrl_error *error);

#endif
