// SPDX-License-Identifier: Apache-2.0
/* Filters by the generation of the configuration: which one a record is asked by, and how long it
 * is kept. */
#include <errno.h>
#include <string.h>

#include "read/filters.h"
#include "unit/unit.h"

/* The rings are two numbers each here: up to where the kernel has written, and the reader read. */
struct bench {
    struct mrl_filters filters;
    struct mrl_filter *first;
    unsigned long written[MRL_LANE_COUNT];
    struct mrl_ring rings[MRL_LANE_COUNT];
};

static struct mrl_filter *new_filter(void)
{
    const struct mrl_filter_texts texts = { .event_count = 0 };
    struct mrl_error error;
    struct mrl_filter *filter;

    assert_int_equal(mrl_filter__new(&texts, &error, &filter), 0);
    return filter;
}

static int set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){ .first = new_filter() };
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        bench.rings[lane].producer = &bench.written[lane];
    mrl_filters__init(&bench.filters, bench.first);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    mrl_filters__done(&bench->filters);
    mrl_filter__free(bench->first);
    return 0;
}

static const struct mrl_filter *add(struct bench *bench, uint32_t from)
{
    struct mrl_filter *filter = new_filter();
    struct mrl_error error;

    assert_int_equal(mrl_filters__add(&bench->filters, from, filter, &error), 0);
    return filter;
}

static void read_to(struct bench *bench, unsigned long rare, unsigned long busy)
{
    bench->rings[MRL_LANE_RARE].at = rare;
    bench->rings[MRL_LANE_BUSY].at = busy;
    mrl_filters__drop_read(&bench->filters, bench->rings);
}

static void a_record_is_asked_by_the_filter_of_its_generation(void **state)
{
    struct bench *bench = *state;
    const struct mrl_filter *of_3 = add(bench, 3), *of_7 = add(bench, 7);
    /* In the order in which CPUs may mix them. */
    const struct {
        uint32_t generation;
        const struct mrl_filter *filter;
    } cases[] = {
        { 0, bench->first }, { 1, bench->first }, { 3, of_3 }, { 2, bench->first }, { 6, of_3 },
        { 7, of_7 },         { 7, of_7 },         { 5, of_3 }, { 9, of_7 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_ptr_equal(mrl_filters__of(&bench->filters, cases[i].generation), cases[i].filter);
    assert_ptr_equal(mrl_filters__last(&bench->filters), of_7);
}

static void a_filter_is_kept_until_its_last_record_was_read(void **state)
{
    struct bench *bench = *state;
    const struct mrl_filter *of_2;

    bench->written[MRL_LANE_RARE] = 100;
    bench->written[MRL_LANE_BUSY] = 500;
    read_to(bench, 100, 500);
    of_2 = add(bench, 2);
    read_to(bench, 100, 500); /* more may come of it: nobody said that it has ended */
    assert_int_equal(bench->filters.count, 2);
    bench->written[MRL_LANE_BUSY] = 600;
    mrl_filters__end(&bench->filters, bench->rings);
    bench->written[MRL_LANE_BUSY] = 900; /* of the new one */
    read_to(bench, 100, 599);
    assert_int_equal(bench->filters.count, 2);
    assert_ptr_equal(mrl_filters__of(&bench->filters, 1), bench->first);
    read_to(bench, 99, 600);
    assert_int_equal(bench->filters.count, 2);
    read_to(bench, 100, 600);
    assert_int_equal(bench->filters.count, 1);
    assert_ptr_equal(mrl_filters__of(&bench->filters, 1),
                     of_2); /* the one that was found is gone */
}

static void an_end_is_not_put_off_by_later_ones(void **state)
{
    struct bench *bench = *state;

    add(bench, 2);
    mrl_filters__end(&bench->filters, bench->rings);
    bench->written[MRL_LANE_BUSY] = 50;
    add(bench, 3);
    mrl_filters__end(&bench->filters, bench->rings);
    read_to(bench, 0, 0);
    assert_int_equal(bench->filters.count, 2); /* the second ends at 50 */
    read_to(bench, 0, 50);
    assert_int_equal(bench->filters.count, 1);
}

static void more_filters_than_fit_are_refused(void **state)
{
    struct bench *bench = *state;
    struct mrl_filter *one_more = new_filter();
    struct mrl_error error;

    for (uint32_t i = 1; i < MRL_FILTERS_HELD; i++)
        add(bench, i + 1);
    assert_int_equal(mrl_filters__add(&bench->filters, 99, one_more, &error), -EAGAIN);
    assert_string_equal(error.text, "16 filters are held by events that nobody has read");
    mrl_filter__free(one_more);
}

static void a_generation_that_never_came_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct mrl_filter *filter = (struct mrl_filter *)add(bench, 2);

    mrl_filters__take_back(&bench->filters);
    mrl_filter__free(filter);
    assert_ptr_equal(mrl_filters__last(&bench->filters), bench->first);
    assert_ptr_equal(mrl_filters__of(&bench->filters, 2), bench->first);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_asked_by_the_filter_of_its_generation),
        TEST(a_filter_is_kept_until_its_last_record_was_read),
        TEST(an_end_is_not_put_off_by_later_ones),
        TEST(more_filters_than_fit_are_refused),
        TEST(a_generation_that_never_came_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
