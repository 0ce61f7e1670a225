// SPDX-License-Identifier: Apache-2.0
/* What doctor makes of what it found: statistics, advisories, and the report. */
#include <string.h>

#include "command/doctor/doctor.h"
#include "unit/unit.h"

static void percentile_interpolates_between_samples(void **state)
{
    static const struct {
        struct mrl_samples samples;
        double percent, value;
    } cases[] = {
        { { { 0 }, 0 }, 50, 0 },
        { { { 7 }, 1 }, 10, 7 },
        { { { 7 }, 1 }, 90, 7 },
        { { { 3, 1, 2 }, 3 }, 50, 2 },
        { { { 3, 1, 2 }, 3 }, 0, 1 },
        { { { 3, 1, 2 }, 3 }, 100, 3 },
        { { { 4, 1, 2, 3 }, 4 }, 50, 2.5 },
        { { { 0, 10 }, 2 }, 90, 9 },
        { { { -5, 5 }, 2 }, 50, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double value = mrl_samples__percentile(&cases[i].samples, cases[i].percent);

        if (value < cases[i].value - 1e-9 || value > cases[i].value + 1e-9)
            fail_case("case %zu: %f instead of %f", i, value, cases[i].value);
    }
}

static void advisories_are_of_the_versions_that_have_the_defect(void **state)
{
    static const struct {
        const char *release;
        unsigned int count;
    } cases[] = {
        { "5.10.0-33-amd64", 0 }, { "5.14.21", 0 }, { "5.15.0-91-generic", 2 },
        { "5.16.0-rc1", 2 },      { "5.17.0", 1 },  { "5.18.0", 0 },
        { "6.1.0-44-amd64", 0 },  { "6.15.2", 0 },  { "unknown", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned int count = 0;

        while (mrl_doctor__advisory(cases[i].release, count))
            count++;
        if (count != cases[i].count)
            fail_case("%s: %u advisories instead of %u", cases[i].release, count, cases[i].count);
    }
}

static void every_fact_says_something(void **state)
{
    unsigned int count;
    const struct mrl_fact *facts = mrl_doctor__facts(&count);
    char value[64];

    (void)state;
    assert_in_range(count, 1, 100);
    for (unsigned int i = 0; i < count; i++) {
        memset(value, 0, sizeof(value));
        facts[i].find(value);
        if (!*value || !memchr(value, '\0', sizeof(value)))
            fail_case("%s says nothing", facts[i].name);
    }
}

/* One that works and one that does not: what the report says of each. */
static void report_says_why_a_rung_does_not_work(void **state)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);
    struct mrl_doctor doctor = {
        .setups = { { .rung = &rungs[0],
                      .coverage = "compat",
                      .why = { "no probe works here: fentry: load: Operation not permitted" } },
                    { .rung = &rungs[1],
                      .coverage = "all",
                      .works = true,
                      .seen = { MRL_SEEN_YES, MRL_SEEN_CLOSED, MRL_SEEN_NO },
                      .added_ns = { { 40, 20, 30 }, 3 } } },
        .setup_count = 2,
    };
    json_t *json = mrl_doctor__json(&doctor), *rung;
    double median;

    (void)state;
    assert_non_null(json);
    rung = json_array_get(json_object_get(json, "rungs"), 0);
    assert_string_equal(json_string_value(json_object_get(rung, "reason")),
                        "load: Operation not permitted");
    assert_true(json_is_null(json_object_get(rung, "taxNs")));
    rung = json_array_get(json_object_get(json, "rungs"), 1);
    assert_true(json_is_null(json_object_get(rung, "reason")));
    assert_string_equal(json_string_value(json_object_get(rung, "beside")), rungs[1].beside);
    assert_string_equal(json_string_value(json_object_get(json_object_get(rung, "sees"), "compat")),
                        "not offered");
    median = json_number_value(json_object_get(json_object_get(rung, "taxNs"), "median"));
    assert_true(median > 29.9 && median < 30.1);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile_interpolates_between_samples),
        cmocka_unit_test(advisories_are_of_the_versions_that_have_the_defect),
        cmocka_unit_test(every_fact_says_something),
        cmocka_unit_test(report_says_why_a_rung_does_not_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
