// SPDX-License-Identifier: Apache-2.0
/* What it takes to read policies of many texts: counted in calls, since a clock shows noise. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/policy.h"
#include "unit/problems.h"

static unsigned long comparisons, expressions;

/* The libraries of sanitizers call them as well. */
#define VISIBLE __attribute__((visibility("default")))

int __real_strcmp(const char *one, const char *other);
VISIBLE int __wrap_strcmp(const char *one, const char *other);
int __real_regcomp(regex_t *compiled, const char *pattern, int flags);
VISIBLE int __wrap_regcomp(regex_t *compiled, const char *pattern, int flags);

int __wrap_strcmp(const char *one, const char *other)
{
    comparisons++;
    return __real_strcmp(one, other);
}

int __wrap_regcomp(regex_t *compiled, const char *pattern, int flags)
{
    expressions++;
    return __real_regcomp(compiled, pattern, flags);
}

/* A policy, and what of it is there many times, around a number. */
struct corpus {
    const char *head, *before, *after, *tail;
};

#define SCOPE "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata: {name: a}\nspec:\n"
#define RULES SCOPE "  scope: [global]\n  rules:\n  - event: mlock\n"

static const struct corpus corpora[] = {
    { SCOPE "  scope:\n", "  - executable=/usr/bin/", "*\n", "  rules: [{event: mlock}]\n" },
    { SCOPE "  scope:\n", "  - not-container # ", "\n", "  rules: [{event: mlock}]\n" },
    { RULES "    filters:\n", "    - containerName=*-", "-*\n", "" },
    { RULES, "  - event: event_of_tracee_", "\n", "" },
};

static void put_policy(FILE *to, const struct corpus *corpus, unsigned int count)
{
    fputs(corpus->head, to);
    for (unsigned int i = 0; i < count; i++)
        fprintf(to, "%s%u%s", corpus->before, i, corpus->after);
    fputs(corpus->tail, to);
}

/* Comparisons that it takes to read a policy. */
static unsigned long read_policy(const struct corpus *corpus, unsigned int count)
{
    struct mrl_policy_set set = { .count = 0 };
    struct mrl_error error = { "" };
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    put_policy(to, corpus, count);
    assert_int_equal(fclose(to), 0);
    comparisons = expressions = 0;
    if (mrl_policy_set__read_text(&set, "F", text, size, &error))
        problem("%s", error.text);
    mrl_policy_set__free(&set);
    free(text);
    return comparisons;
}

/* Twice the texts are twice the work, and what it takes to sort them. */
static void work_grows_with_the_texts_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(corpora); i++) {
        const unsigned long few = read_policy(&corpora[i], 1000),
                            many = read_policy(&corpora[i], 2000);

        if (few < 1000 || many > few * 5 / 2)
            problem("corpus %zu: %lu comparisons of 1,000 texts, %lu of 2,000", i, few, many);
    }
    assert_int_equal(problems, 0);
}

static void no_text_takes_an_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(corpora); i++) {
        read_policy(&corpora[i], 100);
        if (expressions)
            problem("corpus %zu: %lu expressions are compiled", i, expressions);
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(work_grows_with_the_texts_alone, forget_problems),
        cmocka_unit_test_setup(no_text_takes_an_expression, forget_problems),
    };

    return cmocka_run_group_tests_name("policy_work", tests, NULL, NULL);
}
