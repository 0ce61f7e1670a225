// SPDX-License-Identifier: Apache-2.0
/* Outputs whose sink never blocks: written to by the reader itself, without a queue or a thread. */
#include <errno.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "event/lost.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { EVENTS = 20, LOST = 7, TEXT_MAX = 1 << 20, END_MS = 1000 };

/* -- a sink that does as it is told ----------------------------------------------------------- */

struct mrl_sink {
    char text[TEXT_MAX];
    size_t size;
    int err;      /* what the next write fails with; 0: it works */
    size_t taken; /* lines of a write that fails */
    unsigned int writes, reopened, closed, abandoned;
    pthread_t writer;
    const char *bytes; /* of the first write */
};

static int open_sink(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    (void)error;
    *ret_sink = (struct mrl_sink *)(uintptr_t)target->options;
    return 0;
}

static int write_sink(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    const char *end = chunk->bytes + chunk->size;
    int err = sink->err;

    if (!sink->writes++)
        sink->bytes = chunk->bytes;
    sink->writer = pthread_self();
    *ret_events = err ? sink->taken : 0;
    if (err)
        end = chunk->bytes;
    for (size_t i = 0; err && i < sink->taken; i++)
        end = strchr(end, '\n') + 1;
    memcpy(sink->text + sink->size, chunk->bytes, (size_t)(end - chunk->bytes));
    sink->size += (size_t)(end - chunk->bytes);
    sink->err = 0;
    return err;
}

static int reopen_sink(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)error;
    sink->reopened++;
    return 0;
}

static int close_sink(struct mrl_sink *sink)
{
    sink->closed++;
    return 0;
}

static int abandon_sink(struct mrl_sink *sink)
{
    sink->abandoned++;
    return 0;
}

static const struct mrl_sink_ops swift = {
    .name = "swift",
    .doc = "Memory of the test.",
    .never_blocks = true,
    .open = open_sink,
    .write = write_sink,
    .reopen = reopen_sink,
    .close = close_sink,
    .abandon = abandon_sink,
};

/* -- the frame -------------------------------------------------------------------------------- */

struct fixture {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    struct mrl_sink sink;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct mrl_output_options options = {
        .size = sizeof(options),
        .name = "swift",
        .format = "json",
        .sink = &swift,
        .destination = "",
    };
    struct test_record record;

    assert_non_null(fixture);
    test_decoder__init(&fixture->decoder);
    test_record__init(&record, MRL_EVENT_MLOCK);
    for (int i = 0; i < EVENTS; i++)
        test_decoder__event(&fixture->decoder, &record);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    options.sink_options = &fixture->sink;
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, NULL), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    assert_int_equal(fixture->sink.closed + fixture->sink.abandoned, 1);
    free(fixture);
    return 0;
}

/* A gap of LOST calls. */
static void append_lost(struct fixture *fixture)
{
    const struct mrl_lost lost = { .event = mrl_event_def__at(MRL_EVENT_MLOCK),
                                   .count = LOST,
                                   .cause = MRL_CAUSE_RING_FULL,
                                   .from_ns = TEST_ENTRY_NS,
                                   .to_ns = TEST_ENTRY_NS };

    mrl_lost__append(&lost, fixture->decoder.batch);
}

static void deliver(struct fixture *fixture)
{
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch,
                          mrl_batch__count(fixture->decoder.batch));
}

static struct mrl_output_counts counts(struct fixture *fixture)
{
    return mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK);
}

/* One letter per line: 'e' an event, 'g' a gap. */
static const char *shape(const struct mrl_sink *sink)
{
    static char letters[256];
    const char *at = sink->text, *end = at + sink->size;
    size_t used = 0;

    for (; at < end; at = strchr(at, '\n') + 1)
        letters[used++] = memmem(at, strcspn(at, "\n"), "events_lost", 11) ? 'g' : 'e';
    letters[used] = '\0';
    return letters;
}

/* -- tests ------------------------------------------------------------------------------------ */

