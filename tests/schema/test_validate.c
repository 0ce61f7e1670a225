// SPDX-License-Identifier: Apache-2.0
/* The verbs schema and validate: what they print, and their exit status. Runs the program. */
#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "corpus.h"
#include "unit/unit.h"

enum { TEXT_BYTES = 1024 * 1024 /* a schema */ };

struct outcome {
    int status;
    char said[TEXT_BYTES];
};

static struct outcome outcome;
static struct corpus v0_23, v0_24, v1beta1;

static int load(void **state)
{
    (void)state;
    corpus__init(&v0_23, &mrl_dialect_v0_23);
    corpus__init(&v0_24, &mrl_dialect_v0_24);
    corpus__init(&v1beta1, &mrl_dialect_v1beta1);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    corpus__done(&v0_23);
    corpus__done(&v0_24);
    corpus__done(&v1beta1);
    return 0;
}

/* Runs the program with `arguments`; `input` is its standard input, or NULL. */
static void run(const char *arguments, FILE *input)
{
    char command[4096];
    size_t size;
    FILE *output;
    int status;

    if (input) {
        rewind(input);
        snprintf(command, sizeof(command), "'%s' %s <&%d 2>&1", MRL_TEST_PROGRAM, arguments,
                 fileno(input));
    } else {
        snprintf(command, sizeof(command), "'%s' %s 2>&1 </dev/null", MRL_TEST_PROGRAM, arguments);
    }
    output = popen(command, "r");
    assert_non_null(output);
    size = fread(outcome.said, 1, sizeof(outcome.said) - 1, output);
    outcome.said[size] = '\0';
    status = pclose(output);
    assert_true(WIFEXITED(status));
    outcome.status = WEXITSTATUS(status);
}

static void validate(const char *arguments, const char *text)
{
    FILE *file = tmpfile();
    char all[256];

    assert_non_null(file);
    fputs(text, file);
    snprintf(all, sizeof(all), "validate - %s", arguments);
    run(all, file);
    fclose(file);
}

/* Lines one behind another, in a room of the test. */
static const char *join(const char *const *lines, size_t count)
{
    static char text[TEXT_BYTES];
    char *to = text;

    for (size_t i = 0; i < count; i++)
        to += sprintf(to, "%s\n", lines[i]);
    return text;
}

