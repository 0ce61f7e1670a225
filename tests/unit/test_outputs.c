// SPDX-License-Identifier: Apache-2.0
/* Outputs: what happens to the events that they are given. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "command/run/outputs.h"
#include "command/session/reopening.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { EVENTS = 200, END_MS = 5000 };

struct fixture {
    struct test_decoder decoder;
    struct mrl_outputs outputs;
    struct mrl_pipeline *pipeline;
    char directory[64];
    char specs[4][PATH_MAX];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/mrelease-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, EVENTS);
    *state = fixture;
    return 0;
}

static int remove_entry(const char *path, const struct stat *entry, int type, struct FTW *walk)
{
    (void)entry;
    (void)type;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

/* "FORMAT:directory/NAME", valid as long as the fixture. */
static const char *spec_of(struct fixture *fixture, const char *format, const char *name)
{
    char *spec = fixture->specs[fixture->outputs.count];

    snprintf(spec, PATH_MAX, "%s:%s/%s", format, fixture->directory, name);
    return spec;
}

static const char *path_of(const char *spec)
{
    return strchr(spec, ':') + 1;
}

static const char *add(struct fixture *fixture, const char *format, const char *name)
{
    const char *spec = spec_of(fixture, format, name);

    assert_int_equal(mrl_outputs__add(&fixture->outputs, spec, NULL), 0);
    return path_of(spec);
}

static int open_all(struct fixture *fixture, struct mrl_error *error)
{
    int err;

    mrl_pipeline__free(fixture->pipeline);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    err = mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, error);
    return err ? err : mrl_pipeline__start(fixture->pipeline, error);
}

static void deliver(struct fixture *fixture, size_t count)
{
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, count);
}

static int end(struct fixture *fixture)
{
    return mrl_pipeline__end(fixture->pipeline, END_MS);
}

static struct mrl_output_counts counts(struct fixture *fixture, unsigned int output)
{
    return mrl_pipeline__counts(fixture->pipeline, output, MRL_EVENT_MLOCK);
}

static void await_delivered(struct fixture *fixture, unsigned int output, uint64_t events)
{
    for (int i = 0; i < END_MS && counts(fixture, output).delivered < events; i++)
        usleep(1000);
    assert_int_equal(counts(fixture, output).delivered, events);
}

static unsigned int lines_of(const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned int lines = 0;
    int byte;

    assert_non_null(file);
    while ((byte = getc(file)) != EOF)
        lines += byte == '\n';
    fclose(file);
    return lines;
}

static void outputs_write_every_event_to_each(void **state)
{
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    const char *table = add(fixture, "table", "events.txt");
    struct mrl_error error;
    struct stat file;

    assert_int_equal(mrl_outputs__add(&fixture->outputs, "none", &error), 0);
    assert_int_equal(open_all(fixture, &error), 0);
    deliver(fixture, EVENTS);
    deliver(fixture, 1);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    assert_int_equal(end(fixture), 0);
    assert_int_equal(lines_of(json), EVENTS + 1);
    assert_int_equal(lines_of(table), EVENTS + 2); /* the titles */
    assert_int_equal(stat(json, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0640);
}

/* What opening made goes again when nothing begins; what was there before stays. */
static void outputs_take_back_files_of_a_start_that_fails(void **state)
{
    struct fixture *fixture = *state;
    const char *made = add(fixture, "json", "made.json");
    const char *kept = add(fixture, "table", "kept.txt");
    struct mrl_error error;

    fclose(fopen(kept, "we"));
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    assert_int_equal(mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, &error), 0);
    mrl_pipeline__free(fixture->pipeline);
    fixture->pipeline = NULL;
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(lines_of(kept), 0);
}

/* One output may make the reader wait; of several, none may make the others wait. What is said
 * counts. */
static void outputs_wait_for_nobody_where_there_are_several(void **state)
{
    struct fixture *fixture = *state;
    const struct mrl_output_spec *specs = fixture->outputs.specs;
    struct mrl_error error;

    add(fixture, "json", "one.json");
    assert_int_equal(open_all(fixture, &error), 0);
    assert_int_equal(specs[0].options.policy, MRL_POLICY_BLOCK);
    add(fixture, "json", "two.json");
    add(fixture, "json,policy=drop-newest", "three.json");
    assert_int_equal(open_all(fixture, &error), 0);
    assert_int_equal(specs[0].options.policy, MRL_POLICY_DROP_OLDEST);
    assert_int_equal(specs[1].options.policy, MRL_POLICY_DROP_OLDEST);
    assert_int_equal(specs[2].options.policy, MRL_POLICY_DROP_NEWEST);
}

