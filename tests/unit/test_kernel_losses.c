// SPDX-License-Identifier: Apache-2.0
/* Losses of the kernel's side: what is told of a missing number, when, and never twice. */
#include <string.h>

#include "event/lost.h"
#include "read/kernel_losses.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { CPUS = 3 };

#define MRELEASE MRL_EVENT_PROCESS_MRELEASE
#define WATCHED  (1U << MRELEASE | 1U << MRL_EVENT_DO_MRELEASE | 1U << MRL_EVENT_MLOCK)

/* The counters that the probes keep, and the events that come. */
struct bench {
    struct test_decoder decoder;
    struct mrl_kernel_losses losses;
    struct mrl_event_counters counters[MRL_EVENT_COUNT][CPUS];
    bool fails;
    unsigned int taken; /* events of the batch that were looked at */
};

static int read_counters(const void *context,
                         unsigned int event,
                         struct mrl_event_counters *ret_each,
                         unsigned int cpus)
{
    const struct bench *bench = context;

    assert_int_equal(cpus, CPUS);
    if (bench->fails)
        return -1;
    memcpy(ret_each, bench->counters[event], sizeof(bench->counters[event]));
    return 0;
}

static int set_up(void **state)
{
    static struct bench bench;
    const struct mrl_kernel_counters from = { .read = read_counters,
                                              .context = &bench,
                                              .cpus = CPUS };

    bench = (struct bench){ .fails = false };
    test_decoder__init(&bench.decoder);
    *state = &bench;
    return mrl_kernel_losses__init(&bench.losses, &bench.decoder.host, &from, WATCHED);
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    mrl_kernel_losses__done(&bench->losses);
    test_decoder__done(&bench->decoder);
    return 0;
}

/* A record of an event, numbered `seq`, that ended at `exit_ns`. */
static void see(
    struct bench *bench, unsigned int event, unsigned int cpu, uint64_t seq, uint64_t at)
{
    struct mrl_record record = {
        .event = (__u8)event,
        .cpu = (__u16)cpu,
        .lane = (__u8)mrl_event_def__at(event)->lane,
        .seq = seq,
        .exit_ns = at,
    };

    mrl_kernel_losses__see(&bench->losses, &record, bench->decoder.batch);
}

/* The next thing that is told. */
static struct mrl_lost next_told(struct bench *bench, enum mrl_cause *ret_cause)
{
    const struct mrl_lost *lost;

    assert_true(bench->taken < mrl_batch__count(bench->decoder.batch));
    lost = mrl_batch__at(bench->decoder.batch, bench->taken++)->lost;
    assert_non_null(lost);
    *ret_cause = lost->cause;
    return *lost;
}

static void assert_told(struct bench *bench,
                        unsigned int event,
                        enum mrl_cause wanted,
                        uint64_t count)
{
    enum mrl_cause cause;
    struct mrl_lost lost = next_told(bench, &cause);

    assert_string_equal(lost.event->name, mrl_event_def__at(event)->name);
    assert_int_equal(cause, wanted);
    assert_int_equal(lost.count, count);
}

static void assert_nothing_more(const struct bench *bench)
{
    assert_int_equal(mrl_batch__count(bench->decoder.batch), bench->taken);
}

static void numbers_that_follow_each_other_tell_nothing(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 7; /* it may run ahead of the records */
    for (uint64_t seq = 0; seq < 5; seq++)
        see(bench, MRELEASE, 0, seq, 100 + seq);
    assert_nothing_more(bench);
}

static void a_gap_is_told_once_from_the_record_before_it_to_the_one_behind(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    struct mrl_lost lost;

    see(bench, MRELEASE, 1, 0, 1000);
    bench->counters[MRELEASE][1].refused = 4;
    see(bench, MRELEASE, 1, 5, 9000);
    lost = next_told(bench, &cause);
    assert_ptr_equal(lost.event, mrl_event_def__at(MRELEASE));
    assert_int_equal(cause, MRL_CAUSE_RING_FULL);
    assert_int_equal(lost.count, 4);
    assert_int_equal(lost.from_ns, 1000 + (uint64_t)TEST_BOOT_NS);
    assert_int_equal(lost.to_ns, 9000 + (uint64_t)TEST_BOOT_NS);
    /* The numbers go on behind the gap, and the counters are used up. */
    see(bench, MRELEASE, 1, 6, 9100);
    see(bench, MRELEASE, 1, 7, 9200);
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_nothing_more(bench);
}

