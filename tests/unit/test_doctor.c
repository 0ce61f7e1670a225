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

/* A reason where one is due, and WRONG where probes that must see did not. */
static void a_cell_says_why_it_is_what_it_is(void **state)
{
    static const struct {
        const char *way, *rung, *coverage;
        enum mrl_seen seen;
        unsigned int times;
        const char *reason;
    } cases[] = {
        { "native", "tp_btf", "compat", MRL_SEEN_YES, 1, "" },
        { "native", "tp_btf", "compat", MRL_SEEN_NO, 0, "WRONG: these probes must see it" },
        { "native", "tp_btf", "compat", MRL_SEEN_YES, 2, "WRONG: it was seen more than once" },
        { "native", "tp_btf", "compat", MRL_SEEN_PARTLY, 1, "what stood in the registers" },
        { "int 0x80", "tracepoint", "compat", MRL_SEEN_NO, 0, "this rung sees native calls" },
        { "int 0x80", "fentry", "compat", MRL_SEEN_NO, 0, "WRONG" },
        { "seccomp ERRNO", "fentry", "compat", MRL_SEEN_NO, 0, "it never ran, and was" },
        { "seccomp ERRNO", "fentry", "all", MRL_SEEN_NO, 0, "WRONG" },
        { "seccomp ERRNO", "raw_tp", "compat", MRL_SEEN_NO, 0, "WRONG" },
        { "seccomp ERRNO", "raw_tp", "compat", MRL_SEEN_YES, 1, "at its exit: it never ran" },
        { "user dispatch", "raw_tp", "compat", MRL_SEEN_NO, 0, "nothing was called" },
        { "x32", "raw_tp", "compat", MRL_SEEN_CLOSED, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned int rung_count, way_count, rung = 0, way = 0;
        const struct mrl_rung *rungs = mrl_rung__all(&rung_count);
        const struct mrl_way *ways = mrl_ways__all(&way_count);
        struct mrl_cell cell = { .seen = cases[i].seen, .times = cases[i].times };
        struct mrl_setup setup = { .coverage = cases[i].coverage };

        while (strcmp(rungs[rung].name, cases[i].rung) != 0)
            rung++;
        while (strcmp(ways[way].name, cases[i].way) != 0)
            way++;
        setup.rung = &rungs[rung];
        mrl_cell__explain(&cell, way, &setup);
        if (strncmp(cell.reason, cases[i].reason, strlen(cases[i].reason)) != 0 ||
            !*cell.reason != !*cases[i].reason)
            fail_case("case %zu: '%s'", i, cell.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile_interpolates_between_samples),
        cmocka_unit_test(advisories_are_of_the_versions_that_have_the_defect),
        cmocka_unit_test(every_fact_says_something),
        cmocka_unit_test(report_says_why_a_rung_does_not_work),
        cmocka_unit_test(a_cell_says_why_it_is_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
