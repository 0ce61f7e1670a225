// SPDX-License-Identifier: Apache-2.0
/* Every policy of tests/policies loads, loads with a warning, or is refused, as the table beside
 * them says; and none is missing there. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/policy_sets.h"
#include "unit/problems.h"

#define FOLDER MRL_TEST_DIR "/policies"

enum { LEAST = 60 };

static const char *const verdicts[] = { "loads", "warns", "refused" };
static const char never[] = "no call matches|";

/* What the plugin would say of all of them at once. */
static int open_filter(const struct mrl_policy_set *set)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;
    uint32_t events;

    options.policies = set->texts;
    options.policy_count = set->count;
    return mrl_plugin_options__events(&options, &events, &error);
}

static void check(const char *name, const char *verdict, const char *text)
{
    const bool is_never = !strncmp(text, never, strlen(never));
    struct test_policies test;
    const char *was;
    char path[512];

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    text += is_never ? strlen(never) : 0;
    test_policies__read(&test, path, true);
    was = test.err ? "refused" : *test.said ? "warns" : "loads";
    if (strcmp(was, verdict) != 0 || !strstr(test.said, text))
        problem("%s: %s, not %s with '%s': %s", name, was, verdict, text, test.said);
    else if (*was != 'r' && open_filter(&test.set))
        problem("%s: the plugin does not take it", name);
    else if (*was != 'r' && is_never != test.set.list[0].never)
        problem("%s: it matches %s", name, is_never ? "something" : "nothing");
    test_policies__done(&test);
}

/* Each line is FILE | VERDICT | TEXT. */
static void check_line(char *line)
{
    char *verdict = strstr(line, " | "), *text = verdict ? strstr(verdict + 3, " | ") : NULL;
    bool is_known = false;

    line[strcspn(line, "\n")] = '\0';
    if (!verdict) {
        problem("'%s' is no row", line);
        return;
    }
    *verdict = '\0';
    verdict += 3;
    if (text)
        *text = '\0';
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        is_known |= !strcmp(verdicts[i], verdict);
    if (!is_known)
        problem("%s: there is no verdict '%s'", line, verdict);
    else
        check(line, verdict, text ? text + 3 : "");
}

static unsigned int count_policies(void)
{
    DIR *directory = opendir(FOLDER);
    struct dirent *entry;
    unsigned int count = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory)))
        count += strstr(entry->d_name, ".yaml") || strstr(entry->d_name, ".json");
    closedir(directory);
    return count;
}

static void each_policy_becomes_what_the_table_says(void **state)
{
    FILE *table = fopen(FOLDER "/expected", "r");
    unsigned int rows = 0;
    char line[512];

    (void)state;
    assert_non_null(table);
    while (fgets(line, sizeof(line), table)) {
        if (*line == '#' || *line == '\n')
            continue;
        check_line(line);
        rows++;
    }
    fclose(table);
    assert_true(rows >= LEAST);
    assert_int_equal(rows, count_policies());
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_policy_becomes_what_the_table_says, forget_problems),
    };

    return cmocka_run_group_tests_name("policy_corpus", tests, NULL, NULL);
}
