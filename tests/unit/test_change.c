// SPDX-License-Identifier: Apache-2.0
/* Outputs that come and go while events are delivered. */
#include <errno.h>
#include <mrelease/metrics.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "unit/changes.h"
#include "unit/unit.h"

enum { END_MS = 10000, ROUNDS = 24 };

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

/* As an embedding program may have them: each goes on with the counts of one. */
static void two_to_one_place_have_an_heir_each(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;

    changes__begin_with(fixture, "file");
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__come(fixture, change, "file", "json");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    mrl_change__remove(change, 0);
    mrl_change__remove(change, 1);
    changes__come(fixture, change, "file", "json");
    changes__come(fixture, change, "file", "json");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    changes__deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 2);
    assert_int_equal(changes__counts(fixture, 0).delivered, 3 * CHANGES_EVENTS);
    assert_int_equal(changes__counts(fixture, 1).delivered, 2 * CHANGES_EVENTS);
    changes__assert_accounted(fixture);
}

/* Where there are as many outputs as can be, one that comes earlier may not have the heir's place.
 */
static void who_is_new_takes_no_heir_its_place(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    char name[16];

    changes__begin_with(fixture, "file");
    for (int i = 1; i < MRL_OUTPUTS_MAX; i++) {
        snprintf(name, sizeof(name), "other%d", i);
        changes__begin_with(fixture, name);
    }
    changes__deliver(fixture);
    change = changes__change_of(fixture);
    mrl_change__remove(change, 0);
    mrl_change__remove(change, 5);
    changes__come(fixture, change, "new", "json");
    changes__come(fixture, change, "file", "json");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    changes__deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(changes__counts(fixture, 0).delivered, 2 * CHANGES_EVENTS);
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
        test(what_goes_on_in_the_same_file_goes_on_behind_it),
        test(who_goes_on_in_a_file_waits_for_the_other_to_end),
        test(what_comes_back_goes_on_counting),
        test(two_to_one_place_have_an_heir_each),
        test(who_is_new_takes_no_heir_its_place),
        test(a_change_that_is_not_made_leaves_nothing_behind),
        test(nobody_is_waited_for),
        test(there_are_never_too_many),
        test(many_may_have_been),
        test(those_that_stay_lose_nothing),
    };

    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
