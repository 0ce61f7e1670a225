// SPDX-License-Identifier: Apache-2.0
/* Who is blamed for a loss: whoever lost most since the last look. */
#include <stdio.h>
#include <string.h>

#include "probe/culprits.h"
#include "unit/unit.h"

static char logged[512];
static unsigned int log_count;

static void take_line(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    assert_int_equal(level, MRL_LOG_WARNING);
    snprintf(logged, sizeof(logged), "%s", text);
    log_count++;
}

static const struct mrl_probe_options options = { .log = take_line };
static struct mrl_culprits culprits;

/* No probes are asked: what they would say is told by see(). */
static int set_up(void **state)
{
    (void)state;
    culprits = (struct mrl_culprits){ .options = &options, .read_ns = INT64_MAX };
    log_count = 0;
    return 0;
}

static const struct mrl_culprit_key keys[] = { { 1000, MRL_LANE_RARE },
                                               { 65534, MRL_LANE_RARE },
                                               { 7, MRL_LANE_BUSY } };

static void see(uint64_t first, uint64_t second, uint64_t busy)
{
    const struct mrl_culprit now[] = { { first, 11, "one" },
                                       { second, 22, "two" },
                                       { busy, 33, "busy" } };

    mrl_culprits__see(&culprits, keys, now, 3);
}

static struct mrl_lost blame(unsigned int lane)
{
    struct mrl_lost lost = { .cause = MRL_CAUSE_SUPPRESSED };

    mrl_culprits__blame(&culprits, lane, &lost);
    return lost;
}

static void assert_blames(unsigned int lane, uint32_t uid, const char *comm)
{
    struct mrl_lost lost = blame(lane);

    assert_true(lost.by.is_known);
    assert_int_equal(lost.by.uid, uid);
    assert_string_equal(lost.by.latest.comm, comm);
}

static void nobody_is_blamed_of_whom_nothing_is_known(void **state)
{
    (void)state;
    assert_false(blame(MRL_LANE_RARE).by.is_known);
    assert_int_equal(log_count, 0);
}

static void the_one_that_lost_most_is_blamed_in_its_lane(void **state)
{
    (void)state;
    see(5, 9, 100);
    assert_blames(MRL_LANE_RARE, 65534, "two");
    assert_blames(MRL_LANE_BUSY, 7, "busy");
}

static void what_was_lost_long_ago_counts_no_more(void **state)
{
    (void)state;
    see(5, 1000, 0);
    see(15, 1003, 0);
    assert_blames(MRL_LANE_RARE, 1000, "one");
}

static void who_was_forgotten_meanwhile_begins_anew(void **state)
{
    (void)state;
    see(0, 1000, 0);
    see(2, 3, 0);
    assert_blames(MRL_LANE_RARE, 65534, "two");
}

static void a_look_at_which_nobody_lost_blames_the_last_one(void **state)
{
    (void)state;
    see(5, 9, 0);
    see(5, 9, 0);
    assert_blames(MRL_LANE_RARE, 65534, "two");
}

static void the_log_names_the_culprit_once_in_a_while(void **state)
{
    (void)state;
    see(5, 9, 0);
    blame(MRL_LANE_RARE);
    blame(MRL_LANE_RARE);
    assert_int_equal(log_count, 1);
    assert_string_equal(logged, "events are lost (suppressed): most calls come from uid 65534, of "
                                "late two in cgroup 22");
}

#define test(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(nobody_is_blamed_of_whom_nothing_is_known),
        test(the_one_that_lost_most_is_blamed_in_its_lane),
        test(what_was_lost_long_ago_counts_no_more),
        test(who_was_forgotten_meanwhile_begins_anew),
        test(a_look_at_which_nobody_lost_blames_the_last_one),
        test(the_log_names_the_culprit_once_in_a_while),
    };

    return cmocka_run_group_tests_name("culprits", tests, NULL, NULL);
}
