// SPDX-License-Identifier: Apache-2.0
/* The verb verify: what it says of files, and its exit status. Runs the program. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "unit/unit.h"

enum { TEXT_BYTES = 64 * 1024 };

#define EVENT(cpu, seq, lane)                                                        \
    "{\"timestamp\":1,\"processorId\":" #cpu ",\"eventName\":\"munlock\",\"args\":[" \
    "{\"name\":\"addr\",\"type\":\"const void*\",\"value\":18446744073709551615},"   \
    "{\"name\":\"seq\",\"type\":\"unsigned long\",\"value\":" #seq "},"              \
    "{\"name\":\"lane\",\"type\":\"unsigned int\",\"value\":" #lane "}]}\n"

#define LOST(event, count, cause)                                                 \
    "{\"timestamp\":1,\"processorId\":0,\"eventName\":\"events_lost\",\"args\":[" \
    "{\"name\":\"event\",\"type\":\"const char*\",\"value\":\"" event "\"},"      \
    "{\"name\":\"count\",\"type\":\"unsigned long\",\"value\":" #count "},"       \
    "{\"name\":\"cause\",\"type\":\"const char*\",\"value\":\"" cause "\"}]}\n"

struct outcome {
    int status;
    char said[TEXT_BYTES];
};

/* The file is where standard input is. */
static void verify_file(FILE *file, struct outcome *outcome)
{
    char command[4096];
    size_t size;
    FILE *output;
    int status;

    rewind(file);
    snprintf(command, sizeof(command), "'%s' verify - <&%d 2>&1", MRL_TEST_PROGRAM, fileno(file));
    output = popen(command, "r");
    assert_non_null(output);
    size = fread(outcome->said, 1, sizeof(outcome->said) - 1, output);
    outcome->said[size] = '\0';
    status = pclose(output);
    assert_true(WIFEXITED(status));
    outcome->status = WEXITSTATUS(status);
}

static void verify(const char *text, size_t size, struct outcome *outcome)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    verify_file(file, outcome);
    fclose(file);
}

static void verify_says_what_is_missing(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *says;
    } cases[] = {
        { "", 0, "complete: 0 events, 0 gaps" },
        { EVENT(0, 0, 1) EVENT(0, 1, 1), 0, "complete: 2 events, 0 gaps" },
        { EVENT(0, 0, 1) EVENT(1, 0, 1) EVENT(0, 0, 0) EVENT(1, 1, 1), 0, "complete: 4 events" },
        { EVENT(0, 0, 1) EVENT(0, 2, 1), 1, "line 2: cpu 0, lane 1 (busy): 1..1 missing (1)" },
        { EVENT(3, 7, 0), 1, "line 1: cpu 3, lane 0 (rare): 0..6 missing (7)" },
        { EVENT(0, 0, 1) EVENT(0, 2, 1), 1,
          "1 missing, but events_lost says 0: 1 unaccounted for" },
        { EVENT(0, 0, 1) LOST("munlock", 4, "ring_full") EVENT(0, 5, 1), 1,
          "busy lane: 4 missing, as events_lost says" },
        { EVENT(0, 0, 1) LOST("process_mrelease", 4, "ring_full") EVENT(0, 5, 1), 1,
          "busy lane: 4 missing, but events_lost says 0: 4 unaccounted for" },
        { EVENT(0, 0, 1) LOST("mlock", 3, "queue_full"), 1,
          "busy lane: 0 missing, and events_lost says 3: 3 had no later number" },
        { LOST("mlock", 3, "no_memory") EVENT(0, 0, 1), 1, "3 more lost without a number" },
        { LOST("mlock", 4, "exit_missed") EVENT(0, 0, 1), 1, "4 more lost without a number" },
        { EVENT(0, 0, 1) EVENT(0, 1, 1) EVENT(0, 0, 1), 0, "numbers began anew 1 times" },
        { EVENT(0, 5, 1) EVENT(0, 2, 1), 1, "2 gaps, 7 missing" },
        { EVENT(65535, 0, 1), 0, "complete: 1 events" },
        { EVENT(0, 9007199254740992, 1), 1, "0..9007199254740991 missing" },
    };
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        verify(cases[i].text, strlen(cases[i].text), &outcome);
        if (outcome.status != cases[i].status || !strstr(outcome.said, cases[i].says))
            fail_case("case %zu: no '%s', status %d: %s", i, cases[i].says, outcome.status,
                      outcome.said);
    }
}

static void verify_names_bad_lines(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "no json\n", "line 1: " },
        { EVENT(0, 0, 1) "[]\n", "line 2: no event" },
        { EVENT(0, 0, 1) "\n", "line 2: " },
        { EVENT(0, 0, 1) "{\"timestamp\":1",
          "line 2: cut off: the file does not end with a newline" },
        { "{\"eventName\":\"munlock\",\"args\":[]}\n", "line 1: no number: was the file written" },
        { "{\"eventName\":\"munlock\",\"args\":7}\n", "line 1: no number: was the file written" },
        { EVENT(65536, 0, 1), "line 1: processorId, lane or seq" },
        { EVENT(-1, 0, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, 0, 2), "line 1: processorId, lane or seq" },
        { EVENT(0, 0.5, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, 18446744073709551615, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, "0", 1), "line 1: processorId, lane or seq" },
        { LOST("nothing", 1, "ring_full"), "line 1: an events_lost that does not say" },
        { LOST("events_lost", 1, "ring_full"), "line 1: an events_lost that does not say" },
        { LOST("mlock", -1, "ring_full"), "line 1: an events_lost that does not say" },
    };
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        verify(cases[i].text, strlen(cases[i].text), &outcome);
        if (outcome.status != 1 || !strstr(outcome.said, cases[i].says) ||
            !strstr(outcome.said, "1 bad lines"))
            fail_case("case %zu: no '%s', status %d: %s", i, cases[i].says, outcome.status,
                      outcome.said);
    }
}

static void verify_bounds_a_line(void **state)
{
    static char text[1 << 20];
    static struct outcome outcome;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\n';
    verify(text, sizeof(text), &outcome);
    assert_int_equal(outcome.status, 1);
    assert_non_null(strstr(outcome.said, "line 1: longer than any event"));
}

static int run(const char *arguments)
{
    char command[4096];
    int status;

    snprintf(command, sizeof(command), "'%s' verify %s >/dev/null 2>&1", MRL_TEST_PROGRAM,
             arguments);
    status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void verify_wants_one_file_that_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(run(""), 2);
    assert_int_equal(run("one two"), 2);
    assert_int_equal(run("--quick one"), 2);
    assert_int_equal(run("/no/such/file"), 1);
    assert_int_equal(run("/"), 1);
    assert_int_equal(run("/dev/null"), 0);
    assert_int_equal(run("--help"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_says_what_is_missing),
        cmocka_unit_test(verify_names_bad_lines),
        cmocka_unit_test(verify_bounds_a_line),
        cmocka_unit_test(verify_wants_one_file_that_can_be_read),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
