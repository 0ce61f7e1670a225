// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_state in outputs: who gets it, what it counts, and that the files of an output, rotated or
 * not, prove their run complete. The files are real, and verify judges them.
 */
#include <fcntl.h>
#include <mrelease/extra.h>
#include <mrelease/pipeline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/output.h"
#include "deliver/output_write.h"
#include "event/state.h"
#include "sinks/rotation.h"
#include "unit/records.h"
#include "unit/streams.h"
#include "unit/unit.h"

#define RUN "00000000deadbeef-0000000000000001"

#define LATER_NS (TEST_ENTRY_NS + UINT64_C(60000000000))

enum { END_MS = 5000, PATH_BYTES = 128, COMPLETE = 0, NOT_PROVEN = 3, TEXT_BYTES = 1 << 18 };

struct fixture {
    char directory[64], path[PATH_BYTES];
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    struct test_record record;
};

static const struct mrl_sink_ops *file_sink(void)
{
    unsigned int count;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(sinks[i]->name, "file"))
            return sinks[i];
    fail_case("no sink called file");
    return NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    stream__make_directory(fixture->directory);
    snprintf(fixture->path, sizeof(fixture->path), "%s/events", fixture->directory);
    test_decoder__init(&fixture->decoder);
    test_record__init(&fixture->record, MRL_EVENT_MLOCK);
    fixture->record.call.seq = 0;
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    stream__remove_directory(fixture->directory);
    free(fixture);
    return 0;
}

static void add_rotated(struct fixture *fixture,
                        const char *path,
                        bool states,
                        const struct mrl_rotation_options *rotation)
{
    struct mrl_output_options options = {
        .size = sizeof(options),
        .name = path,
        .format = "json",
        .sink = file_sink(),
        .destination = path,
        .states = states,
        .sink_options = rotation,
    };

    if (states)
        assert_int_equal(mrl_extras__parse("seq", &options.extras, NULL), 0);
    assert_in_range(mrl_pipeline__add(fixture->pipeline, &options, NULL), 0, MRL_OUTPUTS_MAX);
}

static void add_output(struct fixture *fixture, const char *path, bool states)
{
    add_rotated(fixture, path, states, NULL);
}

/* One line that takes states, and it is a live run. */
static void begin_rotated(struct fixture *fixture, const struct mrl_rotation_options *rotation)
{
    add_rotated(fixture, fixture->path, true, rotation);
    mrl_pipeline__name_run(fixture->pipeline, RUN);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
}

static void begin(struct fixture *fixture)
{
    begin_rotated(fixture, NULL);
}

static void append_state(struct fixture *fixture, enum mrl_what what)
{
    struct mrl_state state = { .what = what, .by_uid = -1, .by_pid = -1, .time_ns = LATER_NS };
    char detail[MRL_STATE_DETAIL_MAX];

    state.detail = (struct mrl_text){ detail, mrl_state__put_detail(RUN, NULL, detail) };
    mrl_state__append(&state, fixture->decoder.batch);
}

static void append_calls(struct fixture *fixture, unsigned int count)
{
    for (; count; count--) {
        test_decoder__event(&fixture->decoder, &fixture->record);
        fixture->record.call.seq++;
    }
}

/* The first `count` events; -1: all. */
static void deliver(struct fixture *fixture, int count)
{
    struct mrl_batch *batch = fixture->decoder.batch;

    mrl_pipeline__deliver(fixture->pipeline, batch,
                          count < 0 ? mrl_batch__count(batch) : (size_t)count);
    batch->count = 0;
    batch->arena.used = 0;
}

