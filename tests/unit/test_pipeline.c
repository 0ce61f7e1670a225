// SPDX-License-Identifier: Apache-2.0
/* The pipeline: what outputs of different speed and health get. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "base/clock.h"
#include "event/lost.h"
#include "unit/keepers.h"
#include "unit/unit.h"

enum { FEW = 40, END_MS = 10000 };

static void count_death(void *deaths)
{
    atomic_fetch_add((atomic_uint *)deaths, 1);
}

/* -- tests ------------------------------------------------------------------------------------ */

static void pipeline_gives_every_event_to_each_output(void **state)
{
    struct test_pipeline *fixture = *state;

    for (unsigned int i = 0; i < 3; i++)
        test_keeper__open_gate(i);
    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    test_pipeline__add(fixture, "json-v0.23", "1", MRL_POLICY_BLOCK);
    test_pipeline__add(fixture, "table", "2", MRL_POLICY_BLOCK);
    test_pipeline__add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    test_pipeline__deliver(fixture, 20);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(test_pipeline__counts(fixture, i).delivered, fixture->given);
    test_pipeline__assert_accounted(fixture, 0, 0);
    assert_int_equal(test_keepers[0].size, test_keepers[1].size);
    assert_memory_equal(test_keepers[0].text, test_keepers[1].text, test_keepers[0].size);
    assert_int_not_equal(test_keepers[2].size, 0);
}

static void pipeline_writes_much_at_once_when_it_is_busy(void **state)
{
    struct test_pipeline *fixture = *state;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    for (int i = 0; i < 2; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FEW);
    test_keeper__open_gate(0);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(test_pipeline__counts(fixture, 0).delivered, 2 * FEW);
    assert_in_range(atomic_load(&test_keepers[0].writes), 1, 3);
}

/* Slow is: it takes nothing at all while the fast one gets everything. */
static void slow_output(struct test_pipeline *fixture, enum mrl_policy policy)
{
    test_pipeline__add(fixture, "json", "0", policy);
    test_pipeline__add(fixture, "json", "1", MRL_POLICY_BLOCK);
    test_keeper__open_gate(1);
    test_pipeline__deliver(fixture, 50);
    for (int i = 0; i < END_MS && test_pipeline__counts(fixture, 1).delivered < fixture->given; i++)
        usleep(1000);
    assert_int_equal(test_pipeline__counts(fixture, 1).delivered, fixture->given);
    assert_int_equal(test_pipeline__counts(fixture, 0).delivered, 0);
    test_keeper__open_gate(0);
    test_pipeline__deliver(fixture, 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    test_pipeline__assert_accounted(fixture, 0, 0);
    test_pipeline__assert_accounted(fixture, 1, 1);
    assert_int_equal(test_pipeline__dropped(fixture, 1), 0);
    assert_in_range(test_pipeline__dropped(fixture, 0), 1, fixture->given - 1);
}

static void pipeline_keeps_a_slow_output_from_a_fast_one_dropping_oldest(void **state)
{
    slow_output(*state, MRL_POLICY_DROP_OLDEST);
}

static void pipeline_keeps_a_slow_output_from_a_fast_one_dropping_newest(void **state)
{
    slow_output(*state, MRL_POLICY_DROP_NEWEST);
}

/* Some lines of a chunk are taken, then an error, again and again: no line twice, none missing. */
/* Its thread is in write(), and has not been told of the gap. */
static void pipeline_counts_at_once_what_a_hanging_output_drops(void **state)
{
    static const enum mrl_policy policies[] = { MRL_POLICY_DROP_OLDEST, MRL_POLICY_DROP_NEWEST };
    struct test_pipeline *fixture = *state;

    for (unsigned int i = 0; i < 2; i++)
        test_pipeline__add(fixture, "json", i ? "1" : "0", policies[i]);
    test_pipeline__deliver(fixture, 50);
    for (unsigned int i = 0; i < 2; i++)
        assert_in_range(test_pipeline__dropped(fixture, i), fixture->given / 2, fixture->given - 1);
    test_keeper__open_gate(0);
    test_keeper__open_gate(1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < 2; i++)
        test_pipeline__assert_accounted(fixture, i, i);
}

static void pipeline_tries_again_what_an_output_did_not_take(void **state)
{
    static const int errors[] = { -ENOSPC, -EIO, -ENOMEM };
    struct test_pipeline *fixture = *state;

    for (unsigned int i = 0; i < COUNT_OF(errors); i++) {
        const char *const names[] = { "0", "1", "2" };

        test_keepers[i].err = errors[i];
        test_keepers[i].taken = i;
        atomic_store(&test_keepers[i].failures, 3);
        test_pipeline__add(fixture, "json", names[i], MRL_POLICY_BLOCK);
        test_keeper__open_gate(i);
    }
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FEW);
    fixture->given = FEW;
    for (unsigned int i = 0; i < COUNT_OF(errors); i++)
        for (int ms = 0; ms < END_MS && test_pipeline__counts(fixture, i).delivered < FEW; ms++)
            usleep(1000);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < COUNT_OF(errors); i++) {
        test_pipeline__assert_accounted(fixture, i, i);
        assert_int_equal(test_pipeline__dropped(fixture, i), 0);
    }
}

