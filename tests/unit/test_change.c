// SPDX-License-Identifier: Apache-2.0
/* Outputs that come and go while events are delivered. */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/metrics.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "unit/changes.h"
#include "unit/unit.h"

enum { END_MS = 10000, SOON_MS = 100, ROUNDS = 24, BLOCKED_S = 10 };

/* -- tests ------------------------------------------------------------------------------------ */

static void an_output_gets_what_is_delivered_while_it_is_there(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "goes");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "goes");
    changes__come(fixture, change, "comes", "json");
    changes__apply(change);
    changes__deliver(fixture);
    changes__deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(changes__lines_in_order(fixture, "goes"), CHANGES_EVENTS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_in_order(fixture, "stays"), 3 * CHANGES_EVENTS);
    assert_int_equal(changes__lines_in_order(fixture, "comes"), 2 * CHANGES_EVENTS);
    assert_int_equal(changes__counts(fixture, 1).delivered, CHANGES_EVENTS); /* kept */
    changes__assert_accounted(fixture);
}

static uint64_t delivered_by(struct changes *fixture, const char *name)
{
    const struct mrl_label label = { "output", name };
    struct mrl_metrics *metrics;
    uint64_t sum;

    assert_int_equal(mrl_metrics__collect(NULL, fixture->pipeline, &metrics), 0);
    sum = mrl_metrics__sum(metrics, "mrelease_output_delivered_total", &label, 1);
    mrl_metrics__free(metrics);
    return sum;
}

/* A counter that is gone would be a loss that nobody hears of. */
static void metrics_keep_an_output_that_went(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "goes");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "goes");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    assert_int_equal(delivered_by(fixture, "goes"), CHANGES_EVENTS);
    change = changes__change_of(fixture);
    changes__come(fixture, change, "goes", "json");
    changes__apply(change);
    changes__deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(delivered_by(fixture, "goes"), 2 * CHANGES_EVENTS); /* it goes on counting */
}

/* Nobody reads the FIFO: who blocks would never come back. */
static void the_policy_of_an_output_that_stays_may_change(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options = changes__options_for(fixture, "fifo", "json");
    struct mrl_change *change;
    struct mrl_error error;
    int reader;

    assert_int_equal(mkfifo(options.destination, 0600), 0);
    reader = open(options.destination, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    options.queue_bytes = 1; /* the least there is */
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, &error), 0);
    change = changes__change_of(fixture);
    mrl_change__set_policy(change, 0, MRL_POLICY_DROP_NEWEST);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    alarm(BLOCKED_S);
    for (int i = 0; i < 30; i++)
        changes__deliver(fixture);
    alarm(0);
    assert_true(changes__counts(fixture, 0).dropped_full > 0);
    close(reader);
}

/* Its queue is gone, and what that dropped is not; who goes on at its place goes on from there. */
static void what_an_output_dropped_stays_when_it_goes(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options = changes__options_for(fixture, "fifo", "json");
    struct mrl_output_counts before;
    struct mrl_change *change;
    struct mrl_error error;
    int reader;

    assert_int_equal(mkfifo(options.destination, 0600), 0);
    reader = open(options.destination, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    options.queue_bytes = 1; /* the least there is */
    options.policy = MRL_POLICY_DROP_OLDEST;
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, &error), 0);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, &error), 0);
    for (int i = 0; i < 30; i++)
        changes__deliver(fixture);
    for (int round = 0; round < 2; round++) {
        change = changes__change_of(fixture);
        changes__leave(fixture, change, "fifo");
        changes__apply(change);
        mrl_change__end(change, END_MS);
        before = changes__counts(fixture, 0);
        assert_true(before.dropped_full > 0);
        assert_int_equal(before.delivered + before.dropped_full + before.dropped_failed,
                         30 * CHANGES_EVENTS);
        if (round)
            break;
        change = changes__change_of(fixture); /* it comes back, and is given nothing */
        changes__come(fixture, change, "fifo", "json");
        changes__apply(change);
        mrl_change__end(change, END_MS);
        assert_int_equal(changes__counts(fixture, 0).dropped_full, before.dropped_full);
    }
    close(reader);
}

static bool reads_soon(int fd, const char *text)
{
    char block[4096];

    for (int tries = 0; tries < 500; tries++) {
        ssize_t size = read(fd, block, sizeof(block));

        if (size > 0 && memmem(block, (size_t)size, text, strlen(text)))
            return true;
        if (size < 0)
            usleep(10000);
    }
    return false;
}