/* Where lines may be dropped, a stall of the disk finds room. What is said counts. */
static void outputs_that_may_drop_have_more_room(void **state)
{
    struct fixture *fixture = *state;
    const struct mrl_output_spec *specs = fixture->outputs.specs;
    struct mrl_error error;

    add(fixture, "json", "one.json");
    assert_int_equal(open_all(fixture, &error), 0);
    assert_int_equal(specs[0].options.queue_bytes, 0); /* the library's */
    add(fixture, "json", "two.json");
    add(fixture, "json,queue=1M", "three.json");
    add(fixture, "json,policy=block", "four.json");
    assert_int_equal(open_all(fixture, &error), 0);
    assert_int_equal(specs[1].options.queue_bytes, 32 << 20);
    assert_int_equal(specs[2].options.queue_bytes, 1 << 20);
    assert_int_equal(specs[3].options.queue_bytes, 0);
    assert_int_equal(mrl_outputs__add(&fixture->outputs, "grpc:unix:/tmp/none", NULL), 0);
    assert_int_equal(mrl_outputs__complete(&fixture->outputs, 4, 0)->queue_bytes, 8 << 20);
}

static void outputs_append_to_a_file(void **state)
{
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    struct mrl_error error;

    for (unsigned int round = 1; round <= 2; round++) {
        assert_int_equal(open_all(fixture, &error), 0);
        deliver(fixture, EVENTS);
        assert_int_equal(end(fixture), 0);
        assert_int_equal(lines_of(json), round * EVENTS);
    }
}

static void outputs_follow_a_rotated_file(void **state)
{
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    char old[PATH_MAX];
    struct mrl_error error;

    snprintf(old, sizeof(old), "%s/old", fixture->directory);
    assert_int_equal(open_all(fixture, &error), 0);
    deliver(fixture, 3);
    assert_int_equal(rename(json, old), 0);
    deliver(fixture, 4);
    await_delivered(fixture, 0, 3 + 4);
    mrl_pipeline__reopen(fixture->pipeline);
    deliver(fixture, 5);
    assert_int_equal(end(fixture), 0);
    assert_int_equal(lines_of(old), 3 + 4);
    assert_int_equal(lines_of(json), 5);
}

/* The titles of a table precede its lines in each file, also where nothing follows. */
static void outputs_head_a_rotated_file(void **state)
{
    struct fixture *fixture = *state;
    const char *table = add(fixture, "table", "events");
    char old[PATH_MAX];
    struct mrl_error error;

    snprintf(old, sizeof(old), "%s/old", fixture->directory);
    assert_int_equal(open_all(fixture, &error), 0);
    deliver(fixture, 2);
    await_delivered(fixture, 0, 2);
    mrl_pipeline__reopen(fixture->pipeline); /* nothing was moved */
    deliver(fixture, 1);
    await_delivered(fixture, 0, 3);
    assert_int_equal(rename(table, old), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int ms = 0; ms < 2000 && (access(table, F_OK) || !lines_of(table)); ms++)
        usleep(1000);
    assert_int_equal(lines_of(table), 1);
    deliver(fixture, 4);
    assert_int_equal(end(fixture), 0);
    assert_int_equal(lines_of(old), 1 + 3);
    assert_int_equal(lines_of(table), 1 + 4);
}

/* One file was moved, one was not, two cannot be opened anew, and "none" has nothing to reopen. A
 * FIFO that nobody reads holds nobody up. */
static void outputs_say_what_reopening_did(void **state)
{
    struct fixture *fixture = *state;
    const char *moved = add(fixture, "json", "moved"), *stays = add(fixture, "json", "stays");
    const char *refused = add(fixture, "json", "refused"), *fifo = add(fixture, "json", "fifo");
    char old[PATH_MAX], line[MRL_REOPENING_BYTES], expected[5 * PATH_MAX];

    assert_int_equal(mrl_outputs__add(&fixture->outputs, "none", NULL), 0);
    assert_int_equal(open_all(fixture, NULL), 0);
    assert_false(mrl_reopening__waits(fixture->pipeline));
    snprintf(old, sizeof(old), "%s/old", fixture->directory);
    assert_int_equal(rename(moved, old), 0);
    assert_int_equal(unlink(refused) || mkdir(refused, 0700), 0);
    assert_int_equal(unlink(fifo) || mkfifo(fifo, 0600), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int ms = 0; ms < 2000 && mrl_reopening__waits(fixture->pipeline); ms++)
        usleep(1000);
    snprintf(expected, sizeof(expected),
             "reopened: json:%s; not moved: json:%s; not reopened: json:%s, json:%s", moved, stays,
             refused, fifo);
    assert_string_equal(mrl_reopening__line(fixture->pipeline, line), expected);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0 && !fclose(file), 1);
}

