// SPDX-License-Identifier: Apache-2.0
/* Options of the plugin: what is refused before anything is loaded. The probes are live's business.
 */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "read/plugin_options.h"
#include "unit/unit.h"

struct option_case {
    const char *name, *value, *text; /* NULL: accepted */
};

static const struct option_case cases[] = {
    { "events", "default", NULL },
    { "events", "mlock*,-mlock2", NULL },
    { "events", "mlok", "unknown event 'mlok': did you mean 'mlock'?" },
    { "events", "", "'' is not a list of events, like 'process_mrelease,mlock*'" },
    { "events", "mlock.retval<0", NULL },
    { "events", "mlock.retvall<0", "unknown part of an event 'retvall': did you mean 'retval'?" },
    { "scope", "uid=0,1000", NULL },
    { "scope", "pid=new", NULL },
    { "scope", "container", NULL },
    { "scope", "uid<x", "'x' is no value of uid: it is a number from 0 to 2^32-1" },
    { "scope", "conainer", "unknown scope 'conainer': did you mean 'container'?" },
    { "rung", "auto", NULL },
    { "rung", "atuo", "unknown rung 'atuo': did you mean 'auto'?" },
    { "rung", "tp_btff", "unknown rung 'tp_btff': did you mean 'tp_btf'?" },
    { "coverage", "compat", NULL },
    { "coverage", "native", NULL },
    { "coverage", "all", NULL },
    { "coverage", "compet", "unknown coverage 'compet': did you mean 'compat'?" },
    { "ring", "8M", NULL },
    { "ring", "1", NULL },
    { "ring", "1G", NULL },
    { "ring", "0", "'0' is not between 1 and 1G" },
    { "ring", "1025M", "'1025M' is not between 1 and 1G" },
    { "ring", "18446744073709551615", "'18446744073709551615' is not between 1 and 1G" },
    { "ring", "8MB", "'8MB' is not a size, like 512K or 8M" },
    { "busy-ring", "4M", NULL },
    { "mlock-ring", "4M", NULL },
    { "busy-ring", "2G", "'2G' is not between 1 and 1G" },
};

static void plugin_rows_check_their_values(void **state)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mrl_option *row = mrl_option__find(rows, count, "option", cases[i].name, NULL);
        struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
        struct mrl_error error = { "" };

        assert_non_null(row);
        if (mrl_option__set(row, &options, cases[i].value, &error) !=
                (cases[i].text ? -EINVAL : 0) ||
            strcmp(error.text, cases[i].text ? cases[i].text : "") != 0)
            fail_case("--%s %s: %s", cases[i].name, cases[i].value, error.text);
    }
}

static void plugin_rows_are_complete_and_accept_their_presets(void **state)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

        assert_ptr_equal(mrl_option__find(rows, count, "option", rows[i].name, NULL), &rows[i]);
        assert_int_equal(rows[i].doc[strlen(rows[i].doc) - 1], '.');
        if (rows[i].preset)
            assert_int_equal(mrl_option__set(&rows[i], &options, rows[i].preset, NULL), 0);
    }
}

static void plugin_rungs_are_accepted_by_their_names(void **state)
{
    unsigned int count, rung_count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);
    const struct mrl_option *row = mrl_option__find(rows, count, "option", "rung", NULL);
    const struct mrl_rung *rungs = mrl_rung__all(&rung_count);

    (void)state;
    assert_true(rung_count >= 3);
    for (unsigned int i = 0; i < rung_count; i++) {
        struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

        assert_int_equal(mrl_option__set(row, &options, rungs[i].name, NULL), 0);
        assert_string_equal(options.rung, rungs[i].name);
    }
}

static void plugin_rows_add_up(void **state)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);
    const struct mrl_option *events = mrl_option__find(rows, count, "option", "events", NULL);
    const struct mrl_option *scope = mrl_option__find(rows, count, "option", "scope", NULL);
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error = { "" };

    (void)state;
    for (int i = 0; i < MRL_FILTERS_MAX; i++) {
        const char *text = i ? "mlock.retval<0" : "mlock*";

        assert_int_equal(mrl_option__set(events, &options, text, &error), 0);
        assert_int_equal(mrl_option__set(scope, &options, "uid=0", &error), 0);
    }
    assert_string_equal(options.more_events[0], "mlock*");
    assert_int_equal(options.more_event_count, MRL_FILTERS_MAX);
    assert_string_equal(options.more_events[MRL_FILTERS_MAX - 1], "mlock.retval<0");
    assert_int_equal(options.scope_count, MRL_FILTERS_MAX);
    assert_int_equal(mrl_option__set(events, &options, "mlock", &error), -EINVAL);
    assert_string_equal(error.text, "more than 64 times");
    assert_int_equal(mrl_option__set(scope, &options, "uid=0", &error), -EINVAL);
}

