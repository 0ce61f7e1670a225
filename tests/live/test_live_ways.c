// SPDX-License-Identifier: Apache-2.0
/*
 * The ways that a process has into the call, and round it: 'mrelease doctor --ways-in' goes each on
 * every rung, and what it says of it must be so. A rung that lacks a probe that another one has is
 * blind where that one sees.
 */
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

enum { NOBODY = 65534 };

/* -- what must be ----------------------------------------------------------------------------- */

enum kind {
    RUNS,    /* the kernel runs the native call: every rung sees it */
    FOREIGN, /* the call of another architecture */
    REFUSED, /* it never runs: probes of tracepoints see its exit */
    NOTHING, /* nothing is called */
};

static bool always(void)
{
    return true;
}

static bool never(void)
{
    return false;
}

static bool is_x86(void)
{
#if defined(__x86_64__)
    return true;
#else
    return false;
#endif
}

static const struct way {
    const char *name;
    enum kind kind;
    bool (*is_open)(void);
} ways[] = {
    { "native", RUNS, always },
    { "int 0x80", FOREIGN, trigger__has_compat },
    { "seccomp ERRNO", REFUSED, always },
    { "x32", FOREIGN, trigger__has_x32 },
    { "thread", RUNS, always },
    { "vfork's child", RUNS, always },
    { "signal's handler", RUNS, always },
    { "seccomp TRAP", REFUSED, always },
    { "seccomp KILL", REFUSED, always },
    { "seccomp TRACE, no tracer", REFUSED, always },
    { "seccomp USER_NOTIF", REFUSED, always },
    { "USER_NOTIF, let through", RUNS, always },
    { "killed inside", REFUSED, always },
    { "tracer sets number", RUNS, is_x86 },
    { "tracer sets arguments", RUNS, is_x86 },
    { "tracer sets result", RUNS, is_x86 },
    { "signal inside", RUNS, is_x86 },
    { "killed at its entry", REFUSED, is_x86 },
    { "user dispatch", NOTHING, is_x86 }, /* of other machines since 6.16 or so */
    { "io_uring", RUNS, never },
    { "cgroup namespace", RUNS, always },
    { "ipc namespace", RUNS, always },
    { "mount namespace", RUNS, always },
    { "net namespace", RUNS, always },
    { "pid namespace", RUNS, always },
    { "time namespace", RUNS, always },
    { "user namespace", RUNS, always },
    { "uts namespace", RUNS, always },
};

static bool must_be_seen(const struct way *way, const char *rung, bool beside)
{
    switch (way->kind) {
    case RUNS:
        return true;
    case FOREIGN:
        return live__sees_compat(rung);
    case REFUSED:
        return live__sees_blocked(rung) || beside;
    default:
        return false;
    }
}

/* -- what is ---------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static json_t *go_all_ways(const char *rung, void (*prepare)(void), int wanted_status)
{
    const char *arguments[] = {
        "doctor", "--ways-in", "--format", "json", "--rung", rung, NULL,
    };
    const struct sensor_options options = { .arguments = arguments, .prepare = prepare };
    struct sensor doctor;
    json_error_t error;
    json_t *report;
    int status;

    sensor__spawn(&doctor, &options);
    status = sensor__wait(&doctor);
    report = json_loads(sensor__stdout(&doctor), 0, &error);
    if (!report || status != wanted_status)
        fail_msg("exit status %d, line %d: %s; standard error: %s", status, error.line, error.text,
                 sensor__stderr(&doctor));
    return report;
}

/* A cell that is not possible says why; so does one that is not seen. */
static void assert_cell(const json_t *cell, const struct way *way, const char *rung, bool beside)
{
    bool seen = must_be_seen(way, rung, beside);
    const char *wanted = !way->is_open() ? "not possible" : seen ? "seen" : "not seen";

    assert_string_equal(text_at(cell, "way"), way->name);
    if (strcmp(text_at(cell, "seen"), wanted) != 0 ||
        json_integer_value(json_object_get(cell, "times")) != (way->is_open() && seen))
        fail_msg("%s%s, %s: %s, and not %s (%s)", rung, beside ? " and beside it" : "", way->name,
                 text_at(cell, "seen"), wanted, text_at(cell, "reason"));
    if (!strcmp(wanted, "seen"))
        return;
    assert_true(*text_at(cell, "reason"));
    assert_null(strstr(text_at(cell, "reason"), "WRONG"));
}