static void assert_file(const char *path, const char *text)
{
    char found[8192] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(found, text);
}

static void outputs_repair_the_end_of_a_file(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "", "" },
        { "\n", "\n" },
        { "{\"timestamp\":1}\n", "{\"timestamp\":1}\n" },
        { "{\"timestamp\":1}\n{\"timestamp\":2,\"thr", "{\"timestamp\":1}\n" },
        { "{\"timestamp\":1}\n{\"time", "{\"timestamp\":1}\n" },
        { "{\"timestamp\":2,\"thr", "" },
        { "{", "" },
        { "TIME  USER\n12:00  root", "TIME  USER\n12:00  root\n" },
        { "{\"other\":1", "{\"other\":1\n" },
    };
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    struct mrl_error error;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file(json, cases[i].before);
        assert_int_equal(open_all(fixture, &error), 0);
        assert_int_equal(end(fixture), 0);
        assert_file(json, cases[i].after);
    }
}

/* Half a line may be one that another run is writing just now. */
static void outputs_repair_no_file_that_others_write(void **state)
{
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    struct mrl_error error;
    int other;

    write_file(json, "{\"timestamp\":1");
    other = open(json, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_SH), 0);
    assert_int_equal(open_all(fixture, &error), 0);
    assert_int_equal(end(fixture), 0);
    close(other);
    assert_file(json, "{\"timestamp\":1");
}

static void outputs_are_closed_again_when_one_cannot_be_opened(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_error error;

    add(fixture, "json", "events.json");
    add(fixture, "json", "no-such-directory/events.json");
    assert_int_equal(open_all(fixture, &error), -ENOENT);
    assert_non_null(strstr(error.text, "no-such-directory/events.json: no such directory"));
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 1); /* and freed with it */
}

static void outputs_refuse_a_symbolic_link(void **state)
{
    struct fixture *fixture = *state;
    const char *link = add(fixture, "json", "link");
    struct mrl_error error;

    assert_int_equal(symlink("target", link), 0);
    assert_int_equal(open_all(fixture, &error), -ELOOP);
    assert_non_null(strstr(error.text, "link is a symbolic link: refused"));
}

static void outputs_end_when_nobody_reads_any_more(void **state)
{
    struct fixture *fixture = *state;
    const char *fifo = add(fixture, "json", "fifo");
    struct mrl_error error;
    int reader;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_int_equal(open_all(fixture, &error), 0);
    deliver(fixture, 1);
    await_delivered(fixture, 0, 1);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    close(reader);
    deliver(fixture, 1);
    for (int i = 0; i < END_MS && mrl_pipeline__alive(fixture->pipeline); i++)
        usleep(1000);
    assert_false(mrl_pipeline__alive(fixture->pipeline));
    deliver(fixture, 1);
    assert_int_equal(end(fixture), -EPIPE);
    assert_int_equal(counts(fixture, 0).delivered, 1);
    assert_int_equal(counts(fixture, 0).dropped_failed, 2);
}

static void outputs_go_on_when_one_of_them_fails(void **state)
{
    struct fixture *fixture = *state;
    const char *json = add(fixture, "json", "events.json");
    struct mrl_error error;

    assert_int_equal(mrl_outputs__add(&fixture->outputs, "json:/dev/full", &error), 0);
    assert_int_equal(open_all(fixture, &error), 0);
    deliver(fixture, EVENTS);
    deliver(fixture, EVENTS);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    assert_int_equal(end(fixture), -ENOSPC);
    assert_int_equal(lines_of(json), 2 * EVENTS);
    assert_int_equal(counts(fixture, 0).delivered, 2 * EVENTS);
    assert_int_equal(counts(fixture, 1).delivered, 0);
    assert_int_equal(counts(fixture, 1).dropped_full + counts(fixture, 1).dropped_failed,
                     2 * EVENTS);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(outputs_write_every_event_to_each),
        test(outputs_take_back_files_of_a_start_that_fails),
        test(outputs_wait_for_nobody_where_there_are_several),
        test(outputs_that_may_drop_have_more_room),
        test(outputs_append_to_a_file),
        test(outputs_follow_a_rotated_file),
        test(outputs_head_a_rotated_file),
        test(outputs_say_what_reopening_did),
        test(outputs_repair_the_end_of_a_file),
        test(outputs_repair_no_file_that_others_write),
        test(outputs_are_closed_again_when_one_cannot_be_opened),
        test(outputs_refuse_a_symbolic_link),
        test(outputs_end_when_nobody_reads_any_more),
        test(outputs_go_on_when_one_of_them_fails),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("outputs", tests, NULL, NULL);
}