static const char *text_of(const char *path)
{
    static char text[TEXT_BYTES];
    FILE *file = fopen(path, "re");
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* One letter per line: what a sensor_state says, or 'e' an event, 'g' a gap. */
static const char *shape(const char *path)
{
    static char letters[256];
    const char *at = text_of(path);
    size_t used = 0;

    for (; *at; at = strchr(at, '\n') + 1) {
        size_t size = strcspn(at, "\n");
        const char *what = memmem(at, size, "\"what\",\"type\":\"const char*\",\"value\":\"", 37);

        letters[used++] = what ? what[37] : memmem(at, size, "\"events_lost\"", 13) ? 'g' : 'e';
    }
    letters[used] = '\0';
    return letters;
}

static void assert_verdict(const char *one, const char *other, int wanted)
{
    char *paths[] = { (char *)(uintptr_t)one, (char *)(uintptr_t)other, NULL }, *said;
    int status = stream__verify(paths, "human", &said);

    if (status != wanted)
        fail_case("verify ends with %d, not %d, and says: %s", status, wanted, said);
    free(said);
}

/* Waits until the thread has written so many lines. */
static void await_lines(const char *path, size_t lines)
{
    for (int i = 0; i < 500 && strlen(shape(path)) < lines; i++)
        usleep(10000);
    assert_int_equal(strlen(shape(path)), lines);
}

/* -- tests ------------------------------------------------------------------------------------ */

static void a_file_is_proven_complete_from_started_to_stopped(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 3);
    append_state(fixture, MRL_WHAT_ALIVE);
    append_calls(fixture, 2);
    deliver(fixture, -1);
    await_lines(fixture->path, 7);
    assert_verdict(fixture->path, NULL, NOT_PROVEN);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "seeeaees");
    assert_verdict(fixture->path, NULL, COMPLETE);
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_SENSOR_STATE).delivered,
                     3);
}

/* What others are not asked for they do not get, and their bytes are the same. */
/* So does a state of a recording, which names another output. */
static void each_further_output_says_which_it_is(void **state)
{
    struct fixture *fixture = *state;
    static const char detail[] = "run=" RUN "; output=7; x=y";
    const struct mrl_state started = { .what = MRL_WHAT_STARTED,
                                       .detail = { detail, sizeof(detail) - 1 } };
    char second[80];

    snprintf(second, sizeof(second), "%s/second", fixture->directory);
    add_output(fixture, fixture->path, true);
    add_output(fixture, second, true);
    mrl_pipeline__name_run(fixture->pipeline, RUN);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    mrl_state__append(&started, fixture->decoder.batch);
    append_calls(fixture, 2);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_non_null(strstr(text_of(fixture->path), "\"run=" RUN "; x=y\""));
    assert_non_null(strstr(text_of(second), "\"run=" RUN "; output=1; x=y\""));
    assert_verdict(fixture->directory, NULL, COMPLETE);
}

static void an_output_that_takes_no_states_is_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char strict[PATH_BYTES];

    snprintf(strict, sizeof(strict), "%s/strict", fixture->directory);
    add_output(fixture, strict, false);
    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 2);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    mrl_pipeline__reopen(fixture->pipeline);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(strict), "ee");
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_SENSOR_STATE).delivered,
                     0);
}

/* Behind what --count cuts off, a state counts for nothing and is written all the same. */
static void a_state_is_written_behind_the_events_that_are_left_out(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 4);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, 3);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "sees");
    assert_verdict(fixture->path, NULL, COMPLETE);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_MLOCK), 2);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_SENSOR_STATE), 0);
}

static void rotated_files_are_one_stream(void **state)
{
    struct fixture *fixture = *state;
    char old[PATH_BYTES];

    snprintf(old, sizeof(old), "%s/events.1", fixture->directory);
    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 3);
    deliver(fixture, -1);
    await_lines(fixture->path, 4);
    assert_int_equal(rename(fixture->path, old), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int i = 0; i < 500 && access(fixture->path, F_OK); i++)
        usleep(10000);
    append_calls(fixture, 2);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(old), "seeea");
    assert_string_equal(shape(fixture->path), "aees");
    assert_verdict(old, NULL, NOT_PROVEN);
    assert_verdict(fixture->path, NULL, NOT_PROVEN);
    assert_verdict(old, fixture->path, COMPLETE);
    assert_verdict(fixture->path, old, COMPLETE);
}

