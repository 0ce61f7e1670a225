// SPDX-License-Identifier: Apache-2.0
/* How much there may be of policies: as much as is promised, and no more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/policy_sets.h"
#include "unit/problems.h"

struct text {
    char *bytes;
    size_t size;
    FILE *to;
};

static void begin(struct text *text)
{
    text->to = open_memstream(&text->bytes, &text->size);
    assert_non_null(text->to);
}

/* `said`: how what is said ends; "" is nothing. */
static void check(struct text *text, const char *said)
{
    struct test_policies test;
    size_t size;

    assert_int_equal(fclose(text->to), 0);
    test_policies__parse(&test, MRL_TRACEE_ANY, text->bytes);
    size = strlen(test.said);
    if (*said ? size < strlen(said) || strcmp(test.said + size - strlen(said), said) != 0
              : size > 0)
        problem("wanted '%s', said '%s'", said, test.said);
    if (test.err != (*test.said == '!' ? -EINVAL : 0))
        problem("%d, said '%s'", test.err, test.said);
    test_policies__done(&test);
    free(text->bytes);
}

static void there_may_be_sixty_four_and_no_more(void **state)
{
    (void)state;
    for (int count = 64; count <= 65; count++) {
        struct text text;

        begin(&text);
        for (int i = 0; i < count; i++)
            fprintf(text.to,
                    "---\ntype: policy\nname: p%d\nscope: [global]\nrules: [{event: mlock}]\n", i);
        check(&text, count > 64
                         ? "!F:322:1: more than 64 policies, which is as many as there may be\n"
                         : "");
    }
    assert_int_equal(problems, 0);
}

static void a_list_has_so_many_entries_and_no_more(void **state)
{
    static const struct {
        const char *head, *before, *tail, *said;
    } cases[] = {
        { "scope: [global]\nrules:\n- event: mlock\n", "- event: x", "",
          "!F:4101:3: more than 4096 rules\n" },
        { "rules: [{event: mlock}]\nscope:\n", "- uid=", "",
          "!F:4101:3: scope: more than 4096 entries\n" },
        { "scope: [global]\nrules:\n- event: mlock\n  filters:\n", "  - uid=", "",
          "!F:4103:5: filters: more than 4096 entries\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text;

        begin(&text);
        fprintf(text.to, "type: policy\nname: a\n%s", cases[i].head);
        for (int j = 0; j < 4097; j++)
            fprintf(text.to, "%s%d\n", cases[i].before, j);
        check(&text, cases[i].said);
    }
    assert_int_equal(problems, 0);
}

static void put_long(FILE *to, char letter, int size)
{
    while (size--)
        fputc(letter, to);
}

static void a_text_has_so_many_bytes_and_no_more(void **state)
{
    (void)state;
    for (int size = 4096; size <= 4097; size++) {
        struct text text;

        begin(&text);
        fputs(
            "type: policy\nname: a\nscope: [global]\nrules:\n- event: mlock\n  filters: [podName=",
            text.to);
        put_long(text.to, 'x', size - (int)strlen("podName="));
        fputs("]\n", text.to);
        check(&text, size > 4096 ? "!F:6:13: filters: a text of more than 4096 bytes\n" : "");
    }
    assert_int_equal(problems, 0);
}

/* They stand with each event that is recorded. */
static void names_have_so_many_bytes_and_no_more(void **state)
{
    (void)state;
    for (int size = 253; size <= 254; size++) {
        struct text text;

        begin(&text);
        fputs("type: policy\nscope: [global]\nrules: [{event: mlock}]\nname: ", text.to);
        put_long(text.to, 'x', size);
        check(&text, size > 253
                         ? "!F:4:7: a name is of a-z, 0-9, '-' and '.', begins and ends with "
                           "a letter or digit, and has 253 bytes at most\n"
                         : "");
    }
    for (int count = MRL_POLICY_NAMES_MAX / 250; count <= MRL_POLICY_NAMES_MAX / 250 + 1; count++) {
        struct text text;

        begin(&text);
        for (int i = 0; i < count; i++) {
            fputs("---\ntype: policy\nscope: [global]\nrules: [{event: mlock}]\nname: ", text.to);
            put_long(text.to, 'x', 248);
            fprintf(text.to, "%02d\n", i);
        }
        check(&text, count > MRL_POLICY_NAMES_MAX / 250 ? " bytes together\n" : "");
    }
    assert_int_equal(problems, 0);
}

/* A screenful; whatever else is wrong is counted. */
static void so_much_is_said_and_no_more(void **state)
{
    (void)state;
    for (int count = 64; count <= 200; count += 136) {
        struct text text;

        begin(&text);
        fputs("type: policy\nname: a\nscope: [global]\nrules: [{event: mlock}]\n", text.to);
        for (int i = 0; i < count; i++)
            fprintf(text.to, "unknown%d: x\n", i);
        check(&text, count > 64 ? "F:68:1: unknown key 'unknown63': known are "
                                  "type, name, description, version, scope, rules, defaultActions; "
                                  "it is ignored, as Tracee ignores it\n"
                                  "there is more to say than this\n"
                                : "it is ignored, as Tracee ignores it\n");
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(there_may_be_sixty_four_and_no_more, forget_problems),
        cmocka_unit_test_setup(a_list_has_so_many_entries_and_no_more, forget_problems),
        cmocka_unit_test_setup(a_text_has_so_many_bytes_and_no_more, forget_problems),
        cmocka_unit_test_setup(names_have_so_many_bytes_and_no_more, forget_problems),
        cmocka_unit_test_setup(so_much_is_said_and_no_more, forget_problems),
    };

    return cmocka_run_group_tests_name("policy_bounds", tests, NULL, NULL);
}