/* One that takes a line and fails, each time, is not waited for longer and longer. */
static void pipeline_pauses_no_longer_for_what_gets_on(void **state)
{
    struct test_pipeline *fixture = *state;
    const int64_t begun_ms = mrl_clock__ms();

    test_keepers[0].err = -ENOSPC;
    test_keepers[0].taken = 1;
    atomic_store(&test_keepers[0].failures, FEW / 2);
    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FEW);
    fixture->given = FEW;
    test_keeper__open_gate(0);
    for (int ms = 0; ms < 3 * END_MS && test_pipeline__counts(fixture, 0).delivered < FEW; ms++)
        usleep(1000);
    /* 20 pauses of 10 ms; were they to grow, of 14 s. */
    assert_in_range(mrl_clock__ms() - begun_ms, 0, 5000);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    test_pipeline__assert_accounted(fixture, 0, 0);
}

/* While it fails nobody waits for it, whatever its policy; then the gap comes first. */
static void pipeline_tells_what_a_broken_output_dropped(void **state)
{
    struct test_pipeline *fixture = *state;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    test_keepers[0].err = -EIO;
    atomic_store(&test_keepers[0].failures, 1000000);
    test_keeper__open_gate(0);
    test_pipeline__deliver(fixture, 50);
    atomic_store(&test_keepers[0].failures, 0);
    for (int ms = 0; ms < END_MS && !test_pipeline__counts(fixture, 0).delivered; ms++)
        usleep(1000);
    test_pipeline__deliver(fixture, 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    test_pipeline__assert_accounted(fixture, 0, 0);
    assert_in_range(test_pipeline__dropped(fixture, 0), 1, fixture->given - TEST_EVENTS);
}

static void pipeline_counts_what_a_failing_output_never_took(void **state)
{
    struct test_pipeline *fixture = *state;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    test_keepers[0].err = -EIO;
    atomic_store(&test_keepers[0].failures, 1000000);
    test_keeper__open_gate(0);
    test_pipeline__deliver(fixture, 2);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EIO);
    assert_int_equal(test_pipeline__dropped(fixture, 0), fixture->given);
    assert_int_equal(test_pipeline__counts(fixture, 0).delivered, 0);
    assert_int_equal(test_keepers[0].size, 0);
}