/* Each that was left ends with how many stand before it, and the next begins so. */
static void files_that_rotate_by_themselves_are_one_stream(void **state)
{
    const struct mrl_rotation_options rotation = { .rotate_bytes = 4096 };
    struct fixture *fixture = *state;
    char paths[3][PATH_BYTES];

    begin_rotated(fixture, &rotation);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 8);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (int i = 1; i < 3; i++)
        snprintf(paths[i], PATH_BYTES, "%s/events.%d", fixture->directory, i);
    assert_string_equal(shape(paths[2]), "seeeea");
    assert_memory_equal(shape(paths[1]), "aee", 3);
    assert_int_equal(shape(paths[1])[strlen(shape(paths[1])) - 1], 'a');
    assert_verdict(fixture->directory, NULL, COMPLETE);
    assert_verdict(paths[2], paths[1], NOT_PROVEN);
    assert_int_equal(unlink(paths[1]), 0);
    assert_verdict(fixture->directory, NULL, 1);
}

/* What an earlier run left may make room at once: nothing of this run is signed there. */
static void a_file_of_an_earlier_run_is_left_without_a_word(void **state)
{
    const struct mrl_rotation_options rotation = { .rotate_bytes = 1 };
    struct fixture *fixture = *state;
    char old[PATH_BYTES];

    snprintf(old, sizeof(old), "%s/events.1", fixture->directory);
    begin(fixture);
    append_calls(fixture, 2);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    mrl_pipeline__free(fixture->pipeline);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    begin_rotated(fixture, &rotation);
    append_state(fixture, MRL_WHAT_STARTED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(old), "ee");
    assert_int_equal(*shape(fixture->path), 's');
}

static void a_run_that_follows_another_tells_how_long_nobody_watched(void **state)
{
    struct fixture *fixture = *state;
    char wanted[64];

    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 2);
    deliver(fixture, -1); /* and it is killed */
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    mrl_pipeline__free(fixture->pipeline);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 1);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "seesbes");
    snprintf(wanted, sizeof(wanted), "\"value\":%llu", (unsigned long long)TEST_ENTRY_NS);
    assert_non_null(strstr(strstr(text_of(fixture->path), "\"blind\""), wanted));
    snprintf(wanted, sizeof(wanted), "\"value\":%llu", (unsigned long long)LATER_NS);
    assert_non_null(strstr(strstr(text_of(fixture->path), "\"blind\""), wanted));
}

static void little_space_is_told_behind_the_first_line(void **state)
{
    const struct mrl_rotation_options rotation = { .warn_bytes = INT64_MAX };
    struct fixture *fixture = *state;

    begin_rotated(fixture, &rotation);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 2);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "slees");
    assert_verdict(fixture->path, NULL, COMPLETE);
}

/* The same file, opened anew: one more `alive`, and it is whole. */
static void a_file_that_was_not_moved_goes_on(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 1);
    deliver(fixture, -1);
    await_lines(fixture->path, 2);
    mrl_pipeline__reopen(fixture->pipeline);
    await_lines(fixture->path, 3);
    append_calls(fixture, 1);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "seaes");
    assert_verdict(fixture->path, NULL, COMPLETE);
}

static void an_output_that_comes_in_mid_run_begins_with_alive(void **state)
{
    struct fixture *fixture = *state;
    char late[PATH_BYTES];

    snprintf(late, sizeof(late), "%s/late", fixture->directory);
    begin(fixture);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 1);
    deliver(fixture, -1);
    add_output(fixture, late, true);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    append_calls(fixture, 2);
    append_state(fixture, MRL_WHAT_STOPPED);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(late), "aees");
    assert_verdict(fixture->path, NULL, COMPLETE);
}

