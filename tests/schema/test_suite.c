// SPDX-License-Identifier: Apache-2.0
/*
 * The official test suite of JSON Schema, draft 7, through the C function. What it does not pass is
 * listed with reasons in suite_deviations.txt: nothing else may fail, and nothing listed may pass.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "command/schema/judge.h"
#include "unit/unit.h"

#define SUITE      "/usr/share/json-schema-test-suite/tests/draft7"
#define DEVIATIONS MRL_TEST_DIR "/schema/suite_deviations.txt"

enum { NAME_BYTES = 512, LISTED_MAX = 256 };

/* A line of the list: "FILE | SCHEMA | TEST | reason", "*" for all tests of a schema. */
struct listed {
    char name[NAME_BYTES];
    bool met;
};

struct suite {
    struct listed listed[LISTED_MAX];
    unsigned int listed_count, tests, deviations, wrong;
};

static void read_list(struct suite *suite)
{
    FILE *file = fopen(DEVIATIONS, "re");
    char line[2 * NAME_BYTES];

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *reason;

        if (*line == '#' || *line == '\n')
            continue;
        reason = strrchr(line, '|');
        assert_true(reason && strlen(reason) > 10 && suite->listed_count < LISTED_MAX);
        while (reason[-1] == ' ')
            reason--;
        *reason = '\0';
        snprintf(suite->listed[suite->listed_count++].name, NAME_BYTES, "%.*s", NAME_BYTES - 1,
                 line);
    }
    fclose(file);
}

static struct listed *find_listed(struct suite *suite, const char *name)
{
    for (unsigned int i = 0; i < suite->listed_count; i++)
        if (!strcmp(suite->listed[i].name, name))
            return &suite->listed[i];
    return NULL;
}

/* -1: the schema was refused. */
static int judge(struct mrl_judge *judge, json_t *data)
{
    struct mrl_fault fault;
    char *text = json_dumps(data, JSON_ENCODE_ANY);
    int valid;

    assert_non_null(text);
    valid = mrl_judge__check(judge, text, strlen(text), MRL_RULES_JSON, &fault);
    free(text);
    return valid;
}

static void note(struct suite *suite, const char *name, bool passes)
{
    struct listed *listed = find_listed(suite, name);

    suite->tests++;
    if (passes == !listed) {
        if (listed)
            listed->met = true;
        suite->deviations += listed != NULL;
        return;
    }
    suite->wrong++;
    print_error(listed ? "listed, but passes: %s\n" : "fails: %s\n", name);
}

static void run_schema(struct suite *suite, const char *file, json_t *group)
{
    char *schema = json_dumps(json_object_get(group, "schema"), JSON_ENCODE_ANY);
    const char *description = json_string_value(json_object_get(group, "description"));
    struct mrl_judge *made = NULL;
    struct mrl_error error;
    json_t *test;
    size_t i;
    int err;

    assert_true(schema && description);
    err = mrl_judge__new(schema, strlen(schema), &error, &made);
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        char name[NAME_BYTES];

        snprintf(name, sizeof(name), "%s | %s | %s", file, description,
                 json_string_value(json_object_get(test, "description")));
        note(suite, name,
             !err && judge(made, json_object_get(test, "data")) ==
                         json_is_true(json_object_get(test, "valid")));
    }
    mrl_judge__free(made);
    free(schema);
}

static void run_file(struct suite *suite, const char *directory, const char *file)
{
    char path[NAME_BYTES];
    json_error_t error;
    json_t *groups, *group;
    size_t i;

    snprintf(path, sizeof(path), "%s/%s", directory, file);
    groups = json_load_file(path, JSON_DECODE_ANY, &error);
    if (!groups) /* jansson has no integers beyond 64 bits */
        groups = json_load_file(path, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    assert_non_null(groups);
    json_array_foreach(groups, i, group) run_schema(suite, file, group);
    json_decref(groups);
}

static int is_json(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 5 && !strcmp(entry->d_name + size - 5, ".json");
}

static void run_directory(struct suite *suite, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_json, alphasort);

    if (count < 0)
        skip_because("%s: %s (package json-schema-test-suite)", directory, strerror(errno));
    for (int i = 0; i < count; i++) {
        run_file(suite, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void official_suite_passes_but_for_the_listed_deviations(void **state)
{
    static struct suite suite;

    (void)state;
    read_list(&suite);
    run_directory(&suite, SUITE);
    run_directory(&suite, SUITE "/optional");
    run_directory(&suite, SUITE "/optional/format");
    for (unsigned int i = 0; i < suite.listed_count; i++) {
        if (suite.listed[i].met)
            continue;
        suite.wrong++;
        print_error("listed, but not in the suite: %s\n", suite.listed[i].name);
    }
    print_message("# %u tests, %u deviations\n", suite.tests, suite.deviations);
    assert_true(suite.tests > 500);
    assert_int_equal(suite.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_suite_passes_but_for_the_listed_deviations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
