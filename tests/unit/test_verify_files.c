// SPDX-License-Identifier: Apache-2.0
/* The verb verify: sets of files and directories, and files that are none of a stream. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "command/verify/line.h"
#include "unit/folders.h"
#include "unit/streams.h"
#include "unit/unit.h"

/* -- sets ------------------------------------------------------------------------------------- */

static void a_lost_file_is_a_hole_with_a_number(void **state)
{
    static const struct stream_line later[] = {
        { .kind = STREAM_ALIVE, .so_far = 7 },
        { .kind = STREAM_EVENT, .seq = 7, .lane = 1 },
        { .kind = STREAM_STOPPED, .so_far = 8 },
    };
    struct folder *folder = *state;

    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_HALF, 0);
    stream__write(folder__name(folder, "b"), STREAM_GZIP, later, 3, 0);
    folder__assert_verdict(
        folder, true, FOLDER_CHANGED,
        "b: events 1..6 of run 00000000deadbeef-0000000000000000 are in no file (6): "
        "they came behind ");
    folder__assert_verdict(folder, true, FOLDER_CHANGED,
                           "b: cpu 0, lane 1 (busy): 1..6 missing (6)");
    folder__assert_verdict(folder, true, FOLDER_CHANGED,
                           "not complete: 2 events, 1 gaps, 6 missing");
}

/* Each counts its own lines: what is whole is whole beside the other, and what is not is not. */
static void the_outputs_of_a_run_are_a_stream_each(void **state)
{
    struct folder *folder = *state;
    struct stream_line other[FOLDER_WHOLE];

    memcpy(other, folder_lines, sizeof(other));
    for (unsigned int i = 0; i < FOLDER_WHOLE; i++)
        other[i].output = 12;
    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_HALF, 0);
    stream__write(folder__name(folder, "b"), STREAM_PLAIN, other, FOLDER_HALF, 0);
    stream__write(folder__name(folder, "c"), STREAM_GZIP, other + FOLDER_HALF, FOLDER_HALF, 0);
    folder__assert_verdict(folder, true, FOLDER_OPEN,
                           "run 00000000deadbeef-0000000000000000/12: 2 events, ");
    folder__assert_verdict(folder, true, FOLDER_OPEN,
                           "  no end: it goes on, was killed, or its last file");
    folder__assert_verdict(folder, true, FOLDER_OPEN,
                           "2 outputs of runs, 1 without a start or an end\n");
    stream__write(folder__name(folder, "d"), STREAM_PLAIN, folder_lines + FOLDER_HALF, FOLDER_HALF,
                  0);
    folder__assert_verdict(folder, true, FOLDER_COMPLETE, "complete: 4 events, 0 gaps, 0 missing");
}

static void a_file_that_is_there_twice_is_named(void **state)
{
    struct folder *folder = *state;

    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_WHOLE, 0);
    assert_int_equal(link(folder->paths[0], folder__name(folder, "b")), 0);
    folder__assert_verdict(folder, false, FOLDER_COMPLETE, "b: ignored: the same file as ");
    assert_int_equal(unlink(folder->paths[1]), 0);
    stream__write(folder->paths[1], STREAM_GZIP, folder_lines, FOLDER_WHOLE, 0);
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "events 0..1 of run ");
    folder__assert_verdict(folder, false, FOLDER_CHANGED,
                           "this run has started already: it is here twice");
}

static void what_is_no_stream_in_a_directory_is_named_and_left_out(void **state)
{
    static const struct {
        const char *name, *bytes, *says;
    } others[] = {
        { "x.txt", "hello\nworld\n", "x.txt: ignored: no line of its first mebibyte is an event" },
        { "empty", "", "empty: ignored: empty" },
        { "strict.json",
          "{\"timestamp\":1,\"processorId\":0,\"eventName\":\"mlock\",\"args\":[]}\n",
          "strict.json: ignored: no line" },
        { "x.xz",
          "\xfd"
          "7zXZ\0",
          "x.xz: ignored: no line" },
    };
    struct folder *folder = *state;

    stream__write(folder__name(folder, "a\n\033[1m"), STREAM_PLAIN, folder_lines, FOLDER_WHOLE, 0);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        stream__write_bytes(folder__name(folder, others[i].name), STREAM_PLAIN, others[i].bytes,
                            strlen(others[i].bytes));
    assert_int_equal(mkdir(folder__name(folder, "below"), 0700), 0);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        folder__assert_verdict(folder, true, FOLDER_COMPLETE, others[i].says);
    folder__assert_verdict(folder, true, FOLDER_COMPLETE, "below: ignored: a directory");
}