/* A replay has no run of its own: what it does not hand out nobody writes. */
static void without_a_run_no_output_speaks_for_itself(void **state)
{
    struct fixture *fixture = *state;

    add_output(fixture, fixture->path, true);
    append_state(fixture, MRL_WHAT_STARTED);
    append_calls(fixture, 1);
    deliver(fixture, -1);
    await_lines(fixture->path, 2);
    mrl_pipeline__reopen(fixture->pipeline);
    append_calls(fixture, 1);
    deliver(fixture, -1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(fixture->path), "see");
}

/* -- a state that is lost --------------------------------------------------------------------- */

/* Longer than its queue: what does not fit is dropped, states too, and each is told. */
static void a_state_that_is_dropped_is_told(void **state)
{
    struct mrl_queue queue;
    const struct mrl_line line = { .size = 64, .event = MRL_EVENT_SENSOR_STATE, .time_ns = 5 };
    char bytes[64] = "", buffer[64];
    struct mrl_line taken;
    struct mrl_gap gap;
    bool ended;

    (void)state;
    assert_int_equal(mrl_queue__init(&queue, sizeof(bytes), MRL_POLICY_DROP_NEWEST), 0);
    mrl_queue__push(&queue, bytes, &line, 1);
    mrl_queue__push(&queue, bytes, &line, 1);
    assert_int_equal(mrl_queue__pop(&queue, 0, buffer, sizeof(buffer), &taken, 1, &gap, &ended), 1);
    assert_int_equal(mrl_queue__pop(&queue, 0, buffer, sizeof(buffer), &taken, 1, &gap, &ended), 0);
    assert_int_equal(gap.of[MRL_CAUSE_QUEUE_FULL][MRL_EVENT_SENSOR_STATE].count, 1);
    mrl_queue__done(&queue);
}

/* A file whose `started` was dropped names its run all the same, before anything else. */
static void a_stream_without_its_start_names_its_run(void **state)
{
    struct fixture *fixture = *state;
    const struct mrl_line started = { .size = 4, .event = MRL_EVENT_SENSOR_STATE, .time_ns = 5 };
    const struct mrl_line call = { .size = 4, .event = MRL_EVENT_MLOCK, .time_ns = 6 };
    const struct mrl_output_options options = {
        .size = sizeof(options),
        .name = fixture->path,
        .format = "json",
        .sink = file_sink(),
        .destination = fixture->path,
        .states = true,
    };
    const struct mrl_output_log nobody = { .line = NULL };
    struct mrl_output *output;
    const char *text, *alive;

    assert_int_equal(mrl_output__open(&options, &nobody, NULL, &output), 0);
    mrl_output__name_run(output, RUN);
    mrl_output__hold(output, "???\n", &started, 1);
    mrl_output__drop(output);
    mrl_output__hold(output, "{-}\n", &call, 1);
    assert_int_equal(mrl_output__try(output), 0);
    text = text_of(fixture->path);
    alive = strstr(text, "\"value\":\"alive\"");
    assert_non_null(alive);
    assert_non_null(strstr(text, "run=" RUN));
    assert_true(alive < strstr(text, "{-}\n"));
    mrl_output__free(output);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(a_file_is_proven_complete_from_started_to_stopped),
        test(each_further_output_says_which_it_is),
        test(an_output_that_takes_no_states_is_as_it_was),
        test(a_state_is_written_behind_the_events_that_are_left_out),
        test(rotated_files_are_one_stream),
        test(files_that_rotate_by_themselves_are_one_stream),
        test(a_file_of_an_earlier_run_is_left_without_a_word),
        test(a_run_that_follows_another_tells_how_long_nobody_watched),
        test(little_space_is_told_behind_the_first_line),
        test(a_file_that_was_not_moved_goes_on),
        test(an_output_that_comes_in_mid_run_begins_with_alive),
        test(without_a_run_no_output_speaks_for_itself),
        cmocka_unit_test(a_state_that_is_dropped_is_told),
        test(a_stream_without_its_start_names_its_run),
    };

    return cmocka_run_group_tests_name("output states", tests, NULL, NULL);
}
