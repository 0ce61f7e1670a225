// SPDX-License-Identifier: Apache-2.0
/* The verb verify: what it says of files, and its exit status. Runs the program. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "unit/unit.h"

enum {
    TEXT_BYTES = 64 * 1024,
    OPEN = 3,
};

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

#define RUN_1 "0123456789abcdef-0000000000000001"
#define RUN_2 "0123456789abcdef-0000000000000002"

#define STATE_OF(run, what, so_far, more)                                            \
    "{\"timestamp\":1763467321987654321,\"processorId\":0,"                          \
    "\"eventName\":\"sensor_state\",\"args\":["                                      \
    "{\"name\":\"what\",\"type\":\"const char*\",\"value\":\"" what "\"},"           \
    "{\"name\":\"detail\",\"type\":\"const char*\",\"value\":\"run=" run "; x=y\"}," \
    "{\"name\":\"by_uid\",\"type\":\"int\",\"value\":null},"                         \
    "{\"name\":\"by_pid\",\"type\":\"int\",\"value\":null},"                         \
    "{\"name\":\"events_so_far\",\"type\":\"unsigned long\",\"value\":" #so_far "}" more "]}\n"

#define STATE(what, so_far)   STATE_OF(RUN_1, what, so_far, "")
#define STATE_2(what, so_far) STATE_OF(RUN_2, what, so_far, "")
#define TIMES(from, to)                                                       \
    ",{\"name\":\"from_ns\",\"type\":\"unsigned long\",\"value\":" #from "}," \
    "{\"name\":\"to_ns\",\"type\":\"unsigned long\",\"value\":" #to "}"

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
    while (getc(output) != EOF) /* what does not fit is read all the same: nobody is cut off */
        continue;
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

struct verdict {
    const char *text;
    int status;
    const char *says;
};

static void assert_verdicts(const struct verdict *cases, size_t count)
{
    static struct outcome outcome;

    for (size_t i = 0; i < count; i++) {
        verify(cases[i].text, strlen(cases[i].text), &outcome);
        if (outcome.status != cases[i].status || !strstr(outcome.said, cases[i].says))
            fail_case("case %zu: no '%s', status %d: %s", i, cases[i].says, outcome.status,
                      outcome.said);
    }
}

static void verify_says_what_is_missing(void **state)
{
    static const struct verdict cases[] = {
        { EVENT(0, 0, 1) EVENT(0, 2, 1), 1, "line 2: cpu 0, lane 1 (busy): 1..1 missing (1)" },
        { STATE("started", 0) EVENT(3, 7, 0), 1, "line 2: cpu 3, lane 0 (rare): 0..6 missing (7)" },
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
        { LOST("sensor_state", 1, "queue_full") EVENT(0, 0, 1), 1, "1 more lost without a number" },
        { STATE("started", 0) EVENT(0, 9007199254740992, 1), 1, "0..9007199254740991 missing" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 2, 1) EVENT(0, 1, 1) STATE("stopped", 3), 1,
          "line 4: cpu 0, lane 1 (busy): 1 is not in its place" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 0, 1) STATE("stopped", 1), 1,
          "line 3: cpu 0, lane 1 (busy): 0 stands there again" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 2, 1) EVENT(0, 1, 1) EVENT(0, 1, 1), 1,
          "line 5: cpu 0, lane 1 (busy): 1 stands there again" },
        /* The number that shows a gap is none of it. */
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 2, 1) EVENT(0, 2, 1) STATE("stopped", 2), 1,
          "line 4: cpu 0, lane 1 (busy): 2 stands there again" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("stopped", 2), 1,
          "line 3: the sensor had written 2 events of run " RUN_1 ", and here are 1: 1 too few" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("stopped", 2), 1, " 1 missing, 0 told" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 1, 1) STATE("stopped", 1), 1, "1 too many" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("alive", 1) STATE("alive", 3) EVENT(0, 3, 1)
              STATE("stopped", 4),
          1, "events 1..2 of run " RUN_1 " are in no file (2)" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("stopped", 1) STATE("started", 0), 1,
          "line 4: this run has started already" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("stopped", 1) STATE("stopped", 1), 1,
          "line 4: this run has ended already" },
    };

    (void)state;
    assert_verdicts(cases, COUNT_OF(cases));
}

