// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptions of calls, through decode and encode, against lines that were not made by this
 * project's code: those of the golden files, and those of tests/golden/encoder.py.
 */
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/cases.h"
#include "unit/lines.h"
#include "unit/unit.h"

enum { RANDOM_CASES = 200, ROUNDS = 3 };

/* The file's dialect and description are its directory and name. */
static const struct {
    const char *dialect, *name;
    bool x86_64_only; /* the id of the line is of that architecture */
} golden_lines[] = {
    { "json-v0.23", "process_mrelease_einval", false },
    { "json-v0.23", "do_mrelease_absent", false },
    { "json-v0.23", "munlockall", true },
    { "json-v0.23", "mlock2_container", true },
    { "json-v0.24", "process_mrelease", false },
    { "json-v0.24", "munlockall", true },
    { "json-v0.24", "mlock2_container", true },
    { "json-v1beta1", "process_mrelease", false },
    { "json-v1beta1", "process_mrelease_einval", false },
    { "json-v1beta1", "munlockall", false },
    { "json-v1beta1", "mlock2_container", false },
    { "json-v1beta1", "do_mrelease_absent", false },
};

static const char *const dialects[] = { "json-v0.23", "json-v0.24", "json-v1beta1" };

static json_t *read_description(const char *name)
{
    char path[128], *text;
    json_t *description;

    snprintf(path, sizeof(path), "cases/%s.json", name);
    text = test_golden(path);
    assert_non_null(text);
    description = json_loads(text, 0, NULL);
    assert_non_null(description);
    free(text);
    return description;
}

static void check_dialect(const char *dialect)
{
    struct mrl_encoder *encoder = test_encoder(dialect, NULL);
    bool x86_64 = mrl_event_def__at(MRL_EVENT_MLOCK)->id == 149;

    for (size_t i = 0; i < COUNT_OF(golden_lines); i++) {
        json_t *description;
        char path[128], *wanted, *line;

        if (strcmp(golden_lines[i].dialect, dialect) != 0 ||
            (golden_lines[i].x86_64_only && !x86_64))
            continue;
        snprintf(path, sizeof(path), "%s/%s.json", dialect, golden_lines[i].name);
        wanted = test_golden(path);
        assert_non_null(wanted);
        description = read_description(golden_lines[i].name);
        line = test_case__line(encoder, description);
        assert_same_line(line, wanted);
        json_decref(description);
        free(line);
        free(wanted);
    }
    mrl_encoder__free(encoder);
}

static void golden_lines_are_printed_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        check_dialect(dialects[i]);
}

/* The independent encoder is itself held to the lines of the fact sheet. */
static void independent_encoder_prints_the_golden_lines(void **state)
{
    (void)state;
    if (access(TEST_PYTHON, X_OK))
        skip_because("there is no " TEST_PYTHON);
    for (size_t i = 0; i < COUNT_OF(golden_lines); i++) {
        char arguments[512], path[128], line[MRL_EVENT_TEXT_MAX], *wanted;
        FILE *output;

        snprintf(arguments, sizeof(arguments), "encoder.py --dialect %s %s/golden/cases/%s.json",
                 golden_lines[i].dialect, MRL_TEST_DIR, golden_lines[i].name);
        output = test_python(arguments);
        assert_non_null(fgets(line, sizeof(line), output));
        assert_int_equal(pclose(output), 0);
        snprintf(path, sizeof(path), "%s/%s.json", golden_lines[i].dialect, golden_lines[i].name);
        wanted = test_golden(path);
        assert_non_null(wanted);
        if (!golden_lines[i].x86_64_only || mrl_event_def__at(MRL_EVENT_MLOCK)->id == 149)
            assert_same_line(line, wanted);
        free(wanted);
    }
}

static unsigned int compare_random(struct mrl_encoder *encoder, const char *arguments)
{
    unsigned int count = 0;
    char *text = NULL;
    size_t room = 0;
    FILE *output = test_python(arguments);

    while (getline(&text, &room, output) > 0) {
        json_t *both = json_loads(text, 0, NULL);
        const char *wanted = json_string_value(json_object_get(both, "line"));
        char *line = test_case__line(encoder, json_object_get(both, "case"));

        assert_non_null(wanted);
        assert_int_equal(line[strlen(line) - 1], '\n');
        line[strlen(line) - 1] = '\0';
        assert_same_line(line, wanted);
        free(line);
        json_decref(both);
        count++;
    }
    free(text);
    assert_int_equal(pclose(output), 0);
    return count;
}

static void check_random(const char *dialect, bool with_exe)
{
    struct mrl_encoder_options options = { .extras = 0 };
    struct mrl_encoder *encoder;

    if (access(TEST_PYTHON, X_OK))
        skip_because("there is no " TEST_PYTHON);
    if (with_exe)
        assert_int_equal(mrl_extras__parse("exe", &options.extras, NULL), 0);
    encoder = test_encoder(dialect, &options);
    for (int seed = 448; seed < 448 + ROUNDS; seed++) {
        char arguments[128];

        snprintf(arguments, sizeof(arguments), "generate.py --dialect %s --count %d --seed %d %s",
                 dialect, RANDOM_CASES, seed, with_exe ? "--exe" : "");
        assert_int_equal(compare_random(encoder, arguments), RANDOM_CASES);
    }
    mrl_encoder__free(encoder);
}

static void random_calls_are_printed_in_v0_23_as_the_independent_encoder_does(void **state)
{
    (void)state;
    check_random("json-v0.23", false);
}

static void random_calls_are_printed_in_v0_24_as_the_independent_encoder_does(void **state)
{
    (void)state;
    check_random("json-v0.24", false);
}

static void random_calls_are_printed_in_v1beta1_as_the_independent_encoder_does(void **state)
{
    (void)state;
    check_random("json-v1beta1", false);
}

static void random_calls_are_printed_with_their_executable_when_asked_to(void **state)
{
    (void)state;
    check_random("json-v0.23", true);
    check_random("json-v0.24", true);
    check_random("json-v1beta1", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_lines_are_printed_byte_for_byte),
        cmocka_unit_test(independent_encoder_prints_the_golden_lines),
        cmocka_unit_test(random_calls_are_printed_in_v0_23_as_the_independent_encoder_does),
        cmocka_unit_test(random_calls_are_printed_in_v0_24_as_the_independent_encoder_does),
        cmocka_unit_test(random_calls_are_printed_in_v1beta1_as_the_independent_encoder_does),
        cmocka_unit_test(random_calls_are_printed_with_their_executable_when_asked_to),
    };

    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