static void assert_ways(const char *rung)
{
    json_t *report = go_all_ways(rung, NULL, 0), *setup;
    size_t setups;

    json_array_foreach(json_object_get(report, "waysIn"), setups, setup)
    {
        json_t *cells = json_object_get(setup, "ways");

        assert_string_equal(text_at(setup, "rung"), rung);
        assert_true(json_is_true(json_object_get(setup, "works")));
        assert_int_equal(json_array_size(cells), COUNT_OF(ways));
        for (size_t i = 0; i < COUNT_OF(ways); i++)
            assert_cell(json_array_get(cells, i), &ways[i], rung, *text_at(setup, "beside"));
    }
    /* With and without the probe that stands beside. */
    assert_int_equal(setups, !strcmp(rung, "fentry") || !strcmp(rung, "kprobe") ? 2 : 1);
    json_decref(report);
}

static void every_way_in_is_what_doctor_says_of_it(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_ways);
}

/* -- others, and rights ----------------------------------------------------------------------- */

/*
 * Of somebody in a user namespace of its own nobody can know that it was doctor's: that one call a
 * sensor beside it sees, each time.
 */
static void only_the_call_of_a_user_namespace_is_an_event_for_others(void **state)
{
    const char *rung = live__works("tp_btf") ? "tp_btf" : "kprobe";
    size_t count, setups;
    const struct lines *lines;
    struct sensor sensor;
    json_t *report;

    (void)state;
    live__require();
    live__add_caller("mrl-way-*");
    SENSOR_START(&sensor, "-e", "process_mrelease,do_mrelease", "--rung", rung, "-o",
                 live__output("json", "events"));
    report = go_all_ways(rung, NULL, 0);
    setups = json_array_size(json_object_get(report, "waysIn"));
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    count = lines->count;
    for (size_t i = 0; i < count; i++)
        if (strncmp(json__text(lines->at[i].json, "processName"), "mrl-way-26-", 11) != 0)
            fail_msg("an event for others: %s", lines->at[i].text);
    assert_string_equal(ways[26].name, "user namespace");
    assert_int_equal(count, setups);
    json_decref(report);
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        _exit(127);
}

/* Where no probes work nothing is said of any way, least of all that it was not seen. */
static void without_rights_no_way_is_judged(void **state)
{
    json_t *report, *setup;
    size_t index;

    (void)state;
    live__require();
    report = go_all_ways("auto", become_nobody, 1);
    json_array_foreach(json_object_get(report, "waysIn"), index, setup)
    {
        assert_true(json_is_false(json_object_get(setup, "works")));
        assert_true(*text_at(setup, "reason"));
        assert_int_equal(json_array_size(json_object_get(setup, "ways")), 0);
    }
    json_decref(report);
}

/* As in a unit with SystemCallFilter=. */
static void refuse_the_call(void)
{
    if (!trigger__block(event__find("process_mrelease")->number,
                        event__find("process_mrelease")->number, EPERM))
        _exit(127);
}

static void what_a_filter_refuses_is_not_possible(void **state)
{
    const char *rung = live__works("tp_btf") ? "tp_btf" : "raw_tp";
    json_t *report, *cells, *cell;
    size_t index;

    (void)state;
    live__require();
    report = go_all_ways(rung, refuse_the_call, 0);
    cells = json_object_get(json_array_get(json_object_get(report, "waysIn"), 0), "ways");
    assert_int_equal(json_array_size(cells), COUNT_OF(ways));
    json_array_foreach(cells, index, cell)
    {
        assert_string_equal(text_at(cell, "seen"), "not possible");
        assert_non_null(strstr(text_at(cell, "reason"), "seccomp filter"));
    }
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(every_way_in_is_what_doctor_says_of_it),
        LIVE_TEST(only_the_call_of_a_user_namespace_is_an_event_for_others),
        LIVE_TEST(without_rights_no_way_is_judged),
        LIVE_TEST(what_a_filter_refuses_is_not_possible),
    };

    return cmocka_run_group_tests_name("live: ways in", tests, NULL, NULL);
}
