// SPDX-License-Identifier: Apache-2.0
/*
 * Outputs whose sink is quick: written to by whoever feeds them, while their thread has nothing to
 * do; and by that thread in a flood, at a gap, and for a while after a write that was slow or
 * failed. Whoever it is, lines keep their order.
 */
#include <errno.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/lost.h"
#include "unit/records.h"
#include "unit/unit.h"

enum {
    EVENTS = 20,
    LOST = 7,
    TEXT_MAX = 8 << 20,
    WAIT_MS = 5000,
    FLOOD = 100,
    FLOODS = 6,
    FEW = 7, /* no part of EVENTS: in front of them they would show */
    SLOW_US = 100 * 1000,
    REST_MS = 1000, /* as output_write.c has it */
};

/* -- a sink that does as it is told ----------------------------------------------------------- */

struct mrl_sink {
    char text[TEXT_MAX];
    size_t size;
    atomic_int err;     /* what the next write fails with, after `taken` lines; 0: it works */
    size_t taken;       /* may be set while nothing is written */
    atomic_int slow_us; /* how long the next write, or reopening, takes */
    atomic_bool held;   /* a write waits until it is not: whoever writes is stuck meanwhile */
    atomic_bool writing;
    atomic_bool quick; /* what it says of itself */
    atomic_uint writes, reopened, rotated;
    atomic_size_t room;
    pthread_t owner;
    atomic_bool by_owner, reopened_by_owner, rotated_by_owner; /* the last time */
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
    int err = atomic_exchange(&sink->err, 0);

    atomic_store(&sink->writing, true);
    usleep((useconds_t)atomic_exchange(&sink->slow_us, 0));
    while (atomic_load(&sink->held))
        usleep(1000);
    *ret_events = err ? sink->taken : 0;
    if (err)
        end = chunk->bytes;
    for (size_t i = 0; err && i < sink->taken; i++)
        end = strchr(end, '\n') + 1;
    memcpy(sink->text + sink->size, chunk->bytes, (size_t)(end - chunk->bytes));
    sink->size += (size_t)(end - chunk->bytes);
    atomic_store(&sink->room, sink->room > chunk->size ? sink->room - chunk->size : 0);
    atomic_store(&sink->by_owner, pthread_equal(sink->owner, pthread_self()));
    atomic_fetch_add(&sink->writes, 1);
    atomic_store(&sink->writing, false);
    return err;
}

static int reopen_sink(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)error;
    usleep((useconds_t)atomic_exchange(&sink->slow_us, 0));
    atomic_store(&sink->reopened_by_owner, pthread_equal(sink->owner, pthread_self()));
    atomic_fetch_add(&sink->reopened, 1);
    return 1;
}

static uint64_t room(const struct mrl_sink *sink)
{
    return atomic_load(&sink->room);
}

static int rotate_sink(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)error;
    atomic_store(&sink->room, TEXT_MAX);
    atomic_store(&sink->rotated_by_owner, pthread_equal(sink->owner, pthread_self()));
    atomic_fetch_add(&sink->rotated, 1);
    return 1;
}

static bool is_quick(const struct mrl_sink *sink)
{
    return atomic_load(&sink->quick);
}

static int close_sink(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}

static const struct mrl_sink_ops memory = {
    .name = "memory",
    .doc = "Memory of the test.",
    .open = open_sink,
    .write = write_sink,
    .reopen = reopen_sink,
    .room = room,
    .rotate = rotate_sink,
    .is_quick = is_quick,
    .close = close_sink,
};

/* -- the frame -------------------------------------------------------------------------------- */

struct fixture {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    struct mrl_sink sink;
    uint64_t given;
};

static void add_events(struct fixture *fixture, unsigned int count)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (unsigned int i = 0; i < count; i++) {
        record.call.args[0] = mrl_batch__count(fixture->decoder.batch) % EVENTS;
        test_decoder__event(&fixture->decoder, &record);
    }
}

static int set_up_policy(void **state, enum mrl_policy policy)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct mrl_output_options options = {
        .size = sizeof(options),
        .name = "memory",
        .format = "json",
        .sink = &memory,
        .destination = "",
        .policy = policy,
    };

    assert_non_null(fixture);
    fixture->sink.quick = true;
    fixture->sink.room = TEXT_MAX;
    fixture->sink.owner = pthread_self();
    test_decoder__init(&fixture->decoder);
    add_events(fixture, EVENTS);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    options.sink_options = &fixture->sink;
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, NULL), 0);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    return set_up_policy(state, MRL_POLICY_BLOCK);
}