static void what_was_held_back_is_told_apart_from_what_found_no_room(void **state)
{
    struct bench *bench = *state;

    see(bench, MRELEASE, 1, 0, 1000);
    bench->counters[MRELEASE][1].refused = 1;
    bench->counters[MRELEASE][1].suppressed = 4;
    bench->counters[MRL_EVENT_DO_MRELEASE][1].suppressed = 2;
    see(bench, MRELEASE, 1, 8, 9000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 1);
    assert_told(bench, MRELEASE, MRL_CAUSE_SUPPRESSED, 4);
    assert_told(bench, MRL_EVENT_DO_MRELEASE, MRL_CAUSE_SUPPRESSED, 2);
    bench->counters[MRELEASE][2].suppressed = 3;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_SUPPRESSED, 3);
    assert_nothing_more(bench);
}

static void blame_nobody(void *culprits, unsigned int lane, struct mrl_lost *lost)
{
    assert_int_equal(lane, MRL_LANE_RARE);
    lost->by.is_known = true;
    lost->by.uid = *(const uint32_t *)culprits;
}

static void losses_for_want_of_room_say_by_whom(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    uint32_t uid = 65534;
    struct mrl_lost lost;

    bench->losses.from.blame = blame_nobody;
    bench->losses.from.culprits = &uid;
    bench->counters[MRELEASE][0].suppressed = 1;
    bench->counters[MRELEASE][0].no_memory = 1;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    lost = next_told(bench, &cause);
    assert_int_equal(cause, MRL_CAUSE_NO_MEMORY);
    assert_false(lost.by.is_known);
    lost = next_told(bench, &cause);
    assert_int_equal(cause, MRL_CAUSE_SUPPRESSED);
    assert_int_equal(lost.by.uid, uid);
}

static void a_second_gap_is_told_apart_from_the_first(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    struct mrl_lost lost;

    bench->counters[MRELEASE][0].refused = 2;
    see(bench, MRELEASE, 0, 2, 1000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 2);
    see(bench, MRELEASE, 0, 3, 2000);
    bench->counters[MRELEASE][0].refused = 5;
    see(bench, MRELEASE, 0, 7, 3000);
    lost = next_told(bench, &cause);
    assert_int_equal(lost.count, 3);
    assert_int_equal(lost.from_ns, 2000 + (uint64_t)TEST_BOOT_NS);
    assert_nothing_more(bench);
}

/* The counters run ahead of the records: what they know already is behind those that follow. */
static void numbers_go_on_behind_a_gap_and_tell_nothing(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    struct mrl_lost lost;

    bench->counters[MRELEASE][0].refused = 4;
    see(bench, MRELEASE, 0, 4, 1000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 4);
    bench->counters[MRELEASE][0].refused = 7;
    see(bench, MRELEASE, 0, 5, 2000);
    see(bench, MRELEASE, 0, 6, 3000);
    mrl_kernel_losses__see_malformed(&bench->losses, MRELEASE, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_MALFORMED, 1);
    see(bench, MRELEASE, 0, 10, 4000);
    lost = next_told(bench, &cause);
    assert_int_equal(lost.count, 3);
    assert_int_equal(lost.from_ns, 3000 + (uint64_t)TEST_BOOT_NS);
    assert_nothing_more(bench);
}

static void no_more_is_told_than_the_counters_know_and_the_rest_later(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 2; /* of 5: the probe is about to count the others */
    see(bench, MRELEASE, 0, 5, 1000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 2);
    bench->counters[MRELEASE][0].refused = 5;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 3);
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_nothing_more(bench);
}

static void no_more_is_told_than_numbers_are_missing(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 9; /* 6 of them behind this record */
    see(bench, MRELEASE, 0, 3, 1000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 3);
    see(bench, MRELEASE, 0, 10, 2000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 6);
    assert_nothing_more(bench);
}

static void events_of_one_lane_are_told_by_their_own_counters(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 1;
    bench->counters[MRL_EVENT_DO_MRELEASE][0].refused = 2;
    see(bench, MRELEASE, 0, 3, 1000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 1);
    assert_told(bench, MRL_EVENT_DO_MRELEASE, MRL_CAUSE_RING_FULL, 2);
    assert_nothing_more(bench);
}

static void cpus_and_lanes_have_numbers_of_their_own(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 3;
    bench->counters[MRL_EVENT_MLOCK][2].refused = 1;
    see(bench, MRELEASE, 1, 0, 1000);
    see(bench, MRL_EVENT_MLOCK, 0, 0, 1000);
    see(bench, MRL_EVENT_MLOCK, 1, 0, 1000);
    assert_nothing_more(bench);
    see(bench, MRL_EVENT_MLOCK, 2, 1, 2000);
    assert_told(bench, MRL_EVENT_MLOCK, MRL_CAUSE_RING_FULL, 1);
    see(bench, MRELEASE, 0, 3, 3000);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 3);
    assert_nothing_more(bench);
}