/* A FIFO, with both ends, for fill() and drain(). */
static int own_pipe(struct changes *fixture, const char *name)
{
    const char *path = changes__path_of(fixture, name);

    assert_int_equal(mkfifo(path, 0600), 0);
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void fill(int both)
{
    char block[4096] = "";

    while (write(both, block, sizeof(block)) > 0)
        ;
}

static void drain(int both)
{
    char block[4096];

    while (read(both, block, sizeof(block)) > 0)
        ;
}

/* Its title would have to wait for ever. It comes as soon as there is room. */
static void nobody_waits_for_the_title_of_a_full_pipe(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    int both;

    changes__begin_with(fixture, "stays");
    both = own_pipe(fixture, "full");
    change = changes__change_of(fixture);
    changes__come(fixture, change, "full", "table");
    fill(both);
    alarm(BLOCKED_S);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    alarm(0);
    assert_true(reads_soon(both, "EVENT"));
    close(both);
}

static void nobody_waits_for_the_title_of_one_that_takes_a_place(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    int both;

    both = own_pipe(fixture, "full");
    changes__begin_with(fixture, "full");
    changes__deliver(fixture);
    usleep(100000);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "full");
    changes__come(fixture, change, "full", "table");
    fill(both);
    alarm(BLOCKED_S);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    alarm(0);
    assert_true(reads_soon(both, "EVENT"));
    close(both);
}

/* What a writer that was given up still held counts as dropped as well. */
static void what_was_dropped_at_the_end_counts_on(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    unsigned long long dropped;
    int both;

    both = own_pipe(fixture, "full");
    changes__begin_with(fixture, "full");
    changes__begin_with(fixture, "stays");
    fill(both);
    for (int i = 0; i < 12; i++)
        changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "full");
    changes__apply(change);
    mrl_change__end(change, SOON_MS);
    dropped = changes__counts(fixture, 0).dropped_failed;
    assert_true(dropped);
    drain(both);
    change = changes__change_of(fixture);
    changes__come(fixture, change, "full", "json");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    assert_int_equal(changes__counts(fixture, 0).dropped_failed, dropped);
    close(both);
}

static void what_goes_on_in_the_same_file_goes_on_behind_it(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "file");
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 10; i++)
            changes__deliver(fixture);
        change = changes__change_of(fixture);
        changes__leave(fixture, change, "file");
        changes__come(fixture, change, "file", round % 2 ? "json" : "json-v0.23");
        changes__apply(change);
        changes__deliver(fixture);
        mrl_change__end(change, END_MS);
    }
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_in_order(fixture, "file"), fixture->given);
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 1);
    assert_int_equal(changes__counts(fixture, 0).delivered, fixture->given);
    changes__assert_accounted(fixture);
}

/* -- one that is slow to end ------------------------------------------------------------------ */

static struct mrl_sink_ops slow;
static bool was_slow;

static int write_slowly(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    if (!__atomic_exchange_n(&was_slow, true, __ATOMIC_RELAXED))
        mrl_clock__pause_ms(300);
    return mrl_sink_file.write(sink, chunk, ret_events);
}

static void who_goes_on_in_a_file_waits_for_the_other_to_end(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options = changes__options_for(fixture, "file", "json");
    struct mrl_change *change;
    struct mrl_error error;

    was_slow = false;
    slow = mrl_sink_file;
    slow.write = write_slowly;
    slow.is_quick = NULL;
    options.sink = &slow;
    assert_true(mrl_pipeline__add(fixture->pipeline, &options, &error) >= 0);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, CHANGES_EVENTS / 2);
    while (!__atomic_load_n(&was_slow, __ATOMIC_RELAXED))
        mrl_clock__pause_ms(1);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "file");
    assert_int_equal(mrl_change__add(change, &options, &error), 0);
    changes__apply(change);
    changes__deliver(fixture);
    mrl_clock__pause_ms(50); /* a thread that was there would have written */
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_before_a_new_beginning(fixture, "file"), CHANGES_EVENTS / 2);
}

static void what_comes_back_goes_on_counting(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "file");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "file");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__come(fixture, change, "file", "json");
    changes__apply(change);
    changes__deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 2);
    assert_int_equal(changes__lines_in_order(fixture, "file"), 2 * CHANGES_EVENTS);
    assert_int_equal(changes__counts(fixture, 1).delivered, 2 * CHANGES_EVENTS);
    changes__assert_accounted(fixture);
}

static void a_change_that_is_not_made_leaves_nothing_behind(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "stays");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "stays");
    changes__come(fixture, change, "comes", "json");
    mrl_change__end(change, END_MS);
    assert_int_not_equal(access(changes__path_of(fixture, "comes"), F_OK), 0);
    changes__deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_in_order(fixture, "stays"), 2 * CHANGES_EVENTS);
    mrl_change__end(NULL, 0);
}

/* At the start it would be waited for. */
static void nobody_is_waited_for(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options;
    struct mrl_change *change;
    struct mrl_error error = { "" };

    changes__begin_with(fixture, "stays");
    changes__deliver(fixture);
    assert_int_equal(mkfifo(changes__path_of(fixture, "fifo"), 0600), 0);
    options = changes__options_for(fixture, "fifo", "json");
    change = changes__change_of(fixture);
    alarm(END_MS / 1000);
    assert_int_equal(mrl_change__add(change, &options, &error), -ENXIO);
    alarm(0);
    mrl_change__end(change, END_MS);
}