static void verify_proves_a_run_from_its_start_to_its_end(void **state)
{
    static const struct verdict cases[] = {
        { STATE("started", 0) STATE("stopped", 0), 0, "complete: 0 events, 0 gaps" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 1, 1) STATE("stopped", 2), 0,
          "complete: 2 events, 0 gaps, 0 missing, 0 told by events_lost, 0 bad lines\n" },
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(1, 0, 1) EVENT(0, 0, 0) STATE("alive", 3)
              EVENT(1, 1, 1) EVENT(65535, 0, 1) STATE("stopped", 5),
          0, ", from its start to its end" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("stopped", 1) STATE_2("started", 0)
              EVENT(0, 0, 1) STATE_2("stopped", 1),
          0, "complete: 2 events, 0 gaps, 0 missing, 0 told by events_lost, 0 bad lines\n" },
        { STATE("started", 0) STATE_OF(RUN_1, "blind", 0, TIMES(1000000000, 3500000000))
              STATE("stopped", 0),
          0,
          "blind: nobody watched from 1970-01-01 00:00:01 UTC to 1970-01-01 00:00:03 UTC (2.500 s)" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("a word of a later program", 1)
              STATE("stopped", 1),
          0, "complete: 1 events" },
    };

    (void)state;
    assert_verdicts(cases, COUNT_OF(cases));
}

static void verify_says_which_start_and_end_is_not_there(void **state)
{
    static const struct verdict cases[] = {
        { "", OPEN, "not proven complete: 0 events, 0 gaps" },
        { EVENT(0, 0, 1) EVENT(0, 1, 1), OPEN,
          "2 events of no named run: no start, no end proven" },
        { EVENT(0, 0, 1) EVENT(0, 1, 1), OPEN, "cpu 0, lane 1 (busy): numbers 0..1 without a gap" },
        { EVENT(0, 3, 1) EVENT(0, 4, 1), OPEN, "cpu 0, lane 1 (busy): numbers 3..4 without a gap" },
        { EVENT(0, 0, 1) EVENT(0, 1, 1) EVENT(0, 0, 1), OPEN, "numbers began anew 1 times" },
        { STATE("started", 0) EVENT(0, 0, 1), 3, "no end: it goes on, was killed, or its last" },
        { STATE("started", 0) EVENT(0, 0, 1), 3, "The sensor confirms none of the 1 events here" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE("alive", 1) EVENT(0, 1, 1), 3,
          "Of the 2 events here the sensor confirms all but the last 1" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE_2("started", 0) STATE_2("stopped", 0), 3,
          "no end, and another run follows" },
        { STATE("alive", 5) EVENT(0, 3, 1) STATE("stopped", 6), 3,
          "no start: the 5 events before are not here" },
        { EVENT(0, 3, 1) STATE("stopped", 6), 3, "no start: the 5 events before are not here" },
        { STATE("stopped", 6), 3, "no start: the 6 events before are not here" },
        { EVENT(0, 3, 1) STATE("alive", 5) EVENT(0, 4, 1) STATE("stopped", 6), 3,
          "cpu 0, lane 1 (busy): numbers 3..4 without a gap" },
        { EVENT(0, 3, 1) STATE("started", 0) STATE("stopped", 0), OPEN,
          "1 events of no named run" },
        { STATE("started", 0) STATE("stopped", 0) EVENT(0, 3, 1), OPEN,
          "1 events of no named run" },
        /* The head of one run and the tail of another, whose numbers fit. */
        { STATE("started", 0) EVENT(0, 0, 1) EVENT(0, 1, 1) STATE_2("stopped", 2), 3,
          "not proven complete: 2 events" },
        { STATE("started", 0) EVENT(0, 0, 1) STATE_2("alive", 1) EVENT(0, 1, 1)
              STATE_2("stopped", 2),
          3, "2 without a start or an end" },
    };

    (void)state;
    assert_verdicts(cases, COUNT_OF(cases));
}