static void events_that_nobody_watches_are_not_told(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRL_EVENT_MUNLOCK][0].refused = 4;
    bench->counters[MRL_EVENT_MUNLOCK][0].no_memory = 4;
    see(bench, MRL_EVENT_MLOCK, 0, 4, 1000);
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_nothing_more(bench);
}

static void the_rest_is_of_all_cpus_from_the_oldest_last_record(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    struct mrl_lost lost;

    see(bench, MRL_EVENT_MLOCK, 0, 0, 5000);
    see(bench, MRL_EVENT_MLOCK, 1, 0, 4000);
    see(bench, MRL_EVENT_MLOCK, 2, 0, 3000); /* lost nothing */
    bench->counters[MRL_EVENT_MLOCK][0].refused = 10;
    bench->counters[MRL_EVENT_MLOCK][1].refused = 20;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    lost = next_told(bench, &cause);
    assert_int_equal(lost.count, 30);
    assert_int_equal(lost.from_ns, 4000 + (uint64_t)TEST_BOOT_NS);
    assert_true(lost.to_ns > lost.from_ns);
    assert_nothing_more(bench);
}

static void calls_without_a_number_are_told_once_as_they_grow(void **state)
{
    struct bench *bench = *state;
    enum mrl_cause cause;
    struct mrl_lost lost;

    bench->counters[MRELEASE][0].no_memory = 2;
    bench->counters[MRELEASE][2].no_memory = 1;
    bench->counters[MRELEASE][1].exit_missed = 5;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    lost = next_told(bench, &cause);
    assert_int_equal(cause, MRL_CAUSE_NO_MEMORY);
    assert_int_equal(lost.count, 3);
    assert_int_equal(lost.from_ns, bench->losses.start_ns + (uint64_t)TEST_BOOT_NS);
    assert_told(bench, MRELEASE, MRL_CAUSE_EXIT_MISSED, 5);
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_nothing_more(bench);
    bench->counters[MRELEASE][0].no_memory = 6;
    bench->counters[MRELEASE][1].exit_missed = 6;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_NO_MEMORY, 4);
    assert_told(bench, MRELEASE, MRL_CAUSE_EXIT_MISSED, 1);
    assert_nothing_more(bench);
}

static void counters_that_cannot_be_read_are_told_when_they_can(void **state)
{
    struct bench *bench = *state;

    bench->counters[MRELEASE][0].refused = 2;
    bench->fails = true;
    see(bench, MRELEASE, 0, 2, 1000);
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_nothing_more(bench);
    bench->fails = false;
    mrl_kernel_losses__tell_rest(&bench->losses, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_RING_FULL, 2);
    assert_nothing_more(bench);
}

static void records_that_nobody_would_write_change_nothing(void **state)
{
    struct bench *bench = *state;
    struct mrl_record record = { .event = MRELEASE, .lane = MRL_LANE_COUNT, .seq = 9 };

    bench->counters[MRELEASE][0].refused = 9;
    mrl_kernel_losses__see(&bench->losses, &record, bench->decoder.batch);
    see(bench, MRELEASE, CPUS, 9, 1000);
    assert_nothing_more(bench);
    see(bench, MRELEASE, 0, 0, 1000);
    see(bench, MRELEASE, 0, 1, 2000);
    see(bench, MRELEASE, 0, 0, 3000); /* a number of before */
    see(bench, MRELEASE, 0, 2, 4000);
    assert_nothing_more(bench);
}

static void a_malformed_record_is_told(void **state)
{
    struct bench *bench = *state;

    mrl_kernel_losses__see_malformed(&bench->losses, MRELEASE, bench->decoder.batch);
    assert_told(bench, MRELEASE, MRL_CAUSE_MALFORMED, 1);
    assert_nothing_more(bench);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(numbers_that_follow_each_other_tell_nothing),
        test(a_gap_is_told_once_from_the_record_before_it_to_the_one_behind),
        test(what_was_held_back_is_told_apart_from_what_found_no_room),
        test(losses_for_want_of_room_say_by_whom),
        test(a_second_gap_is_told_apart_from_the_first),
        test(numbers_go_on_behind_a_gap_and_tell_nothing),
        test(no_more_is_told_than_the_counters_know_and_the_rest_later),
        test(no_more_is_told_than_numbers_are_missing),
        test(events_of_one_lane_are_told_by_their_own_counters),
        test(cpus_and_lanes_have_numbers_of_their_own),
        test(events_that_nobody_watches_are_not_told),
        test(the_rest_is_of_all_cpus_from_the_oldest_last_record),
        test(calls_without_a_number_are_told_once_as_they_grow),
        test(counters_that_cannot_be_read_are_told_when_they_can),
        test(records_that_nobody_would_write_change_nothing),
        test(a_malformed_record_is_told),
    };

    return cmocka_run_group_tests_name("kernel_losses", tests, NULL, NULL);
}
