// SPDX-License-Identifier: Apache-2.0
/* Outputs that come and go while nobody reads what they write. */
#include <fcntl.h>
#include <mrelease/pipeline.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/stat.h>

#include "unit/changes.h"
#include "unit/pipes.h"
#include "unit/unit.h"

enum { END_MS = 10000, SOON_MS = 100, BLOCKED_S = 10 };

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

/* Not at the start either, which a signal would have to wait for. */
static void nobody_waits_for_a_title_at_the_start(void **state)
{
    struct changes *fixture = *state;
    struct mrl_output_options options = changes__options_for(fixture, "full", "table");
    struct mrl_error error;
    const int both = test_pipe__new(options.destination);

    test_pipe__fill(both);
    alarm(BLOCKED_S);
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, &error), 0);
    changes__deliver(fixture);
    alarm(0);
    assert_true(test_pipe__says_soon(both, "EVENT"));
    close(both);
}

/* Its title would have to wait for ever. It comes as soon as there is room. */
static void nobody_waits_for_the_title_of_a_full_pipe(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    int both;

    changes__begin_with(fixture, "stays");
    both = test_pipe__new(changes__path_of(fixture, "full"));
    change = changes__change_of(fixture);
    changes__come(fixture, change, "full", "table");
    test_pipe__fill(both);
    alarm(BLOCKED_S);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    alarm(0);
    assert_true(test_pipe__says_soon(both, "EVENT"));
    close(both);
}

static void nobody_waits_for_the_title_of_one_that_takes_a_place(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    int both;

    both = test_pipe__new(changes__path_of(fixture, "full"));
    changes__begin_with(fixture, "full");
    changes__deliver(fixture);
    usleep(100000);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "full");
    changes__come(fixture, change, "full", "table");
    test_pipe__fill(both);
    alarm(BLOCKED_S);
    changes__apply(change);
    mrl_change__end(change, END_MS);
    alarm(0);
    assert_true(test_pipe__says_soon(both, "EVENT"));
    close(both);
}

/* What a writer that was given up still held counts as dropped as well. */
static void what_was_dropped_at_the_end_counts_on(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    unsigned long long dropped;
    int both;

    both = test_pipe__new(changes__path_of(fixture, "full"));
    changes__begin_with(fixture, "full");
    changes__begin_with(fixture, "stays");
    test_pipe__fill(both);
    for (int i = 0; i < 12; i++)
        changes__deliver(fixture);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "full");
    changes__apply(change);
    mrl_change__end(change, SOON_MS);
    dropped = changes__counts(fixture, 0).dropped_failed;
    assert_true(dropped);
    test_pipe__drain(both);
    change = changes__change_of(fixture);
    changes__come(fixture, change, "full", "json");
    changes__apply(change);
    mrl_change__end(change, END_MS);
    assert_int_equal(changes__counts(fixture, 0).dropped_failed, dropped);
    close(both);
}

/* Also where so many came and went that others have the places. */
static void what_was_lost_is_remembered_without_its_place(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    char name[16], before[16] = "full";
    unsigned long long dropped;
    int both, err;

    both = test_pipe__new(changes__path_of(fixture, "full"));
    changes__begin_with(fixture, "stays");
    changes__begin_with(fixture, "full");
    test_pipe__fill(both);
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

/* Not even for the moment in which who had the place before ends: readers of counters would take it
 * for a new start. */
static void the_counts_of_a_place_never_fall(void **state)
{
    struct changes *fixture = *state;
    struct mrl_change *change;
    struct mrl_output_counts before, after;
    const int both = test_pipe__new(changes__path_of(fixture, "full"));

    changes__begin_with(fixture, "full");
    changes__begin_with(fixture, "stays");
    changes__deliver(fixture);
    assert_true(test_pipe__says_soon(both, "mlock"));
    test_pipe__fill(both);
    changes__deliver(fixture);
    before = changes__counts(fixture, 0);
    assert_true(before.delivered);
    change = changes__change_of(fixture);
    changes__leave(fixture, change, "full");
    changes__come(fixture, change, "full", "json");
    changes__apply(change);
    assert_true(changes__counts(fixture, 0).delivered >= before.delivered);
    mrl_change__end(change, SOON_MS);
    after = changes__counts(fixture, 0);
    assert_true(after.delivered >= before.delivered && after.delivered <= 2 * CHANGES_EVENTS);
    assert_true(after.dropped_failed);
    assert_int_equal(after.delivered + after.dropped_failed + after.dropped_full,
                     2 * CHANGES_EVENTS);
    close(both);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, changes__set_up, changes__tear_down)
    const struct CMUnitTest tests[] = {
        test(the_policy_of_an_output_that_stays_may_change),
        test(what_an_output_dropped_stays_when_it_goes),
        test(nobody_waits_for_a_title_at_the_start),
        test(nobody_waits_for_the_title_of_a_full_pipe),
        test(nobody_waits_for_the_title_of_one_that_takes_a_place),
        test(what_was_dropped_at_the_end_counts_on),
        test(what_was_lost_is_remembered_without_its_place),
        test(the_counts_of_a_place_never_fall),
    };

    return cmocka_run_group_tests_name("change pipes", tests, NULL, NULL);
}