/* What one list leaves out no other puts in. */
static void plugin_options_say_which_events_they_choose(void **state)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    uint32_t events = 0, both;

    (void)state;
    assert_int_equal(mrl_events__parse("mlock,sensor_state", &both, NULL), 0);
    options.more_events[options.more_event_count++] = "mlock,sensor_state";
    assert_int_equal(mrl_plugin_options__events(&options, &events, NULL), 0);
    assert_int_equal(events, both);
    options.more_events[options.more_event_count++] = "-sensor_state";
    assert_int_equal(mrl_plugin_options__events(&options, &events, NULL), 0);
    assert_int_equal(events, 1U << mrl_event_def__find("mlock", NULL)->index);
    options.more_events[options.more_event_count++] = "mlok";
    assert_int_equal(mrl_plugin_options__events(&options, &events, NULL), -EINVAL);
}

static void plugin_open_refuses_wrong_options(void **state)
{
    static const struct {
        struct mrl_plugin_options options;
        const char *text;
    } wrong[] = {
        { { .size = sizeof(struct mrl_plugin_options), .events = "mlok" }, "unknown event 'mlok'" },
        { { .size = sizeof(struct mrl_plugin_options),
            .more_events = { "mlok" },
            .more_event_count = 1 },
          "unknown event 'mlok'" },
        { { .size = sizeof(struct mrl_plugin_options), .scopes = { "uidd=0" }, .scope_count = 1 },
          "unknown scope 'uidd'" },
        { { .size = sizeof(struct mrl_plugin_options), .scope_count = 65 }, "more than 64" },
        { { .size = sizeof(struct mrl_plugin_options), .rung = "kprob" }, "unknown rung 'kprob'" },
        { { .size = sizeof(struct mrl_plugin_options), .coverage = "some" }, "unknown coverage" },
        { { .size = sizeof(struct mrl_plugin_options), .rare_ring_bytes = UINT64_MAX },
          "a ring buffer of more than 1G" },
        { { .size = sizeof(struct mrl_plugin_options), .busy_ring_bytes = (1ULL << 30) + 1 },
          "a ring buffer of more than 1G" },
    };
    struct mrl_plugin *const untouched = (struct mrl_plugin *)&wrong;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct mrl_plugin *plugin = untouched;
        struct mrl_error error = { "" };

        assert_int_equal(mrl_plugin__open(&wrong[i].options, &error, &plugin), -EINVAL);
        assert_ptr_equal(plugin, untouched);
        if (strncmp(error.text, wrong[i].text, strlen(wrong[i].text)) != 0)
            fail_case("'%s', wanted '%s…'", error.text, wrong[i].text);
    }
}

static void plugin_rings_are_the_next_power_of_two_of_pages(void **state)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const struct {
        uint64_t wanted, bytes;
    } rings[] = {
        { 1, page },
        { page, page },
        { page + 1, 2 * page },
        { 8 << 20, 8 << 20 },
        { (8 << 20) + 1, 16 << 20 },
        { 1 << 30, 1 << 30 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rings); i++) {
        struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
        struct mrl_source_options checked = { .replay = NULL };

        options.rare_ring_bytes = rings[i].wanted;
        options.busy_ring_bytes = rings[COUNT_OF(rings) - 1 - i].wanted;
        assert_int_equal(mrl_plugin_options__check(&options, &checked, NULL), 0);
        assert_int_equal(checked.probes.rare_ring_bytes, rings[i].bytes);
        assert_int_equal(checked.probes.busy_ring_bytes, rings[COUNT_OF(rings) - 1 - i].bytes);
    }
}

static void plugin_may_be_closed_as_null(void **state)
{
    (void)state;
    mrl_plugin__close(NULL);
}

static void version_is_three_numbers(void **state)
{
    unsigned int part[3];
    char rest;

    (void)state;
    assert_int_equal(sscanf(mrl_version(), "%u.%u.%u%c", &part[0], &part[1], &part[2], &rest), 3);
    assert_true(mrl_source_id()[0]);
    assert_true(mrl_libbpf_version()[0] >= '0' && mrl_libbpf_version()[0] <= '9');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugin_rows_check_their_values),
        cmocka_unit_test(plugin_rows_are_complete_and_accept_their_presets),
        cmocka_unit_test(plugin_rungs_are_accepted_by_their_names),
        cmocka_unit_test(plugin_rows_add_up),
        cmocka_unit_test(plugin_rings_are_the_next_power_of_two_of_pages),
        cmocka_unit_test(plugin_options_say_which_events_they_choose),
        cmocka_unit_test(plugin_open_refuses_wrong_options),
        cmocka_unit_test(plugin_may_be_closed_as_null),
        cmocka_unit_test(version_is_three_numbers),
    };

    return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