static void pipeline_lets_a_closed_output_go(void **state)
{
    struct test_pipeline *fixture = *state;
    atomic_uint deaths = 0;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    mrl_pipeline__on_death(fixture->pipeline, count_death, &deaths);
    test_keepers[0].err = -EPIPE;
    atomic_store(&test_keepers[0].failures, 1000000);
    test_keeper__open_gate(0);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    test_pipeline__deliver(fixture, 100);
    for (int ms = 0; ms < END_MS && mrl_pipeline__alive(fixture->pipeline); ms++)
        usleep(1000);
    assert_false(mrl_pipeline__alive(fixture->pipeline));
    test_pipeline__deliver(fixture, 100);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EPIPE);
    assert_int_equal(test_pipeline__dropped(fixture, 0), fixture->given);
    assert_int_equal(atomic_load(&test_keepers[0].writes), 1);
    assert_int_equal(deaths, 1);
}

static void pipeline_gives_up_an_output_that_hangs_at_the_end(void **state)
{
    struct test_pipeline *fixture = *state;
    atomic_uint deaths = 0;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    mrl_pipeline__on_death(fixture->pipeline, count_death, &deaths);
    test_pipeline__add(fixture, "json", "1", MRL_POLICY_BLOCK);
    test_keeper__open_gate(1);
    test_pipeline__deliver(fixture, 3);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, 200), -ETIMEDOUT);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, 200), -ETIMEDOUT);
    assert_int_equal(test_pipeline__dropped(fixture, 0), fixture->given);
    assert_int_equal(test_pipeline__counts(fixture, 0).delivered, 0);
    test_pipeline__assert_accounted(fixture, 1, 1);
    assert_int_equal(deaths, 0); /* whoever gave it up knows */
}

/* -- a wall clock that is set ----------------------------------------------------------------- */

static atomic_bool is_a_day_behind;

/* In place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    long result = syscall(SYS_clock_gettime, clock, time);

    if (clock == CLOCK_REALTIME && atomic_load(&is_a_day_behind))
        time->tv_sec -= 24 * 60 * 60;
    return (int)result;
}

static void *open_gate_soon(void *context)
{
    (void)context;
    usleep(100 * 1000);
    test_keeper__open_gate(0);
    return NULL;
}

/* How long an output may still write does not depend on the wall clock. */
static void pipeline_waits_by_a_clock_that_nobody_sets(void **state)
{
    struct test_pipeline *fixture = *state;
    pthread_t opener;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    test_pipeline__deliver(fixture, 3);
    assert_int_equal(pthread_create(&opener, NULL, open_gate_soon, NULL), 0);
    atomic_store(&is_a_day_behind, true);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    atomic_store(&is_a_day_behind, false);
    assert_int_equal(pthread_join(opener, NULL), 0);
}

static void append_lost(struct test_pipeline *fixture, uint64_t count)
{
    const struct mrl_lost lost = {
        .event = mrl_event_def__at(MRL_EVENT_MLOCK),
        .count = count,
        .cause = MRL_CAUSE_RING_FULL,
        .from_ns = 1000,
        .to_ns = 2000,
    };

    mrl_lost__append(&lost, fixture->decoder.batch);
}

/* The kernel lost 7 behind the 200th: told there, and counted at each output. */
static void pipeline_tells_what_the_kernel_lost_in_its_place(void **state)
{
    struct test_pipeline *fixture = *state;
    struct test_reading reading;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    test_pipeline__add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    test_keeper__open_gate(0);
    append_lost(fixture, 7 * TEST_EVENTS); /* whole rounds keep the numbers in step */
    for (int i = 0; i < 3; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, TEST_EVENTS + 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    reading = test_keeper__read(0);
    assert_int_equal(reading.lines, 3 * TEST_EVENTS);
    assert_int_equal(reading.told, 3 * 7 * TEST_EVENTS);
    assert_int_equal(reading.gaps, 3);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(test_pipeline__counts(fixture, i).lost_before, 3 * 7 * TEST_EVENTS);
        assert_int_equal(test_pipeline__counts(fixture, i).delivered, 3 * TEST_EVENTS);
    }
    assert_non_null(memmem(test_keepers[0].text, test_keepers[0].size, "ring_full", 9));
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_EVENTS_LOST).delivered,
                     3);
}