/* Numbers without a name: a smaller one is of another run. */
static void verify_takes_numbers_that_begin_anew_for_another_run(void **state)
{
    static const struct verdict cases[] = {
        { EVENT(0, 5, 1) EVENT(0, 2, 1), 1, "1 gaps, 2 missing" },
        { EVENT(0, 5, 1) EVENT(0, 7, 1) EVENT(0, 6, 1), 1, "6 is not in its place" },
    };

    (void)state;
    assert_verdicts(cases, COUNT_OF(cases));
}

/* Of files put together in any order, since each begins and ends with a sensor_state. */
static void verify_puts_pieces_of_one_stream_in_order(void **state)
{
    static const struct verdict cases[] = {
        { STATE("alive", 1) EVENT(0, 1, 1) STATE("stopped", 2) STATE("started", 0) EVENT(0, 0, 1)
              STATE("alive", 1),
          0, "complete: 2 events" },
        { STATE("alive", 2) EVENT(0, 2, 1) STATE("stopped", 3) STATE("started", 0) EVENT(0, 0, 1)
              STATE("alive", 1),
          1, "events 1..1 of run " RUN_1 " are in no file (1)" },
        { STATE("alive", 1) EVENT(0, 2, 1) STATE("stopped", 2) STATE("started", 0) EVENT(0, 0, 1)
              STATE("alive", 1),
          1, "cpu 0, lane 1 (busy): 1..1 missing (1)" },
        { STATE("alive", 1) EVENT(7, 1, 0) STATE("stopped", 2) STATE("started", 0) EVENT(0, 0, 1)
              STATE("alive", 1),
          1, "cpu 7, lane 0 (rare): 0..0 missing (1)" },
        { STATE("alive", 1) EVENT(0, 0, 1) STATE("stopped", 2) STATE("started", 0) EVENT(0, 0, 1)
              STATE("alive", 1),
          1, "cpu 0, lane 1 (busy): 0 stands there again" },
    };

    (void)state;
    assert_verdicts(cases, COUNT_OF(cases));
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
        { "{\"timestamp\":1,\"processorId\":0,\"eventName\":\"munlock\",\"args\":["
          "{\"name\":\"seq\",\"type\":\"unsigned long\",\"value\":0},"
          "{\"name\":\"lane\",\"type\":\"unsigned int\",\"value\":1}]}}\n",
          "line 1: " }, /* a brace too many */
        { "{\"eventName\":\"munlock\",\"args\":[]}\n", "line 1: no number: was the file written" },
        { "{\"eventName\":\"munlock\",\"args\":7}\n", "line 1: no number: was the file written" },
        { EVENT(65536, 0, 1), "line 1: processorId, lane or seq" },
        { EVENT(-1, 0, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, 0, 2), "line 1: processorId, lane or seq" },
        { EVENT(0, 0.5, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, 18446744073709551615, 1), "line 1: processorId, lane or seq" },
        { EVENT(0, "0", 1), "line 1: processorId, lane or seq" },
        { LOST("nothing", 1, "ring_full"), "line 1: an events_lost that does not say" },
        { LOST("mlock", 0, "ring_full"), "line 1: an events_lost that does not say" },
        { LOST("events_lost", 1, "ring_full"), "line 1: an events_lost that does not say" },
        { LOST("mlock", -1, "ring_full"), "line 1: an events_lost that does not say" },
        { "{\"timestamp\":\"1970-01-01T00:00:00Z\",\"id\":150,\"name\":\"munlock\"}\n",
          "line 1: json-v1beta1 does not say which CPU" },
        { STATE_OF("0123456789abcdef", "alive", 0, ""),
          "line 1: a sensor_state that does not say" },
        { STATE_OF("0123456789abcdef-000000000000000g", "alive", 0, ""),
          "line 1: a sensor_state that does not say" },
        { STATE_OF(RUN_1 "0", "alive", 0, ""), "line 1: a sensor_state that does not say" },
        { STATE("alive", -1), "line 1: a sensor_state that does not say" },
        { STATE("alive", "0"), "line 1: a sensor_state that does not say" },
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

/* Of a million, the first are told and all are counted. */
static void verify_bounds_what_it_says(void **state)
{
    static char text[1 << 20];
    static struct outcome outcome;

    (void)state;
    memset(text, '\n', sizeof(text));
    verify(text, sizeof(text), &outcome);
    assert_int_equal(outcome.status, 1);
    assert_non_null(strstr(outcome.said, "line 1: an empty line\nline 2: "));
    assert_non_null(strstr(outcome.said, "line 1000: an empty line; from here on, bad lines are "
                                         "only counted\nnot complete: "));
    assert_non_null(strstr(outcome.said, " 1048576 bad lines\n"));
}

/* `line` holds a %u, which becomes 1, 2, 3, … times `step`. */
static void verify_many(const char *before,
                        const char *line,
                        unsigned int count,
                        unsigned int step,
                        const char *after,
                        struct outcome *outcome)
{
    char *text;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    assert_non_null(memory);
    fputs(before, memory);
    for (unsigned int i = 1; i <= count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        fprintf(memory, line, i * step);
#pragma GCC diagnostic pop
    }
    fputs(after, memory);
    assert_int_equal(fclose(memory), 0);
    verify(text, size, outcome);
    free(text);
}

/* 2048 times 2^53 is 2^64: what is missing is not nothing. */
static void verify_adds_up_no_loss_to_nothing(void **state)
{
    static const struct {
        const char *before, *line, *after;
    } cases[] = {
        { STATE("started", 0), EVENT(% u, 9007199254740992, 1), STATE("stopped", 2048) },
        { STATE("started", 0), LOST("mlock", 9007199254740992, "ring_full"), STATE("stopped", 0) },
        { STATE("started", 0), LOST("mlock", 9007199254740992, "no_memory"), STATE("stopped", 0) },
    };
    static struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        verify_many(cases[i].before, cases[i].line, 2048, 1, cases[i].after, &outcome);
        if (outcome.status != 1)
            fail_case("case %zu: status %d", i, outcome.status);
    }
}

