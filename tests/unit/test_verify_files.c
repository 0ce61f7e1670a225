// SPDX-License-Identifier: Apache-2.0
/* The verb verify: sets of files and directories, packed files, files that are none of a stream. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "command/verify/line.h"
#include "unit/streams.h"
#include "unit/unit.h"

enum { FILES_MAX = 8, COMPLETE = 0, CHANGED = 1, OPEN = 3 };

/* A run of two events in two files, and the first of another. */
static const struct stream_line lines[] = {
    { .kind = STREAM_STARTED, .so_far = 0 },       { .kind = STREAM_EVENT, .seq = 0, .lane = 1 },
    { .kind = STREAM_ALIVE, .so_far = 1 },         { .kind = STREAM_ALIVE, .so_far = 1 },
    { .kind = STREAM_EVENT, .seq = 1, .lane = 1 }, { .kind = STREAM_STOPPED, .so_far = 2 },
};

enum { HALF = 3, WHOLE = 6 };

struct folder {
    char path[64];
    char *paths[FILES_MAX + 1];
    unsigned int count;
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    assert_non_null(folder);
    stream__make_directory(folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;

    stream__remove_directory(folder->path);
    for (unsigned int i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder);
    return 0;
}

/* Names a file of the folder, which need not be there. */
static const char *name(struct folder *folder, const char *text)
{
    char **path = &folder->paths[folder->count++];

    assert_in_range(folder->count, 1, FILES_MAX);
    assert_true(asprintf(path, "%s/%s", folder->path, text) > 0);
    return *path;
}

static void assert_verdict(struct folder *folder, bool whole, int status, const char *says)
{
    char *alone[] = { folder->path, NULL }, *said;
    int got = stream__verify(whole ? alone : folder->paths, "table", &said);

    if (got != status || !strstr(said, says))
        fail_case("%d, and no '%s' in: %s", got, says, said);
    free(said);
}

/* -- sets ------------------------------------------------------------------------------------- */

static void a_set_is_one_stream_however_it_is_packed(void **state)
{
    struct folder *folder = *state;

    for (enum stream_packing packing = 0; packing < STREAM_PACKINGS; packing++) {
        folder->count = 0;
        stream__write(name(folder, "a"), packing, lines + HALF, HALF, 0);
        stream__write(name(folder, "b"), STREAM_PLAIN, lines, HALF, 0);
        assert_verdict(folder, false, COMPLETE, "complete: 2 events");
        assert_verdict(folder, true, COMPLETE, "complete: 2 events");
        free(folder->paths[0]);
        free(folder->paths[1]);
        memset(folder->paths, 0, sizeof(folder->paths));
    }
    folder->count = 0;
}

static void a_lost_file_is_a_hole_with_a_number(void **state)
{
    static const struct stream_line later[] = {
        { .kind = STREAM_ALIVE, .so_far = 7 },
        { .kind = STREAM_EVENT, .seq = 7, .lane = 1 },
        { .kind = STREAM_STOPPED, .so_far = 8 },
    };
    struct folder *folder = *state;

    stream__write(name(folder, "a"), STREAM_PLAIN, lines, HALF, 0);
    stream__write(name(folder, "b"), STREAM_GZIP, later, 3, 0);
    assert_verdict(folder, true, CHANGED,
                   "b: events 1..6 of run 00000000deadbeef-0000000000000000 are in no file (6): "
                   "they came behind ");
    assert_verdict(folder, true, CHANGED, "b: cpu 0, lane 1 (busy): 1..6 missing (6)");
    assert_verdict(folder, true, CHANGED, "not complete: 2 events, 1 gaps, 6 missing");
}

/* Each counts its own lines: what is whole is whole beside the other, and what is not is not. */
static void the_outputs_of_a_run_are_a_stream_each(void **state)
{
    struct folder *folder = *state;
    struct stream_line other[WHOLE];

    memcpy(other, lines, sizeof(other));
    for (unsigned int i = 0; i < WHOLE; i++)
        other[i].output = 12;
    stream__write(name(folder, "a"), STREAM_PLAIN, lines, HALF, 0);
    stream__write(name(folder, "b"), STREAM_PLAIN, other, HALF, 0);
    stream__write(name(folder, "c"), STREAM_GZIP, other + HALF, HALF, 0);
    assert_verdict(folder, true, OPEN, "run 00000000deadbeef-0000000000000000/12: 2 events, ");
    assert_verdict(folder, true, OPEN, "  no end: it goes on, was killed, or its last file");
    assert_verdict(folder, true, OPEN, "2 outputs of runs, 1 without a start or an end\n");
    stream__write(name(folder, "d"), STREAM_PLAIN, lines + HALF, HALF, 0);
    assert_verdict(folder, true, COMPLETE, "complete: 4 events, 0 gaps, 0 missing");
}

static void a_file_that_is_there_twice_is_named(void **state)
{
    struct folder *folder = *state;

    stream__write(name(folder, "a"), STREAM_PLAIN, lines, WHOLE, 0);
    assert_int_equal(link(folder->paths[0], name(folder, "b")), 0);
    assert_verdict(folder, false, COMPLETE, "b: ignored: the same file as ");
    assert_int_equal(unlink(folder->paths[1]), 0);
    stream__write(folder->paths[1], STREAM_GZIP, lines, WHOLE, 0);
    assert_verdict(folder, false, CHANGED, "events 0..1 of run ");
    assert_verdict(folder, false, CHANGED, "this run has started already: it is here twice");
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

    stream__write(name(folder, "a\n\033[1m"), STREAM_PLAIN, lines, WHOLE, 0);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        stream__write_bytes(name(folder, others[i].name), STREAM_PLAIN, others[i].bytes,
                            strlen(others[i].bytes));
    assert_int_equal(mkdir(name(folder, "below"), 0700), 0);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_verdict(folder, true, COMPLETE, others[i].says);
    assert_verdict(folder, true, COMPLETE, "below: ignored: a directory");
}

/* It may be the part of the stream that is missing: left out in silence, it would be. */
static void what_others_pack_is_named_and_not_left_out(void **state)
{
    static const struct {
        const char *says, magic[8];
        size_t size;
    } packed[] = {
        { "packed by lz4: unpack it first", { 4, 0x22, 0x4d, 0x18 }, 4 },
        { "packed by lzma: unpack it first", { 0x5d, 0, 0 }, 3 },
        { "packed by zip: unpack it first", { 'P', 'K', 3, 4 }, 4 },
        { "packed by xz: unpack it first", { (char)0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
        { "packed by bzip2: unpack it first", { 'B', 'Z', 'h' }, 3 },
    };
    struct folder *folder = *state;
    char bytes[64] = "";

    stream__write(name(folder, "a"), STREAM_PLAIN, lines, WHOLE, 0);
    name(folder, "b");
    for (size_t i = 0; i < COUNT_OF(packed); i++) {
        memcpy(bytes, packed[i].magic, packed[i].size);
        stream__write_bytes(folder->paths[1], STREAM_PLAIN, bytes, sizeof(bytes));
        assert_verdict(folder, true, CHANGED, packed[i].says);
    }
}

/* pzstd writes a frame that says nothing before each that has data. */
static void what_pzstd_packed_is_read(void **state)
{
    static const unsigned char nothing[12] = { 0x50, 0x2a, 0x4d, 0x18, 4 };
    struct folder *folder = *state;
    const char *const path = name(folder, "a");
    char text[8192], bytes[8192];
    FILE *file;
    size_t size;

    stream__write(path, STREAM_PLAIN, lines, WHOLE, 0);
    file = fopen(path, "re");
    assert_non_null(file);
    size = fread(text, 1, sizeof(text), file);
    fclose(file);
    memcpy(bytes, nothing, sizeof(nothing));
    size = ZSTD_compress(bytes + sizeof(nothing), sizeof(bytes) - sizeof(nothing), text, size, 1);
    assert_false(ZSTD_isError(size));
    stream__write_bytes(path, STREAM_PLAIN, bytes, sizeof(nothing) + size);
    assert_verdict(folder, true, COMPLETE, "complete: 2 events");
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

    stream__write_bytes(name(folder, "a\033[1m"), STREAM_PLAIN, bytes, sizeof(bytes) - 1);
    assert_int_equal(link(folder->paths[0], name(folder, "b\033[1m")), 0);
    assert_verdict(folder, false, CHANGED, "ignored: the same file as ");
    assert_verdict(folder, false, CHANGED, "line 1: '[' or '{' expected near '?'");
    assert_verdict(folder, false, CHANGED, "1 mlock lost (a?[31m?complete: b)");
    stream__verify(folder->paths, "table", &said);
    assert_null(strchr(said, '\033'));
    free(said);
}

static void what_cannot_be_read_is_not_complete(void **state)
{
    struct folder *folder = *state;

    stream__write(name(folder, "a"), STREAM_PLAIN, lines, WHOLE, 0);
    assert_int_equal(symlink("/no/such/file", name(folder, "b")), 0);
    assert_verdict(folder, false, CHANGED, "b: No such file or directory");
    assert_verdict(folder, true, CHANGED, "1 file that cannot be read\nnot complete: ");
    assert_int_equal(unlink(folder->paths[1]), 0);
    stream__write_bytes(folder->paths[1], STREAM_PLAIN,
                        "\xfd"
                        "7zXZ",
                        6);
    assert_verdict(folder, false, CHANGED, "b: packed by xz: unpack it first");
    assert_verdict(folder, true, CHANGED, "b: packed by xz: unpack it first");
    stream__write_bytes(folder->paths[1], STREAM_PLAIN, "\x1f\x8b\x08", 3);
    assert_verdict(folder, true, CHANGED, "b: cut off: what was packed does not end");
}

/* Only its end is not there: what comes before is not damaged by it. */
static void a_torn_line_at_the_end_is_told_also_where_it_is_all(void **state)
{
    struct folder *folder = *state;

    stream__write(name(folder, "a"), STREAM_PLAIN, lines, HALF, 0);
    stream__write(name(folder, "b"), STREAM_PLAIN, lines + HALF, 1, 20);
    assert_verdict(folder, true, CHANGED,
                   "b: line 1: cut off: the file does not end with a newline");
}

/* -- packed files ----------------------------------------------------------------------------- */

static size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    size = fread(bytes, 1, size, file);
    fclose(file);
    return size;
}

static void packed_files_that_are_cut_or_damaged_are_told(void **state)
{
    struct folder *folder = *state;
    static char bytes[4096];
    const char *path = name(folder, "a");

    for (enum stream_packing packing = STREAM_GZIP; packing < STREAM_PACKINGS; packing++) {
        size_t size;

        stream__write(path, packing, lines, WHOLE, 0);
        size = read_file(path, bytes, sizeof(bytes));
        for (size_t cut = 12; cut < size; cut += 7) {
            stream__write_bytes(path, STREAM_PLAIN, bytes, cut);
            assert_verdict(folder, false, CHANGED, "a: cut off: what was packed does not end");
        }
        bytes[size / 2] ^= 0x55;
        bytes[size / 2 + 1] ^= 0x55;
        stream__write_bytes(path, STREAM_PLAIN, bytes, size);
        assert_verdict(folder, false, CHANGED, "a: damaged: what ");
    }
}

/* As `cat a.gz b.gz` makes them, and tapes. */
static void packed_files_may_be_put_together(void **state)
{
    struct folder *folder = *state;
    static char bytes[8192];
    const char *path = name(folder, "a");

    for (enum stream_packing packing = STREAM_GZIP; packing < STREAM_PACKINGS; packing++) {
        size_t size;

        stream__write(path, packing, lines + HALF, HALF, 0);
        size = read_file(path, bytes, sizeof(bytes));
        stream__write(path, packing, lines, HALF, 0);
        size += read_file(path, bytes + size, sizeof(bytes) - size);
        if (packing == STREAM_GZIP) {
            memset(bytes + size, 0, 100);
            size += 100;
        }
        stream__write_bytes(path, STREAM_PLAIN, bytes, size);
        assert_verdict(folder, false, COMPLETE, "complete: 2 events");
    }
}

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
    stream__write_bytes(name(folder, "a"), STREAM_ZSTD, bytes, BYTES);
    stream__write_bytes(name(folder, "b"), STREAM_GZIP, bytes, BYTES);
    free(bytes);
    before = memory_kib();
    assert_verdict(folder, false, CHANGED, "a: line 1: ");
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

    stream__write(name(folder, "a\xff"), STREAM_PLAIN, lines + HALF, HALF, 0);
    stream__write(name(folder, "b"), STREAM_PLAIN, lines + 2, 1, 0);
    assert_int_equal(stream__verify(folder->paths, "json", &said), OPEN);
    verdict = read_objects(said, "run", &count);
    assert_int_equal(count, 1);
    assert_string_equal(json_string_value(json_object_get(verdict, "kind")), "verdict");
    assert_string_equal(json_string_value(json_object_get(verdict, "verdict")),
                        "not proven complete");
    assert_int_equal(json_integer_value(json_object_get(verdict, "status")), OPEN);
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
    const char *path = name(folder, "a");

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
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_set_is_one_stream_however_it_is_packed),
        IN_FOLDER(a_lost_file_is_a_hole_with_a_number),
        IN_FOLDER(the_outputs_of_a_run_are_a_stream_each),
        IN_FOLDER(a_file_that_is_there_twice_is_named),
        IN_FOLDER(what_is_no_stream_in_a_directory_is_named_and_left_out),
        IN_FOLDER(what_others_pack_is_named_and_not_left_out),
        IN_FOLDER(what_pzstd_packed_is_read),
        IN_FOLDER(nothing_that_steers_a_terminal_is_printed),
        IN_FOLDER(what_cannot_be_read_is_not_complete),
        IN_FOLDER(a_torn_line_at_the_end_is_told_also_where_it_is_all),
        IN_FOLDER(packed_files_that_are_cut_or_damaged_are_told),
        IN_FOLDER(packed_files_may_be_put_together),
        IN_FOLDER(a_line_without_end_costs_no_memory),
        IN_FOLDER(a_report_as_json_ends_with_the_verdict),
        IN_FOLDER(each_finding_is_an_object),
        cmocka_unit_test(the_lines_of_an_encoder_take_the_fast_path),
    };

    return cmocka_run_group_tests_name("verify, files", tests, NULL, NULL);
}
