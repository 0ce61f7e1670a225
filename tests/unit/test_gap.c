// SPDX-License-Identifier: Apache-2.0
/* Gaps: how many of which event are missing, and from when to when. */
#include "deliver/gap.h"
#include "unit/unit.h"

static void assert_missing(const struct mrl_missing *missing,
                           uint64_t count,
                           uint64_t from_ns,
                           uint64_t to_ns)
{
    assert_int_equal(missing->count, count);
    assert_int_equal(missing->from_ns, from_ns);
    assert_int_equal(missing->to_ns, to_ns);
}

static void lines_of_one_event_widen_its_gap_on_both_sides(void **state)
{
    static const uint64_t times[] = { 500, 900, 200, 700 };
    struct mrl_gap gap = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++)
        mrl_gap__add(&gap, &(struct mrl_line){ .event = 1, .time_ns = times[i] },
                     MRL_CAUSE_QUEUE_FULL);
    assert_missing(&gap.of[MRL_CAUSE_QUEUE_FULL][1], 4, 200, 900);
    assert_int_equal(gap.total, 4);
}

static void a_line_that_is_a_gap_keeps_its_count_cause_and_times(void **state)
{
    const struct mrl_line line = {
        .event = 2, .cause = MRL_CAUSE_RING_FULL, .lost = 40, .time_ns = 100, .last_ns = 300
    };
    struct mrl_gap gap = { 0 };

    (void)state;
    mrl_gap__add(&gap, &line, MRL_CAUSE_QUEUE_FULL);
    mrl_gap__add(&gap, &(struct mrl_line){ .event = 2, .time_ns = 350 }, MRL_CAUSE_QUEUE_FULL);
    assert_missing(&gap.of[MRL_CAUSE_RING_FULL][2], 40, 100, 300);
    assert_missing(&gap.of[MRL_CAUSE_QUEUE_FULL][2], 1, 350, 350);
    assert_int_equal(gap.total, 41);
}

static void merging_widens_and_empties_the_other(void **state)
{
    struct mrl_gap gap = { 0 }, other = { 0 };

    (void)state;
    mrl_gap__add(&gap, &(struct mrl_line){ .event = 0, .time_ns = 500 }, MRL_CAUSE_WRITE_FAILED);
    mrl_gap__add(&other, &(struct mrl_line){ .event = 0, .time_ns = 400 }, MRL_CAUSE_WRITE_FAILED);
    mrl_gap__add(&other, &(struct mrl_line){ .event = 0, .time_ns = 800 }, MRL_CAUSE_WRITE_FAILED);
    mrl_gap__add(&other, &(struct mrl_line){ .event = 3, .time_ns = 600 }, MRL_CAUSE_WRITE_FAILED);
    mrl_gap__merge(&gap, &other);
    assert_missing(&gap.of[MRL_CAUSE_WRITE_FAILED][0], 3, 400, 800);
    assert_missing(&gap.of[MRL_CAUSE_WRITE_FAILED][3], 1, 600, 600);
    assert_int_equal(gap.total, 4);
    assert_int_equal(other.total, 0);
    mrl_gap__merge(&gap, &other);
    assert_int_equal(gap.total, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_one_event_widen_its_gap_on_both_sides),
        cmocka_unit_test(a_line_that_is_a_gap_keeps_its_count_cause_and_times),
        cmocka_unit_test(merging_widens_and_empties_the_other),
    };

    return cmocka_run_group_tests_name("gap", tests, NULL, NULL);
}