/* Names of files, and what lines say: a byte that steers a terminal reaches none. */
static void nothing_that_steers_a_terminal_is_printed(void **state)
{
    static const char bytes[] =
        "\033[31m\n"
        "{\"timestamp\":1,\"processorId\":0,\"eventName\":\"events_lost\",\"args\":["
        "{\"name\":\"event\",\"value\":\"mlock\"},"
        "{\"name\":\"cause\",\"value\":\"a\\u001b[31m\\ncomplete: b\"},"
        "{\"name\":\"count\",\"value\":1}]}\n";
    struct folder *folder = *state;
    char *said;

    stream__write_bytes(folder__name(folder, "a\033[1m"), STREAM_PLAIN, bytes, sizeof(bytes) - 1);
    assert_int_equal(link(folder->paths[0], folder__name(folder, "b\033[1m")), 0);
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "ignored: the same file as ");
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "line 1: '[' or '{' expected near '?'");
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "1 mlock lost (a?[31m?complete: b)");
    stream__verify(folder->paths, "table", &said);
    assert_null(strchr(said, '\033'));
    free(said);
}

static void what_cannot_be_read_is_not_complete(void **state)
{
    struct folder *folder = *state;

    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_WHOLE, 0);
    assert_int_equal(symlink("/no/such/file", folder__name(folder, "b")), 0);
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "b: No such file or directory");
    folder__assert_verdict(folder, true, FOLDER_CHANGED,
                           "1 file that cannot be read\nnot complete: ");
    assert_int_equal(unlink(folder->paths[1]), 0);
    stream__write_bytes(folder->paths[1], STREAM_PLAIN,
                        "\xfd"
                        "7zXZ",
                        6);
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "b: packed by xz: unpack it first");
    folder__assert_verdict(folder, true, FOLDER_CHANGED, "b: packed by xz: unpack it first");
    stream__write_bytes(folder->paths[1], STREAM_PLAIN, "\x1f\x8b\x08", 3);
    folder__assert_verdict(folder, true, FOLDER_CHANGED,
                           "b: cut off: what was packed does not end");
}

/* Only its end is not there: what comes before is not damaged by it. */
static void a_torn_line_at_the_end_is_told_also_where_it_is_all(void **state)
{
    struct folder *folder = *state;

    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_HALF, 0);
    stream__write(folder__name(folder, "b"), STREAM_PLAIN, folder_lines + FOLDER_HALF, 1, 20);
    folder__assert_verdict(folder, true, FOLDER_CHANGED,
                           "b: line 1: cut off: the file does not end with a newline");
}

/* -- packed files ----------------------------------------------------------------------------- */

/* -- memory ----------------------------------------------------------------------------------- */

static long memory_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void a_line_without_end_costs_no_memory(void **state)
{
    enum { BYTES = 1 << 26, LIMIT_KIB = BYTES / 1024 / 4 }; /* the sanitizers keep some */
    struct folder *folder = *state;
    char *bytes = malloc(BYTES);
    long before;

    assert_non_null(bytes);
    memset(bytes, 'x', BYTES);
    stream__write_bytes(folder__name(folder, "a"), STREAM_ZSTD, bytes, BYTES);
    stream__write_bytes(folder__name(folder, "b"), STREAM_GZIP, bytes, BYTES);
    free(bytes);
    before = memory_kib();
    folder__assert_verdict(folder, false, FOLDER_CHANGED, "a: line 1: ");
    assert_in_range(memory_kib() - before, 0, LIMIT_KIB);
}

/* -- json ------------------------------------------------------------------------------------- */

/* Returns the last object; counts those of a kind. */
static json_t *read_objects(char *said, const char *kind, unsigned int *ret_count)
{
    json_t *object = NULL;

    *ret_count = 0;
    for (char *line, *rest = said; (line = strsep(&rest, "\n")) && *line;) {
        json_decref(object);
        object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!object)
            fail_case("not JSON: %s", line);
        *ret_count += !strcmp(json_string_value(json_object_get(object, "kind")), kind);
    }
    return object;
}

static void a_report_as_json_ends_with_the_verdict(void **state)
{
    struct folder *folder = *state;
    unsigned int count;
    json_t *verdict;
    char *said;

    stream__write(folder__name(folder, "a\xff"), STREAM_PLAIN, folder_lines + FOLDER_HALF,
                  FOLDER_HALF, 0);
    stream__write(folder__name(folder, "b"), STREAM_PLAIN, folder_lines + 2, 1, 0);
    assert_int_equal(stream__verify(folder->paths, "json", &said), FOLDER_OPEN);
    verdict = read_objects(said, "run", &count);
    assert_int_equal(count, 1);
    assert_string_equal(json_string_value(json_object_get(verdict, "kind")), "verdict");
    assert_string_equal(json_string_value(json_object_get(verdict, "verdict")),
                        "not proven complete");
    assert_int_equal(json_integer_value(json_object_get(verdict, "status")), FOLDER_OPEN);
    assert_int_equal(json_integer_value(json_object_get(verdict, "events")), 1);
    json_decref(verdict);
    free(said);
}