#define JOIN(...)                              \
    join((const char *const[]){ __VA_ARGS__ }, \
         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void assert_said(int status, const char *text)
{
    if (outcome.status != status || !strstr(outcome.said, text))
        fail_case("status %d, not %d with '%s': %s", outcome.status, status, text, outcome.said);
}

static void valid_lines_are_counted(void **state)
{
    (void)state;
    validate("", "");
    assert_said(0, "-: 0 lines, 0 valid, 0 not");
    validate("", JOIN(v0_23.lines[0], v0_23.lines[8], v0_23.lines[1]));
    assert_said(0, "-: 3 lines, 3 valid, 0 not (json-v0.23)\n");
    validate("", v1beta1.lines[0]); /* without a newline */
    assert_said(0, "-: 1 lines, 1 valid, 0 not (json-v1beta1)\n");
}

static void failing_lines_are_told_with_number_pointer_and_reason(void **state)
{
    (void)state;
    validate("", JOIN(v0_23.lines[0], "", v0_23.lines[1], "{", "{\"eventName\":\"mlok\"}"));
    assert_said(1, "line 2: empty");
    assert_said(1, "line 4: not JSON: ");
    assert_said(1, "line 5: /eventName: ");
    assert_said(1, "-: 5 lines, 2 valid, 3 not (json-v0.23)\n");
}

static unsigned int count_lines(const char *text)
{
    unsigned int lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void an_event_of_others_is_named_with_those_that_are_known(void **state)
{
    (void)state;
    validate("--dialect json", "{\"timestamp\":1,\"eventName\":\"openat\"}\n");
    assert_said(1, "line 1: /eventName: 'openat' is none of process_mrelease, do_mrelease, mlock,");
    validate("--dialect json-v1beta1", "{\"name\":\"security_file_open\"}\n");
    assert_said(1, "/name: 'security_file_open' is none of process_mrelease, ");
}

static void bounds_are_the_integers_that_they_are(void **state)
{
    char *line = strdup(v0_23.lines[0]), *number = strstr(line, "\"timestamp\":"), *text;

    (void)state;
    assert_non_null(number);
    number += strlen("\"timestamp\":");
    assert_true(asprintf(&text, "%.*s9223372036854775808%s\n", (int)(number - line), line,
                         number + strspn(number, "0123456789")) > 0);
    validate("", text);
    assert_said(1, "line 1: /timestamp: Expected number less than or equal to "
                   "9223372036854775807\n");
    free(text);
    free(line);
}

static void a_file_that_is_indented_is_told_once(void **state)
{
    (void)state;
    validate("", JOIN("{", "  \"timestamp\": 1,", "  \"args\": [", "    {", "      \"a\": 1",
                      "    }", "  ]", "}", "{", "  \"timestamp\": 2", "}"));
    assert_said(1, "line 1: not JSON: what begins here is spread over several lines");
    assert_said(1, "-: 11 lines, 0 valid, 11 not");
    assert_int_equal(count_lines(outcome.said), 2);
    validate("", JOIN("[", v0_23.lines[0], "{\"eventName\":\"mlok\"}", "]"));
    assert_said(1, "line 1: not JSON: what begins here is spread");
    assert_said(1, "line 3: /eventName: 'mlok' is none of");
}

/* Names of keys and of files, on both streams. */
static void nothing_that_steers_a_terminal_is_printed(void **state)
{
    (void)state;
    validate("--dialect json", "{\"timestamp\":1,\"a\\u001b[31m\":1}\n");
    assert_int_equal(outcome.status, 1);
    assert_null(strchr(outcome.said, '\033'));
    /* OSC as one character, U+202E and U+200B, in a key and in a value. */
    validate("--format json",
             "{\"a\\u009d0;x\\u0007\xe2\x80\xae\":1,\"eventName\":\"m\xe2\x80\x8bk\"}\n");
    assert_int_equal(outcome.status, 1);
    for (const char *at = outcome.said; *at; at++)
        assert_true(*at == '\n' || isprint((unsigned char)*at));
    run("validate '/nonexistent\033[31m\n'", NULL);
    assert_string_equal(outcome.said, "mrelease: /nonexistent?[31m?: No such file or directory\n");
}

static void a_file_is_held_to_its_first_dialect(void **state)
{
    const char *plain = "{\"eventName\":\"munlockall\"}"; /* tells nothing */

    (void)state;
    validate("", JOIN(v0_24.lines[0], v0_23.lines[0], v1beta1.lines[0]));
    assert_said(1, "3 lines, 1 valid, 2 not (json-v0.24)");
    assert_said(1, "line 2: /args/0/type: ");
    validate("", JOIN(plain, v1beta1.lines[0]));
    assert_said(1, "2 lines, 1 valid, 1 not (json-v1beta1)");
    validate("--dialect json-v0.24", JOIN(v0_23.lines[0], v0_24.lines[0]));
    assert_said(1, "2 lines, 1 valid, 1 not (json-v0.24)");
    validate("--dialect json", JOIN(v0_23.lines[0]));
    assert_said(0, "(json-v0.23)");
}

static void json_reports_are_objects_by_line(void **state)
{
    json_t *fault, *totals;
    char *end;

    (void)state;
    validate("--format json", JOIN(v0_23.lines[0], "{\"eventName\":\"\xc3\"}"));
    end = strchr(outcome.said, '\n');
    assert_true(outcome.status == 1 && end);
    *end = '\0';
    fault = json_loads(outcome.said, 0, NULL);
    totals = json_loads(end + 1, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(fault, "line")), 2);
    assert_string_equal(json_string_value(json_object_get(fault, "pointer")), "");
    assert_true(json_string_length(json_object_get(fault, "reason")) > 0);
    assert_int_equal(json_integer_value(json_object_get(totals, "lines")), 2);
    assert_int_equal(json_integer_value(json_object_get(totals, "valid")), 1);
    assert_int_equal(json_integer_value(json_object_get(totals, "invalid")), 1);
    assert_string_equal(json_string_value(json_object_get(totals, "dialect")), "json-v0.23");
    json_decref(fault);
    json_decref(totals);
}

static void wrong_arguments_are_one_line_and_exit_2(void **state)
{
    static const struct {
        const char *arguments, *says;
        int status;
    } cases[] = {
        { "validate", "which file?", 2 },
        { "validate - -", "unexpected operand", 2 },
        { "validate --dialect json-v0.25 -", "did you mean 'json-v0.2", 2 },
        { "validate --format jsn -", "did you mean 'json'", 2 },
        { "validate --dialekt x -", "did you mean '--dialect'", 2 },
        { "validate /nonexistent/file", "No such file", 1 },
        { "validate /", "Is a directory", 1 },
        { "schema --dialect v1beta1", "json-v1beta1", 2 },
        { "schema extra", "unexpected operand", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *end;

        run(cases[i].arguments, NULL);
        assert_said(cases[i].status, cases[i].says);
        end = strchr(outcome.said, '\n');
        assert_true(!strncmp(outcome.said, "mrelease: ", 10) && end && !end[1]);
    }
}

/* The exact text is what ci/check compares with schemas/. */
static void schemas_are_printed_with_id_and_tags(void **state)
{
    static const char *const dialects[] = { "json-v0.23", "json-v0.24", "json-v1beta1" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        char arguments[64], id[64];

        snprintf(arguments, sizeof(arguments), "schema --dialect %s", dialects[i]);
        snprintf(id, sizeof(id), "\"$id\": \"urn:mrelease:schema:%s:2\"", dialects[i]);
        run(arguments, NULL);
        assert_said(0, id);
        assert_said(0, "\"x-tracee-tags\": [\"K\"");
        run("schema --list", NULL);
        assert_said(0, dialects[i]);
        run("version", NULL);
        snprintf(id, sizeof(id), "schema   %s 2\n", dialects[i]);
        assert_said(0, id);
    }
}

/* The greatest resident set of a child that reads `bytes` of `line` over and over, in KiB. */
static long peak_kib(const char *line, long bytes)
{
    FILE *file = tmpfile();
    struct rusage usage;

    assert_non_null(file);
    for (long written = 0; written < bytes; written += (long)strlen(line))
        fputs(line, file);
    run("validate -", file);
    fclose(file);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss;
}

static void memory_does_not_grow_with_the_file(void **state)
{
    char line[8192];
    long small;

    (void)state;
#ifdef MRL_SANITIZED
    skip_because("AddressSanitizer keeps what is freed");
#endif
    snprintf(line, sizeof(line), "%s \n", v0_23.lines[0]); /* a valid line, for the validator too */
    small = peak_kib(line, 64 * 1024);
    assert_said(0, " 0 not");
    assert_in_range(peak_kib(line, 4 * 1024 * 1024), 0, small + 1024);
    assert_said(0, " 0 not");
    assert_in_range(peak_kib("no end ", 32 * 1024 * 1024), 0, small + 1024);
    assert_said(1, "line 1: longer than 65535 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_lines_are_counted),
        cmocka_unit_test(failing_lines_are_told_with_number_pointer_and_reason),
        cmocka_unit_test(an_event_of_others_is_named_with_those_that_are_known),
        cmocka_unit_test(bounds_are_the_integers_that_they_are),
        cmocka_unit_test(a_file_that_is_indented_is_told_once),
        cmocka_unit_test(nothing_that_steers_a_terminal_is_printed),
        cmocka_unit_test(a_file_is_held_to_its_first_dialect),
        cmocka_unit_test(json_reports_are_objects_by_line),
        cmocka_unit_test(wrong_arguments_are_one_line_and_exit_2),
        cmocka_unit_test(schemas_are_printed_with_id_and_tags),
        cmocka_unit_test(memory_does_not_grow_with_the_file),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
