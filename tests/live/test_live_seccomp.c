// SPDX-License-Identifier: Apache-2.0
/*
 * The sensor itself under a seccomp filter, as a unit of systemd or a container puts one on it:
 * what it then cannot prove it does not claim, and it says whose filter that may be.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "harness.h"

#define UNDER_A_FILTER "a seccomp filter refuses"
#define ITS_SOURCE     "SystemCallFilter="

enum { PROCESS_MRELEASE = 448 };

static const char *const functions[] = { "fentry", "kprobe" };

/* As SystemCallFilter=@system-service, and in both architectures as that is. */
static void refuse_the_call(void)
{
    if (!trigger__block(PROCESS_MRELEASE, PROCESS_MRELEASE, EPERM))
        _exit(127);
}

/* As the profile of a container that is older than the call. */
static void say_there_is_no_call(void)
{
    if (!trigger__block(PROCESS_MRELEASE, PROCESS_MRELEASE, ENOSYS))
        _exit(127);
}

/* As SystemCallArchitectures=native. */
static void kill_foreign_calls(void)
{
    if (!trigger__block_foreign())
        _exit(127);
}

static void start_under(void (*filter)(void), const char *rung, struct sensor *sensor)
{
    const char *arguments[] = {
        "run", "-e", "process_mrelease",         "--extra", "seq",         "--rung",
        rung,  "-o", live__output("json", rung), "--scope", live__scope(), NULL,
    };
    const struct sensor_options options = { .arguments = arguments, .prepare = filter };

    sensor__spawn(sensor, &options);
}

static void call_once(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

/* What `started` says; valid until the test ends. */
static const char *detail_of(const char *rung)
{
    const struct lines *lines = lines__load(live__path(rung));
    size_t i = 0;

    while (i < lines->count && !strstr(lines->at[i].text, "rung="))
        i++;
    assert_int_not_equal(i, lines->count);
    return lines->at[i].text;
}

/* Runs with one rung, watches one call of somebody without a filter. */
static const char *watch_under(void (*filter)(void), const char *rung, struct sensor *sensor)
{
    struct script *script = script__new();

    start_under(filter, rung, sensor);
    sensor__await_ready(sensor);
    script__run(script, call_once);
    assert_int_equal(sensor__stop(sensor, SIGINT), 0);
    assert_int_equal(lines__of_script(lines__load(live__path(rung)), script), 1);
    return detail_of(rung);
}

static void assert_says(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("no '%s' in: %s", wanted, text);
}

static bool is_of_functions(const char *rung)
{
    return !strcmp(rung, functions[0]) || !strcmp(rung, functions[1]);
}

/* A rung on the functions of the calls cannot be proven, and is refused; one on tracepoints sees
 * how the calls of its proof are refused. */
static void assert_refused(const char *rung)
{
    struct sensor sensor;

    if (!is_of_functions(rung)) {
        assert_says(watch_under(refuse_the_call, rung, &sensor), "; unproven=native");
        assert_says(sensor__stderr(&sensor), UNDER_A_FILTER);
        assert_says(sensor__stderr(&sensor), ITS_SOURCE);
        assert_says(sensor__stderr(&sensor), "warning: rung ");
        return;
    }
    start_under(refuse_the_call, rung, &sensor);
    assert_int_equal(sensor__wait(&sensor), 1);
    assert_says(sensor__stderr(&sensor), live__text("%s: proof: ", rung));
    assert_says(sensor__stderr(&sensor), UNDER_A_FILTER);
    assert_says(sensor__stderr(&sensor), ITS_SOURCE);
}

static void a_filter_that_refuses_the_call_is_named(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_refused);
}

/* Those that have no tax are passed over, which is said. */
static void a_rung_that_is_passed_over_is_named(void **state)
{
    struct sensor sensor;
    const char *detail;

    (void)state;
    live__require();
    detail = watch_under(refuse_the_call, "auto", &sensor);
    assert_says(detail, trigger__has_compat() ? "; unproven=native,compat" : "; unproven=native");
    assert_says(detail, live__works("tp_btf") ? "rung=tp_btf" : "rung=");
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (live__works(functions[i])) {
            assert_says(sensor__stderr(&sensor), "warning: passed over ");
            assert_says(sensor__stderr(&sensor), functions[i]);
        }
}

/* It is not believed that this kernel lacks the call. */
static void a_filter_that_knows_no_such_call_is_no_old_kernel(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_says(watch_under(say_there_is_no_call, "auto", &sensor), "; unproven=native");
    assert_says(sensor__stderr(&sensor), ITS_SOURCE);
}

/* The rung is the one that would be taken, and its 32-bit half is not claimed. */
static void assert_foreign(const char *rung)
{
    struct sensor sensor;
    const char *detail;

    detail = watch_under(kill_foreign_calls, rung, &sensor);
    if (!live__sees_compat(rung)) {
        assert_null(strstr(detail, "unproven="));
        return;
    }
    assert_says(detail, "; unproven=compat");
    assert_says(sensor__stderr(&sensor), "these calls of others: compat");
    assert_says(sensor__stderr(&sensor), "SystemCallArchitectures=");
    /* Whoever set such a filter knows of it. */
    assert_null(strstr(sensor__stderr(&sensor), "warning: rung"));
}

static void thirty_two_bits_that_a_filter_kills_are_not_claimed(void **state)
{
    (void)state;
    live__require();
    if (!trigger__has_compat()) {
        print_message("# skipped: this machine has no 32-bit calls\n");
        skip();
    }
    live__each_rung(assert_foreign);
}

static void without_a_filter_nothing_is_unproven(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_null(strstr(watch_under(NULL, "auto", &sensor), "unproven="));
    assert_null(strstr(sensor__stderr(&sensor), "seccomp filter"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_filter_that_refuses_the_call_is_named),
        LIVE_TEST(a_rung_that_is_passed_over_is_named),
        LIVE_TEST(a_filter_that_knows_no_such_call_is_no_old_kernel),
        LIVE_TEST(thirty_two_bits_that_a_filter_kills_are_not_claimed),
        LIVE_TEST(without_a_filter_nothing_is_unproven),
    };

    return cmocka_run_group_tests_name("live: the sensor under a filter", tests, NULL, NULL);
}