static void there_are_never_too_many(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options;
    struct mrl_change *change;
    struct mrl_error error;
    char name[16];

    changes__begin_with(fixture, "stays");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    for (int i = 1; i < MRL_OUTPUTS_MAX; i++) {
        snprintf(name, sizeof(name), "%d", i);
        changes__come(fixture, change, name, "json");
    }
    options = changes__options_for(fixture, "more", "json");
    assert_int_equal(mrl_change__add(change, &options, &error), -ENOSPC);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    changes__deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    changes__assert_accounted(fixture);
}

/* Of those that went, the last are remembered. */
static void many_may_have_been(void **state)
{
    struct changes *fixture = *state;
    char name[16], before[16] = "stays";

    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "0");
    for (int i = 0; i < 3 * MRL_OUTPUTS_MAX; i++) {
        struct mrl_change *change = changes__change_of(fixture);

        snprintf(before, sizeof(before), "%d", i);
        snprintf(name, sizeof(name), "%d", i + 1);
        changes__deliver(fixture);
        changes__leave(fixture, change, before);
        changes__come(fixture, change, name, i % 2 ? "table" : "json");
        changes__apply(change);
        mrl_change__end(change, END_MS);
    }
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), MRL_OUTPUTS_MAX);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_in_order(fixture, "stays"), fixture->given);
    changes__assert_accounted(fixture);
}

/* Also where so many came and went that others have the places. */
static void what_was_lost_is_remembered_without_its_place(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    char name[16], before[16] = "full";
    unsigned long long dropped;
    int both, err;

    both = own_pipe(fixture, "full");
    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "full");
    fill(both);
    for (int i = 0; i < 12; i++)
        changes__deliver(fixture);
    for (int i = 0; i < 2 * MRL_OUTPUTS_MAX; i++) {
        change = changes__change_of(fixture);
        snprintf(name, sizeof(name), "%d", i);
        changes__leave(fixture, change, before);
        changes__come(fixture, change, name, "json");
        changes__apply(change);
        mrl_change__end(change, i ? END_MS : SOON_MS);
        if (!i)
            dropped = changes__counts(fixture, 1).dropped_failed;
        snprintf(before, sizeof(before), "%d", i);
    }
    assert_true(dropped);
    assert_int_equal(mrl_pipeline__forgotten(fixture->pipeline, &err), dropped);
    close(both);
}

/* -- beside the thread that delivers ---------------------------------------------------------- */

static _Atomic(struct mrl_change *) prepared; /* NULL: applied */
static atomic_bool is_over;

static void *make_changes(void *context)
{
    struct changes *fixture = context;
    struct mrl_error error;
    char name[16];

    for (int i = 0; i < ROUNDS; i++) {
        struct mrl_change *change = changes__change_of(fixture);

        snprintf(name, sizeof(name), "%d", i - 1);
        if (i)
            changes__leave(fixture, change, name);
        snprintf(name, sizeof(name), "%d", i);
        changes__come(fixture, change, name, i % 2 ? "table" : "json");
        assert_int_equal(mrl_change__start(change, &error), 0);
        atomic_store(&prepared, change);
        while (atomic_load(&prepared))
            usleep(100);
        mrl_change__end(change, END_MS);
    }
    atomic_store(&is_over, true);
    return NULL;
}

static void those_that_stay_lose_nothing(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    pthread_t thread;

    changes__begin_with(fixture, "stays");
    changes__deliver(fixture);
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&thread, NULL, make_changes, fixture), 0);
    while (!atomic_load(&is_over)) {
        changes__deliver(fixture);
        change = atomic_load(&prepared);
        if (change)
            mrl_change__apply(change);
        atomic_store(&prepared, NULL);
        usleep(200);
    }
    pthread_join(thread, NULL);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__lines_in_order(fixture, "stays"), fixture->given);
    changes__assert_accounted(fixture);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, changes__set_up, changes__tear_down)
    const struct CMUnitTest tests[] = {
        test(an_output_gets_what_is_delivered_while_it_is_there),
        test(metrics_keep_an_output_that_went),
        test(the_policy_of_an_output_that_stays_may_change),
        test(what_an_output_dropped_stays_when_it_goes),
        test(nobody_waits_for_the_title_of_a_full_pipe),
        test(nobody_waits_for_the_title_of_one_that_takes_a_place),
        test(what_was_dropped_at_the_end_counts_on),
        test(what_goes_on_in_the_same_file_goes_on_behind_it),
        test(who_goes_on_in_a_file_waits_for_the_other_to_end),
        test(what_comes_back_goes_on_counting),
        test(a_change_that_is_not_made_leaves_nothing_behind),
        test(nobody_is_waited_for),
        test(there_are_never_too_many),
        test(many_may_have_been),
        test(what_was_lost_is_remembered_without_its_place),
        test(those_that_stay_lose_nothing),
    };

    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
