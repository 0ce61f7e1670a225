// SPDX-License-Identifier: Apache-2.0
/* Ways into the kernel: native, 32-bit, x32, and a seccomp filter in front of all of them. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "harness.h"

enum { PAGE = 4096, SCENARIO_TRIES = 8 };

#define ALL_EVENTS "process_mrelease,mlock*,munlock*"

#ifndef MAP_32BIT
#    define MAP_32BIT 0 /* arm64 has none, and no 32-bit calls from here */
#endif

static void require_compat(void)
{
    live__require();
    if (!trigger__has_compat()) {
        puts("# skipped: this machine has no 32-bit system calls (int 0x80)");
        skip();
    }
}

static void run(const char *rung, struct script *script, void (*act)(struct script *))
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", ALL_EVENTS, "--rung", rung, "--output",
                 live__output("json", rung));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path(rung)), script);
}

/* -- three ways in ---------------------------------------------------------------------------- */

static void release_nothing(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

static void release_three_ways(struct script *script)
{
    release_nothing(script);
    script__call_compat(script, "process_mrelease", UINT32_MAX, 7, 0);
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    script__fork(script, release_nothing);
}

static void assert_three_lines(const struct lines *lines, const struct script *script)
{
    const struct call *inside = &script->calls[2];

    assert_script(lines, script);
    assert_false(script->calls[0].compat);
    assert_true(script->calls[1].compat);
    assert_int_equal(inside->caller.pid, 1);
    assert_int_equal(inside->caller.ppid, 0);
    assert_int_not_equal(inside->caller.host_pid, 1);
    assert_int_equal(inside->caller.host_ppid, script->calls[0].caller.host_pid);
    assert_int_not_equal(inside->caller.pid_namespace, script->calls[0].caller.pid_namespace);
}

/* Others on this machine may make such calls as well; then the three were not all ours. */
static bool three_calls_were_ours(void)
{
    struct script *script = script__new();
    const struct lines *lines;
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", "process_mrelease,mlock*", "--output", "json", "--count",
                 "3");
    script__run(script, release_three_ways);
    assert_int_equal(sensor__wait(&sensor), 0);
    lines = lines__parse(sensor__stdout(&sensor));
    assert_int_equal(lines->count, 3);
    if (lines__of_script(lines, script) < 3)
        return false;
    assert_three_lines(lines, script);
    return true;
}

static void three_ways_in_give_three_lines(void **state)
{
    const char *forced = getenv("MRELEASE_TEST_RUNG");
    int tries = 0;

    (void)state;
    require_compat();
    if (forced && !live__sees_compat(forced)) {
        printf("# skipped: rung %s, which is forced, does not see 32-bit calls\n", forced);
        skip();
    }
    while (!three_calls_were_ours())
        if (++tries == SCENARIO_TRIES)
            fail_msg("others keep on making such calls");
}

/* -- 32-bit calls ----------------------------------------------------------------------------- */

static void call_all_compat(struct script *script)
{
    void *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    uint32_t address = (uint32_t)(uintptr_t)page;

    script__check(script, page != MAP_FAILED, "mmap");
    script__check(script, event__find("mlock")->compat_number == 150, "150 is mlock on i386");
    script__check(script, !script__call_compat(script, "mlock", address, PAGE, 0)->result, "mlock");
    script__check(script, !script__call_compat(script, "munlock", address, PAGE, 0)->result,
                  "munlock");
    script__call_compat(script, "mlock", UINT32_MAX, UINT32_MAX, 0);
    script__call_compat(script, "munlock", 0x80000000, 0x80000000, 0);
    script__call_compat(script, "mlockall", 0x80000000, 0, 0);
    script__call_compat(script, "munlockall", 1, 2, 0);
    script__call_compat(script, "mlock2", address, PAGE, 0);
    script__call_compat(script, "process_mrelease", 0x80000000, UINT32_MAX, 0);
    script__call_compat(script, "process_mrelease", (uint32_t)-9, 0, 0);
}

static void assert_compat(const char *rung)
{
    struct script *script = script__new();

    if (!live__sees_compat(rung))
        return;
    run(rung, script, call_all_compat);
    assert_int_equal(script->count, 9);
}

static void compat_numbers_are_their_own_on_every_rung_that_sees_them(void **state)
{
    (void)state;
    require_compat();
    live__each_rung(assert_compat);
}

static void call_all_compat_unseen(struct script *script)
{
    call_all_compat(script);
    for (unsigned int i = 0; i < script->count; i++)
        script->calls[i].unseen = true;
    script__call(script, "munlockall", 0, 0, 0);
}

static void tracepoint_says_that_compat_calls_evade_it(void **state)
{
    struct script *script;
    struct sensor sensor;

    (void)state;
    require_compat();
    live__private_mounts();
    script = script__new();
    SENSOR_START(&sensor, "--events", ALL_EVENTS, "--rung", "tracepoint", "--output",
                 live__output("json", "events"));
    assert_non_null(strstr(sensor__stderr(&sensor),
                           "mrelease: warning: rung tracepoint does not see 32-bit calls"));
    script__run(script, call_all_compat_unseen);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path("events")), script);
}

/* -- x32 -------------------------------------------------------------------------------------- */

/* A native call frames the others, so that their absence is not the absence of everything. Where
 * the kernel has no x32 such numbers are no calls. */
