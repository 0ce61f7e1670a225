// SPDX-License-Identifier: Apache-2.0
/* When a reader naps, and when it lets itself be woken. */
#include "read/pace.h"
#include "unit/unit.h"

/* `looks` looks, `gap_ns` apart, that find `records` each. */
static void look(struct mrl_pace *pace, int64_t *now_ns, int looks, int64_t gap_ns, size_t records)
{
    for (int i = 0; i < looks; i++) {
        *now_ns += gap_ns;
        mrl_pace__saw(pace, *now_ns, records);
    }
}

static void pace_naps_from_two_records_a_nap(void **state)
{
    static const struct {
        int64_t gap_ns;
        size_t records;
        bool close;
    } cases[] = {
        { 1000000, 1, false }, { 1000000, 2, false }, { 200000, 1, false },
        { 140000, 1, true },   { 100000, 1, true },   { 350000, 35, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mrl_pace pace = MRL_PACE;
        int64_t now_ns = 1;

        look(&pace, &now_ns, 100, cases[i].gap_ns, cases[i].records);
        assert_int_equal(pace.close, cases[i].close);
    }
}

static void pace_does_not_go_back_and_forth(void **state)
{
    struct mrl_pace pace = MRL_PACE;
    int64_t now_ns = 1;

    (void)state;
    look(&pace, &now_ns, 100, 350000, 2); /* 175 µs apart: not close enough to begin … */
    assert_false(pace.close);
    look(&pace, &now_ns, 100, 100000, 1);
    assert_true(pace.close);
    look(&pace, &now_ns, 100, 350000, 2); /* … and close enough to go on */
    assert_true(pace.close);
}

static void pace_naps_for_24_records_within_bounds(void **state)
{
    static const struct {
        int64_t gap_ns, nap_ns;
    } cases[] = {
        { 1000, MRL_NAP_NS },
        { 15000, 360000 },
        { 20000, 480000 },
        { 100000, MRL_NAP_MAX_NS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mrl_pace pace = MRL_PACE;
        int64_t now_ns = 1;

        look(&pace, &now_ns, 100, 10 * cases[i].gap_ns, 10);
        assert_in_range(mrl_pace__nap_ns(&pace), cases[i].nap_ns, cases[i].nap_ns + 1000);
    }
}

static void pace_lets_itself_be_woken_soon_after_the_last_record(void **state)
{
    struct mrl_pace pace = MRL_PACE;
    int64_t now_ns = 1;
    int naps = 0;

    (void)state;
    look(&pace, &now_ns, 100, 1000, 1);
    assert_true(pace.close);
    while (pace.close) {
        look(&pace, &now_ns, 1, MRL_NAP_NS, 0);
        naps++;
    }
    assert_in_range(naps, 2, 4);
}

static void pace_forgets_an_hour_of_quiet(void **state)
{
    struct mrl_pace pace = MRL_PACE;
    int64_t now_ns = 1;

    (void)state;
    look(&pace, &now_ns, 1, INT64_C(3600) * 1000000000, 1);
    assert_false(pace.close);
    look(&pace, &now_ns, 20, 1000, 1);
    assert_true(pace.close);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_naps_from_two_records_a_nap),
        cmocka_unit_test(pace_does_not_go_back_and_forth),
        cmocka_unit_test(pace_naps_for_24_records_within_bounds),
        cmocka_unit_test(pace_lets_itself_be_woken_soon_after_the_last_record),
        cmocka_unit_test(pace_forgets_an_hour_of_quiet),
    };

    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