static void what_never_blocks_is_written_before_deliver_returns(void **state)
{
    struct fixture *fixture = *state;

    deliver(fixture);
    assert_string_equal(shape(&fixture->sink), "eeeeeeeeeeeeeeeeeeee");
    assert_int_equal(fixture->sink.writes, 1);
    assert_true(pthread_equal(fixture->sink.writer, pthread_self()));
    assert_int_equal(counts(fixture).delivered, EVENTS);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(fixture->sink.closed, 1);
    assert_int_equal(counts(fixture).delivered, EVENTS);
}

static void bytes_are_not_copied_on_their_way(void **state)
{
    struct fixture *fixture = *state;

    deliver(fixture);
    assert_in_range((uintptr_t)fixture->sink.bytes, (uintptr_t)fixture->pipeline,
                    (uintptr_t)fixture->pipeline + 256 * 1024);
}

static void gaps_of_the_reader_are_told_in_their_place(void **state)
{
    struct fixture *fixture = *state;
    struct test_record record;

    append_lost(fixture);
    append_lost(fixture); /* at one place: told as one */
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_decoder__event(&fixture->decoder, &record);
    append_lost(fixture);
    deliver(fixture);
    assert_string_equal(shape(&fixture->sink), "eeeeeeeeeeeeeeeeeeeegeg");
    assert_non_null(strstr(fixture->sink.text, "\"value\":14}"));
    assert_non_null(strstr(fixture->sink.text, "ring_full"));
    assert_int_equal(counts(fixture).lost_before, 3 * LOST);
    assert_int_equal(counts(fixture).delivered, EVENTS + 1);
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_EVENTS_LOST).delivered,
                     2);
}

static void what_fails_is_dropped_and_told_before_the_next(void **state)
{
    struct fixture *fixture = *state;

    fixture->sink.err = -ENOMEM;
    fixture->sink.taken = 2;
    deliver(fixture);
    assert_int_equal(counts(fixture).delivered, 2);
    assert_int_equal(counts(fixture).dropped_failed, EVENTS - 2);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    deliver(fixture);
    assert_string_equal(shape(&fixture->sink), "eegeeeeeeeeeeeeeeeeeeee");
    assert_non_null(strstr(fixture->sink.text, "write_failed"));
    assert_int_equal(counts(fixture).delivered, EVENTS + 2);
}

static void a_gap_that_is_left_at_the_end_is_told_there(void **state)
{
    struct fixture *fixture = *state;

    fixture->sink.err = -ENOMEM;
    deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_string_equal(shape(&fixture->sink), "g");
}

static void nothing_is_written_once_nobody_reads(void **state)
{
    struct fixture *fixture = *state;

    fixture->sink.err = -EPIPE;
    deliver(fixture);
    deliver(fixture);
    assert_false(mrl_pipeline__alive(fixture->pipeline));
    assert_int_equal(fixture->sink.writes, 1);
    assert_int_equal(counts(fixture).dropped_failed, 2 * EVENTS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EPIPE);
    assert_int_equal(fixture->sink.writes, 1);
}

static void reopening_is_done_at_once(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    assert_int_equal(fixture->sink.reopened, 1);
    mrl_pipeline__hurry(fixture->pipeline);
    deliver(fixture);
    assert_int_equal(counts(fixture).delivered, EVENTS);
    assert_int_equal(fixture->sink.reopened, 1);
}

static void an_output_that_never_began_is_abandoned(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    fixture->pipeline = NULL;
    assert_int_equal(fixture->sink.abandoned, 1);
    assert_int_equal(fixture->sink.closed, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(what_never_blocks_is_written_before_deliver_returns),
        test(bytes_are_not_copied_on_their_way),
        test(gaps_of_the_reader_are_told_in_their_place),
        test(what_fails_is_dropped_and_told_before_the_next),
        test(a_gap_that_is_left_at_the_end_is_told_there),
        test(nothing_is_written_once_nobody_reads),
        test(reopening_is_done_at_once),
        test(an_output_that_never_began_is_abandoned),
    };

    return cmocka_run_group_tests_name("write through", tests, NULL, NULL);
}