/* An events_lost that an output has no room for loses its line, not its count. */
static void pipeline_keeps_the_count_of_a_dropped_gap(void **state)
{
    struct test_pipeline *fixture = *state;
    struct test_reading reading;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    append_lost(fixture, 7 * TEST_EVENTS);
    for (int i = 0; i < 50; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, TEST_EVENTS + 1);
    test_keeper__open_gate(0);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    reading = test_keeper__read(0);
    assert_in_range(reading.lines, 1, 49 * TEST_EVENTS);
    assert_int_equal(reading.lines + reading.told, 50 * (TEST_EVENTS + 7 * TEST_EVENTS));
}

static void pipeline_counts_what_is_filtered(void **state)
{
    struct test_pipeline *fixture = *state;

    test_pipeline__add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    append_lost(fixture, 5);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, 3);
    assert_int_equal(test_pipeline__counts(fixture, 0).delivered, 3);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_MLOCK),
                     TEST_EVENTS - 3 + 5);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_EVENTS_LOST), 0);
}

#ifdef MRL_SANITIZED
enum { OWN_ALLOCATOR = 0 };
#else
enum { OWN_ALLOCATOR = 1 };
#endif

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Full queues, dropping, several formats: no more than the header says. */
static void pipeline_takes_no_more_memory_than_documented(void **state)
{
    enum { OF_PIPELINE = 208 * 1024, OF_FORMAT = 256 * 1024, OF_OUTPUT = (64 + 600) * 1024 };
    struct test_pipeline *fixture = *state;
    size_t before;

    if (!OWN_ALLOCATOR)
        skip_because("a sanitizer allocates in its own way");
    mrl_pipeline__free(fixture->pipeline);
    before = allocated();
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    test_keeper__open_gate(2);
    test_pipeline__add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    test_pipeline__add(fixture, "json", "1", MRL_POLICY_DROP_NEWEST);
    test_pipeline__add(fixture, "table", "2", MRL_POLICY_DROP_OLDEST);
    test_pipeline__deliver(fixture, 100);
    assert_in_range(allocated() - before, 3 * QUEUE_BYTES,
                    OF_PIPELINE + 2 * OF_FORMAT + 3 * (QUEUE_BYTES + QUEUE_BYTES / 8 + OF_OUTPUT));
}

static void pipeline_reopens_when_it_is_quiet(void **state)
{
    struct test_pipeline *fixture = *state;

    test_pipeline__add(fixture, "json", "0", MRL_POLICY_BLOCK);
    test_keeper__open_gate(0);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int ms = 0; ms < END_MS && !atomic_load(&test_keepers[0].reopened); ms++)
        usleep(1000);
    assert_int_equal(atomic_load(&test_keepers[0].reopened), 1);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_pipeline__set_up, test_pipeline__tear_down)
    const struct CMUnitTest tests[] = {
        test(pipeline_gives_every_event_to_each_output),
        test(pipeline_writes_much_at_once_when_it_is_busy),
        test(pipeline_keeps_a_slow_output_from_a_fast_one_dropping_oldest),
        test(pipeline_keeps_a_slow_output_from_a_fast_one_dropping_newest),
        test(pipeline_counts_at_once_what_a_hanging_output_drops),
        test(pipeline_tries_again_what_an_output_did_not_take),
        test(pipeline_pauses_no_longer_for_what_gets_on),
        test(pipeline_tells_what_a_broken_output_dropped),
        test(pipeline_counts_what_a_failing_output_never_took),
        test(pipeline_lets_a_closed_output_go),
        test(pipeline_gives_up_an_output_that_hangs_at_the_end),
        test(pipeline_waits_by_a_clock_that_nobody_sets),
        test(pipeline_tells_what_the_kernel_lost_in_its_place),
        test(pipeline_keeps_the_count_of_a_dropped_gap),
        test(pipeline_counts_what_is_filtered),
        test(pipeline_takes_no_more_memory_than_documented),
        test(pipeline_reopens_when_it_is_quiet),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