static void call_x32(struct script *script)
{
    script__call(script, "munlockall", 0, 0, 0);
    for (size_t i = 0; i < EVENT_ROWS; i++) {
        trigger__native(event_rows[i].number | X32_BIT, UINT64_MAX, 0, 0);
        trigger__native(event_rows[i].compat_number | X32_BIT, UINT64_MAX, 0, 0);
    }
    script__call(script, "munlockall", 0, 0, 0);
}

static void assert_no_x32(const char *rung)
{
    run(rung, script__new(), call_x32);
}

static void x32_numbers_are_no_events(void **state)
{
    (void)state;
    live__require();
    if (trigger__has_x32()) {
        puts("# skipped: this kernel takes x32 numbers");
        skip();
    }
    live__each_rung(assert_no_x32);
}

static void call_all_x32(struct script *script)
{
    for (size_t i = 0; i < EVENT_ROWS; i++)
        script__call_x32(script, event_rows[i].name, UINT64_MAX, 7, 0x12345678);
    script__check(script, script->calls[0].result == -EINVAL, "x32 is no way in");
}

static void assert_x32(const char *rung)
{
    if (live__sees_compat(rung))
        run(rung, script__new(), call_all_x32);
}

/* ci/vm has a guest whose kernel offers it (syscall.x32=y). */
static void calls_by_x32_numbers_are_the_calls(void **state)
{
    (void)state;
    live__require();
    if (!trigger__has_x32()) {
        puts("# skipped: this kernel takes no x32 numbers (syscall.x32)");
        skip();
    }
    live__each_rung(assert_x32);
}

static void call_x32_blocked(struct script *script)
{
    long number = event__find("process_mrelease")->number | X32_BIT;

    script__check(script, trigger__block(number, number, EPERM), "seccomp");
    script__call_x32(script, "process_mrelease", 9, 4, 0);
    script__check(script, script->calls[0].result == -EPERM, "not blocked");
}

static void blocked_calls_by_x32_numbers_are_seen(void **state)
{
    (void)state;
    live__require();
    if (!trigger__has_x32()) {
        puts("# skipped: this kernel takes no x32 numbers (syscall.x32)");
        skip();
    }
    run("tp_btf", script__new(), call_x32_blocked);
}

/* -- seccomp ---------------------------------------------------------------------------------- */

static void call_blocked(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 3, 0);
    script__call(script, "mlock", 0x123456789abc, 0xfedcba987654, 0);
    script__check(script,
                  trigger__block(event__find("process_mrelease")->number,
                                 event__find("mlock")->number, EPERM),
                  "seccomp");
    script__call(script, "process_mrelease", 0x1234567800000009, 0xabcdef0000000004, 0);
    script__call(script, "mlock", 0x7fffffffffffffff, UINT64_MAX, 0);
    script__call(script, "process_mrelease", 0, 0, 0);
    script__call(script, "munlock", 0, 0, 0);
}

static void assert_blocked(const char *rung)
{
    struct script *script = script__new();

    if (!live__sees_blocked(rung))
        return; /* test_live_rungs: with --coverage all */
    run(rung, script, call_blocked);
    for (int i = 2; i < 5; i++)
        assert_int_equal(script->calls[i].result, -EPERM);
    assert_int_equal(script->calls[0].result, -EINVAL);
    assert_int_equal(script->calls[5].result, 0);
}

static void blocked_calls_are_seen_on_every_rung_of_tracepoints(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_blocked);
}

static void call_compat_blocked(struct script *script)
{
    script__check(script,
                  trigger__block(event__find("process_mrelease")->compat_number,
                                 event__find("mlock")->compat_number, EPERM),
                  "seccomp");
    script__call_compat(script, "process_mrelease", 0x80000001, 0x80000002, 0);
    script__call_compat(script, "mlock", 0x80000003, UINT32_MAX, 0);
    for (int i = 0; i < 2; i++)
        script__check(script, script->calls[i].result == -EPERM, "not blocked");
}

static void blocked_compat_calls_are_seen(void **state)
{
    (void)state;
    require_compat();
    run("tp_btf", script__new(), call_compat_blocked);
}

static void call_waved_through(struct script *script)
{
    long number = event__find("process_mrelease")->number;

    script__check(script, trigger__block(number, number, 0), "seccomp");
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    script__check(script, !script->calls[0].result, "not answered by the filter");
}

/* The kernel released nothing, whatever the filter says. */
static void a_filters_zero_is_no_release(void **state)
{
    struct script *script = script__new();
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "default", "--coverage", "all", "--output",
                 live__output("json", "zero"));
    script__run(script, call_waved_through);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("zero"));
    assert_script(lines, script);
    assert_int_equal(lines__count(lines, "do_mrelease", script->calls[0].caller.host_tid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(three_ways_in_give_three_lines),
        LIVE_TEST(compat_numbers_are_their_own_on_every_rung_that_sees_them),
        LIVE_TEST(tracepoint_says_that_compat_calls_evade_it),
        LIVE_TEST(x32_numbers_are_no_events),
        LIVE_TEST(calls_by_x32_numbers_are_the_calls),
        LIVE_TEST(blocked_calls_by_x32_numbers_are_seen),
        LIVE_TEST(blocked_calls_are_seen_on_every_rung_of_tracepoints),
        LIVE_TEST(blocked_compat_calls_are_seen),
        LIVE_TEST(a_filters_zero_is_no_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
