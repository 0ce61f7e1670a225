// SPDX-License-Identifier: Apache-2.0
/* The tables about Tracee in docs/policies.md and docs/from-tracee.md against the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/options/tracee_words.h"
#include "command/policy/tracee.h"
#include "unit/problems.h"

enum { PAGE_BYTES = 64 * 1024, COLUMNS = 5 };

static char *read_page(const char *name)
{
    static char page[PAGE_BYTES];
    char path[512];
    FILE *file;
    size_t size;

    snprintf(path, sizeof(path), MRL_TEST_DIR "/../docs/%s", name);
    file = fopen(path, "re");
    assert_non_null(file);
    size = fread(page, 1, sizeof(page) - 1, file);
    fclose(file);
    assert_in_range(size, 1, sizeof(page) - 2);
    page[size] = '\0';
    return page;
}

static void each_word_of_tracee_is_on_the_page(void **state)
{
    static const char *const kinds[] = { "--", "", "", "" };
    const char *page = read_page("from-tracee.md");
    const struct mrl_tracee_word *row;
    char line[512];

    (void)state;
    for (unsigned int i = 0; (row = mrl_tracee_word__at(i)); i++) {
        if (row->letter)
            snprintf(line, sizeof(line), "| `%s%s`, `-%c` | %s |\n", kinds[row->kind], row->word,
                     row->letter, row->answer);
        else
            snprintf(line, sizeof(line), "| `%s%s` | %s |\n", kinds[row->kind], row->word,
                     row->answer);
        if (!strstr(page, line))
            problem("docs/from-tracee.md should hold: %s", line);
    }
    assert_int_equal(problems, 0);
}

static void a_word_of_tracee_has_an_answer(void **state)
{
    struct mrl_error error;

    (void)state;
    assert_int_equal(mrl_tracee_word__answer(MRL_TRACEE_OPTION, "outputs", &error), 0);
    assert_int_equal(mrl_tracee_word__answer(MRL_TRACEE_FORMAT, "forwards", &error), 0);
    assert_int_equal(mrl_tracee_word__answer_letter('n', &error), 0);
    assert_true(mrl_tracee_word__answer(MRL_TRACEE_FORMAT, "gotemplate=/a", &error) < 0);
    assert_string_equal(error.text, "Tracee's gotemplate: not here: json, and jq behind it");
    assert_true(mrl_tracee_word__answer(MRL_TRACEE_KEY, "log", &error) < 0);
    assert_true(mrl_tracee_word__answer_letter('C', &error) < 0);
}

/* "taken", "refused", or what it means there. */
static bool is_as_told(const char *told, const struct mrl_tracee_says *says)
{
    if (says->is_refused)
        return !strcmp(told, "refused");
    return *says->text ? strcmp(told, "taken") && strcmp(told, "refused") : !strcmp(told, "taken");
}

/* KIND `text` in the first column: of a scope, an event, a filter on mlock, or one beside another;
 * else of a form. */
static void judge(const char *what, enum mrl_tracee version, struct mrl_tracee_says *says)
{
    struct mrl_tracee_before before = { .count = 0 };
    char kind[16] = "", text[64] = "", other[64] = "";
    const int parts = sscanf(what, "%15[a-z] `%63[^`]` and `%63[^`]`", kind, text, other);

    if (parts == 3 && !strcmp(kind, "filters")) {
        mrl_tracee__judge_beside(version, &before, text, says);
        assert_string_equal(says->text, "");
        mrl_tracee__judge_beside(version, &before, other, says);
    } else if (parts < 2)
        mrl_tracee__judge_form(version, true, "F", says);
    else if (!strcmp(kind, "scope"))
        mrl_tracee__judge(version, MRL_TRACEE_IN_SCOPE, "", text, says);
    else if (!strcmp(kind, "event"))
        mrl_tracee__judge(version, MRL_TRACEE_IN_EVENT, "", text, says);
    else
        mrl_tracee__judge(version, MRL_TRACEE_IN_FILTER, "mlock", text, says);
}

static void check_row(char *line)
{
    char *columns[COLUMNS], *rest = line + 2;
    struct mrl_tracee_says says;

    for (int i = 0; i < COLUMNS; i++) {
        char *end = strstr(rest, i + 1 < COLUMNS ? " | " : " |");

        assert_non_null(end);
        *end = '\0';
        columns[i] = rest;
        rest = end + 3;
    }
    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++) {
        judge(columns[0], (enum mrl_tracee)i, &says);
        if (!is_as_told(columns[i], &says))
            problem("%s: %s is told for %s, which says: %s%s", columns[0], columns[i],
                    mrl_tracee__name((enum mrl_tracee)i), says.is_refused ? "refused: " : "",
                    says.text);
    }
}

static void versions_differ_as_the_page_says(void **state)
{
    char *page = read_page("policies.md"), *line = strstr(page, "| text | v0.23 |");
    unsigned int rows = 0;

    (void)state;
    assert_non_null(line);
    strsep(&line, "\n");
    strsep(&line, "\n");
    while (line && *line == '|') {
        check_row(strsep(&line, "\n"));
        rows++;
    }
    assert_true(rows >= 18);
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_word_of_tracee_is_on_the_page, forget_problems),
        cmocka_unit_test(a_word_of_tracee_has_an_answer),
        cmocka_unit_test_setup(versions_differ_as_the_page_says, forget_problems),
    };

    return cmocka_run_group_tests_name("tracee_docs", tests, NULL, NULL);
}