static double seconds_of_verify(unsigned int places)
{
    static struct outcome outcome;
    struct rusage before, behind;

    getrusage(RUSAGE_CHILDREN, &before);
    verify_many(STATE("started", 0), STATE("alive", % u), places, 2, "", &outcome);
    getrusage(RUSAGE_CHILDREN, &behind);
    assert_int_equal(outcome.status, 1);
    return (double)(behind.ru_utime.tv_sec - before.ru_utime.tv_sec) +
           (double)(behind.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
}

/* Four times as many places where something is missing take some four times as long. */
static void verify_takes_time_by_lines(void **state)
{
    enum { PLACES = 8000 };
    double some = seconds_of_verify(PLACES), more = seconds_of_verify(4 * PLACES);

    (void)state;
    if (more > 10 * some)
        fail_case("%.2f s, and of four times as much %.2f s", some, more);
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

static void verify_wants_files_that_can_be_read(void **state)
{
    (void)state;
    assert_int_equal(run(""), 2);
    assert_int_equal(run("/no/such/file /dev/null"), 1);
    assert_int_equal(run("--format xml one"), 2);
    assert_int_equal(run("--quick one"), 2);
    assert_int_equal(run("/no/such/file"), 1);
    assert_int_equal(run("/dev/null"), 3);
    assert_int_equal(run("--help"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_says_what_is_missing),
        cmocka_unit_test(verify_proves_a_run_from_its_start_to_its_end),
        cmocka_unit_test(verify_says_which_start_and_end_is_not_there),
        cmocka_unit_test(verify_takes_numbers_that_begin_anew_for_another_run),
        cmocka_unit_test(verify_puts_pieces_of_one_stream_in_order),
        cmocka_unit_test(verify_names_bad_lines),
        cmocka_unit_test(verify_adds_up_no_loss_to_nothing),
        cmocka_unit_test(verify_takes_time_by_lines),
        cmocka_unit_test(verify_bounds_a_line),
        cmocka_unit_test(verify_bounds_what_it_says),
        cmocka_unit_test(verify_wants_files_that_can_be_read),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