static int set_up_dropping(void **state)
{
    return set_up_policy(state, MRL_POLICY_DROP_NEWEST);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    free(fixture);
    return 0;
}

static struct mrl_output_counts counts(struct fixture *fixture)
{
    return mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK);
}

/* Gives the first events of the batch, and waits until there is an account of them. */
static void deliver_some(struct fixture *fixture, size_t count)
{
    struct mrl_output_counts now;

    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, count);
    fixture->given += count;
    for (int ms = 0; ms < WAIT_MS; ms++) {
        now = counts(fixture);
        if (now.delivered + now.dropped_failed + now.dropped_full == fixture->given)
            return;
        usleep(1000);
    }
    fail_msg("%llu of %llu", (unsigned long long)now.delivered, (unsigned long long)fixture->given);
}

/* Until the owner writes: its thread may not sleep yet, or the output rests. */
static void await_owner(struct fixture *fixture)
{
    for (int ms = 0; ms < WAIT_MS; ms += 10) {
        deliver_some(fixture, EVENTS);
        if (fixture->sink.by_owner)
            return;
        usleep(10 * 1000);
    }
    fail_msg("the owner never writes");
}

/* After the last batch. Every line is there once, in the order of the calls. */
static void assert_whole(struct fixture *fixture)
{
    const char *at = fixture->sink.text;

    assert_int_equal(mrl_pipeline__end(fixture->pipeline, WAIT_MS), 0);
    for (uint64_t i = 0; i < fixture->given; i++) {
        at = strstr(at, "\"addr\"");
        assert_non_null(at);
        at = strstr(at, "\"value\":");
        assert_int_equal(strtoull(strchr(at, ':') + 1, NULL, 10), i % EVENTS);
    }
    assert_null(strstr(at, "\"addr\""));
    assert_int_equal(counts(fixture).delivered, fixture->given);
}

/* -- tests ------------------------------------------------------------------------------------ */

static void a_quick_output_is_written_by_its_owner(void **state)
{
    struct fixture *fixture = *state;
    unsigned int in_a_row = 0;

    /* Not the first ones: a test that is held up for long within a write finds that it rests. */
    for (unsigned int i = 0; i < 1000 && in_a_row < 10; i++) {
        unsigned int writes;

        if (!in_a_row)
            await_owner(fixture);
        writes = fixture->sink.writes;
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
        /* Before deliver() returned. */
        in_a_row = fixture->sink.writes > writes && fixture->sink.by_owner ? in_a_row + 1 : 0;
        fixture->given += EVENTS;
    }
    assert_int_equal(in_a_row, 10);
    assert_whole(fixture);
}

static void one_that_may_wait_for_others_is_not(void **state)
{
    struct fixture *fixture = *state;

    fixture->sink.quick = false;
    mrl_pipeline__reopen(fixture->pipeline);
    for (int ms = 0; ms < WAIT_MS && !fixture->sink.reopened; ms++)
        usleep(1000);
    for (unsigned int i = 0; i < 20; i++) {
        usleep(1000);
        deliver_some(fixture, EVENTS);
        assert_false(fixture->sink.by_owner);
    }
    assert_whole(fixture);
}

/* Opening may wait, for a FIFO that took the place of the file: that is for the thread. */
static void it_is_reopened_by_its_thread(void **state)
{
    struct fixture *fixture = *state;

    await_owner(fixture);
    fixture->sink.slow_us = SLOW_US;
    mrl_pipeline__reopen(fixture->pipeline);
    deliver_some(fixture, EVENTS);
    assert_false(fixture->sink.by_owner);
    assert_int_equal(fixture->sink.reopened, 1);
    assert_false(fixture->sink.reopened_by_owner);
    await_owner(fixture);
    assert_int_equal(fixture->sink.reopened, 1);
    assert_whole(fixture);
}

/* To rotate may take as long as to remove a large file. */
static void it_is_rotated_by_its_thread(void **state)
{
    struct fixture *fixture = *state;

    for (size_t room_bytes = 0; room_bytes < 3; room_bytes++) {
        await_owner(fixture);
        fixture->sink.room = room_bytes;
        deliver_some(fixture, EVENTS);
        assert_int_equal(fixture->sink.rotated, room_bytes + 1);
        assert_false(fixture->sink.rotated_by_owner);
    }
    assert_whole(fixture);
}