static void each_finding_is_an_object(void **state)
{
    static const struct {
        struct stream_line lines[3];
        const char *kind;
    } cases[] = {
        { { { .kind = STREAM_EVENT, .seq = 0 }, { .kind = STREAM_EVENT, .seq = 2 } }, "gap" },
        { { { .kind = STREAM_EVENT, .seq = 0 }, { .kind = STREAM_LOST } }, "lost" },
        { { { .kind = STREAM_ALIVE }, { .kind = STREAM_EVENT }, { .kind = STREAM_EVENT } },
          "doubled" },
        { { { .kind = STREAM_ALIVE }, { .kind = STREAM_EVENT }, { .kind = STREAM_ALIVE } },
          "more" },
        { { { .kind = STREAM_ALIVE },
            { .kind = STREAM_EVENT, .seq = 4 },
            { .kind = STREAM_ALIVE, .so_far = 3 } },
          "fewer" },
        { { { .kind = STREAM_ALIVE }, { .kind = STREAM_ALIVE, .so_far = 2 } }, "hole" },
        { { { .kind = STREAM_EVENT }, { .kind = STREAM_EVENT, .seq = 1 } }, "numbers" },
    };
    struct folder *folder = *state;
    const char *path = folder__name(folder, "a");

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned int count =
            2 + !!memcmp(&cases[i].lines[2], &(struct stream_line){ 0 }, sizeof(cases[i].lines[2]));
        char *said;

        count = !strcmp(cases[i].kind, "doubled") ? 3 : count;
        stream__write(path, STREAM_PLAIN, cases[i].lines, count, 0);
        stream__verify(folder->paths, "json", &said);
        json_decref(read_objects(said, cases[i].kind, &count));
        if (!count)
            fail_case("no %s", cases[i].kind);
        free(said);
    }
}

/* -- the fast path ---------------------------------------------------------------------------- */

static void the_lines_of_an_encoder_take_the_fast_path(void **state)
{
    static const char line[] =
        "{\"timestamp\":1763467321987654321,\"threadStartTime\":1763467200123456789,"
        "\"processorId\":6,\"processId\":4242,\"processName\":\"o\\\"\\u003c\xc3\xa9\xf0\x9f\x98\x80\",\"executable\":{\"path\":\"\"},"
        "\"container\":{},\"eventId\":\"150\",\"eventName\":\"munlock\",\"matchedPolicies\":[\"\"],"
        "\"returnValue\":-22,\"stackAddresses\":null,\"contextFlags\":{\"containerStarted\":false,"
        "\"isCompat\":true},\"args\":[{\"name\":\"addr\",\"type\":\"const void*\","
        "\"value\":18446744073709551615},{\"name\":\"seq\",\"type\":\"unsigned long\",\"value\":77},"
        "{\"name\":\"lane\",\"type\":\"unsigned int\",\"value\":1},{\"name\":\"target_name\","
        "\"type\":\"const char*\",\"value\":null}]}\n";
    struct mrl_line read;

    (void)state;
    assert_true(mrl_line__scan(line, sizeof(line) - 2, &read));
    assert_int_equal(read.cpu, 6);
    assert_int_equal(read.seq, 77);
    assert_int_equal(read.lane, 1);
    for (size_t size = 0; size < sizeof(line) - 2; size++) {
        char torn[sizeof(line)];

        memcpy(torn, line, size);
        torn[size] = '\n';
        assert_false(mrl_line__scan(torn, size, &read));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_lost_file_is_a_hole_with_a_number),
        IN_FOLDER(the_outputs_of_a_run_are_a_stream_each),
        IN_FOLDER(a_file_that_is_there_twice_is_named),
        IN_FOLDER(what_is_no_stream_in_a_directory_is_named_and_left_out),
        IN_FOLDER(nothing_that_steers_a_terminal_is_printed),
        IN_FOLDER(what_cannot_be_read_is_not_complete),
        IN_FOLDER(a_torn_line_at_the_end_is_told_also_where_it_is_all),
        IN_FOLDER(a_line_without_end_costs_no_memory),
        IN_FOLDER(a_report_as_json_ends_with_the_verdict),
        IN_FOLDER(each_finding_is_an_object),
        cmocka_unit_test(the_lines_of_an_encoder_take_the_fast_path),
    };

    return cmocka_run_group_tests_name("verify, files", tests, NULL, NULL);
}
