// SPDX-License-Identifier: Apache-2.0
/* The failing calls of a process within a second. */
#include "falco/failures.h"
#include "unit/unit.h"

#define BEGIN_NS  1700000000000000000U
#define SECOND_NS 1000000000U

static struct mrl_event failing(uint64_t at_ns)
{
    return (struct mrl_event){
        .def = mrl_event_def__at(0),
        .exit_ns = BEGIN_NS + at_ns,
        .return_value = -9,
        .process_start_ns = BEGIN_NS - SECOND_NS,
        .host_process_id = 100,
    };
}

static void failures_of_a_second_add_up(void **state)
{
    struct mrl_failures failures = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct mrl_event event = failing((uint64_t)i * 1000000);

        assert_int_equal(mrl_failures__count(&failures, &event), i + 1);
    }
}

static void failure_after_the_second_begins_the_next(void **state)
{
    struct mrl_failures failures = { 0 };
    const struct mrl_event first = failing(0), last = failing(SECOND_NS - 1),
                           next = failing(SECOND_NS);

    (void)state;
    assert_int_equal(mrl_failures__count(&failures, &first), 1);
    assert_int_equal(mrl_failures__count(&failures, &last), 2);
    assert_int_equal(mrl_failures__count(&failures, &next), 1);
}

static void failure_from_before_the_second_belongs_to_it(void **state)
{
    struct mrl_failures failures = { 0 };
    const struct mrl_event first = failing(1000), earlier = failing(0);

    (void)state;
    assert_int_equal(mrl_failures__count(&failures, &first), 1);
    assert_int_equal(mrl_failures__count(&failures, &earlier), 2);
}

static void success_is_not_counted_and_ends_nothing(void **state)
{
    struct mrl_failures failures = { 0 };
    const struct mrl_event failed = failing(0);
    struct mrl_event succeeded = failed;

    (void)state;
    succeeded.return_value = 0;
    assert_int_equal(mrl_failures__count(&failures, &succeeded), 0);
    assert_int_equal(mrl_failures__count(&failures, &failed), 1);
    assert_int_equal(mrl_failures__count(&failures, &succeeded), 0);
    assert_int_equal(mrl_failures__count(&failures, &failed), 2);
}

static void processes_and_calls_are_counted_apart(void **state)
{
    struct mrl_failures failures = { 0 };
    struct mrl_event others[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        others[i] = failing(0);
    others[1].host_process_id++;
    others[2].def = mrl_event_def__at(2);
    for (uint32_t round = 1; round <= 3; round++)
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(mrl_failures__count(&failures, &others[i]), round);
    others[3].process_start_ns++; /* the number is used again */
    assert_int_equal(mrl_failures__count(&failures, &others[3]), 1);
}

static void process_upon_anothers_place_is_never_counted_too_high(void **state)
{
    struct mrl_failures failures = { 0 };
    struct mrl_event one = failing(0), other = failing(0);

    (void)state;
    other.host_process_id += MRL_FAILURES_PLACES;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(mrl_failures__count(&failures, &one), 1);
        assert_int_equal(mrl_failures__count(&failures, &other), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_a_second_add_up),
        cmocka_unit_test(failure_after_the_second_begins_the_next),
        cmocka_unit_test(failure_from_before_the_second_belongs_to_it),
        cmocka_unit_test(success_is_not_counted_and_ends_nothing),
        cmocka_unit_test(processes_and_calls_are_counted_apart),
        cmocka_unit_test(process_upon_anothers_place_is_never_counted_too_high),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