static void after_a_slow_write_it_is_left_to_its_thread_for_a_while(void **state)
{
    struct fixture *fixture = *state;
    int64_t slow_ms;

    await_owner(fixture);
    slow_ms = mrl_clock__ms();
    fixture->sink.slow_us = SLOW_US;
    deliver_some(fixture, EVENTS);
    for (unsigned int i = 0; i < 3; i++) {
        usleep(2000);
        fixture->sink.slow_us = SLOW_US;
        fixture->sink.held = true; /* that it returns shows that it does not write */
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
        fixture->sink.held = false;
        fixture->given += EVENTS;
        deliver_some(fixture, EVENTS);
        assert_false(fixture->sink.by_owner);
    }
    await_owner(fixture);
    assert_true(mrl_clock__ms() - slow_ms >= 3 * SLOW_US / 1000 + REST_MS);
    assert_whole(fixture);
}

/* The thread tries again what did not go out, and nothing that did. */
static void after_a_write_that_failed_too(void **state)
{
    struct fixture *fixture = *state;

    await_owner(fixture);
    fixture->sink.taken = 3;
    fixture->sink.err = -ENOSPC;
    deliver_some(fixture, EVENTS);
    assert_false(fixture->sink.by_owner);
    for (unsigned int i = 0; i < 3; i++) {
        usleep(2000);
        deliver_some(fixture, EVENTS);
        assert_false(fixture->sink.by_owner);
    }
    await_owner(fixture);
    assert_whole(fixture);
}

static void a_flood_is_left_to_its_thread(void **state)
{
    struct fixture *fixture = *state;

    add_events(fixture, FLOOD - EVENTS);
    /* More than once: what the thread has left in the queue keeps the owner from writing as well.
     */
    for (unsigned int i = 0; i < FLOODS; i++) {
        const size_t behind = i < FLOODS - 1 ? EVENTS : FEW;

        await_owner(fixture);
        fixture->sink.held = true;
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FLOOD);
        for (int ms = 0; ms < WAIT_MS && !fixture->sink.writing; ms++)
            usleep(1000);
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, behind);
        fixture->sink.held = false;
        fixture->given += FLOOD + behind;
        deliver_some(fixture, 0);
        assert_false(fixture->sink.by_owner);
    }
    assert_whole(fixture);
}

/* Lines and gaps keep their order, whoever writes them. */
static void a_gap_is_left_to_its_thread(void **state)
{
    const struct mrl_lost lost = { .event = mrl_event_def__at(MRL_EVENT_MLOCK),
                                   .count = LOST,
                                   .cause = MRL_CAUSE_RING_FULL,
                                   .from_ns = TEST_ENTRY_NS,
                                   .to_ns = TEST_ENTRY_NS };
    struct fixture *fixture = *state;
    const char *gap;

    await_owner(fixture);
    mrl_lost__append(&lost, fixture->decoder.batch);
    add_events(fixture, 1);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS + 2);
    fixture->given += EVENTS + 1;
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, 1);
    fixture->given++;
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, WAIT_MS), 0);
    assert_int_equal(counts(fixture).delivered, fixture->given);
    assert_int_equal(counts(fixture).lost_before, LOST);
    gap = strstr(fixture->sink.text, "events_lost");
    assert_non_null(gap);
    for (unsigned int lines = 0; lines < 3; lines++, gap++)
        assert_non_null(gap = strchr(gap, '\n')); /* its own end, and two lines behind it */
    assert_string_equal(gap, "");
}

static void nothing_is_written_once_nobody_reads(void **state)
{
    struct fixture *fixture = *state;
    unsigned int writes;

    await_owner(fixture);
    fixture->sink.taken = 0;
    fixture->sink.err = -EPIPE;
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
    fixture->sink.err = -EPIPE; /* the thread's try, if the owner's was first */
    for (int ms = 0; ms < WAIT_MS && mrl_pipeline__alive(fixture->pipeline); ms++) {
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, 1);
        usleep(1000);
    }
    assert_false(mrl_pipeline__alive(fixture->pipeline));
    writes = fixture->sink.writes;
    usleep((REST_MS + 100) * 1000);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, WAIT_MS), -EPIPE);
    assert_int_equal(fixture->sink.writes, writes);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(a_quick_output_is_written_by_its_owner),
        test(one_that_may_wait_for_others_is_not),
        test(it_is_reopened_by_its_thread),
        test(it_is_rotated_by_its_thread),
        test(after_a_slow_write_it_is_left_to_its_thread_for_a_while),
        cmocka_unit_test_setup_teardown(after_a_write_that_failed_too, set_up_dropping, tear_down),
        test(a_flood_is_left_to_its_thread),
        test(a_gap_is_left_to_its_thread),
        test(nothing_is_written_once_nobody_reads),
    };

    return cmocka_run_group_tests_name("quick output", tests, NULL, NULL);
}
