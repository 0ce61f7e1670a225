// SPDX-License-Identifier: Apache-2.0
/*
 * Clocks: a sensor in a time namespace says what it says outside, and one whose wall clock is set
 * follows it.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "release.h"

#ifndef CLONE_NEWTIME
#    define CLONE_NEWTIME 0x00000080
#endif

#define SECOND_NS UINT64_C(1000000000)

enum { DAY_S = 86400, KILL_MAX_S = 60, SLEEP_S = 4, FILE_S = 5 };

/* -- time namespaces -------------------------------------------------------------------------- */

static int shift_s;

/* The program has no clocks of its own before it is there: what is shifted here is shifted for it
 * from its first look on. */
static void enter_time_namespace(void)
{
    char offsets[64];
    int size =
        snprintf(offsets, sizeof(offsets), "monotonic %d 0\nboottime %d 0\n", shift_s, shift_s);
    int fd;

    if (unshare(CLONE_NEWTIME))
        _exit(99);
    fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (write(fd, offsets, (size_t)size) != size)
        _exit(99);
    close(fd);
    fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (setns(fd, CLONE_NEWTIME))
        _exit(99);
    close(fd);
}

static const struct lines *watch_from_namespace(struct script *script)
{
    const char *arguments[] = { "run",
                                "--events",
                                "default",
                                "--extra",
                                "target,outcome,time",
                                "-o",
                                live__output("json", live__text("events%d", shift_s)),
                                NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = enter_time_namespace };
    struct sensor sensor;

    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    script__run(script, release__act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(sensor__totals(&sensor, "process_mrelease").lost, 0);
    return lines__load(live__path(live__text("events%d", shift_s)));
}

static void assert_untouched_by(int seconds)
{
    struct script *script = script__new();
    const struct lines *lines;
    const struct call *call;
    const struct line *line, *released;

    shift_s = seconds;
    lines = watch_from_namespace(script);
    call = release__call(script);
    released = release__find(lines, script, call);
    assert_release(released, call);
    assert_release_target(released, &script->victim, (uint32_t)script->victim.pid);
    assert_string_equal(release__text(released, "outcome"), "reaped");
    line = lines__find(lines, "process_mrelease", call->caller.host_tid, script->count - 1);
    assert_in_range(json__number(line->json, "timestamp"), call->before_ns, call->after_ns);
    assert_string_equal(release__text(line, "outcome"), "reaped");
    assert_in_range(release__number(line, "since_kill_ns"), 1, KILL_MAX_S * SECOND_NS);
}

static void a_time_namespace_changes_nothing(void **state)
{
    struct timespec up;

    (void)state;
    live__require();
    if (access("/proc/self/timens_offsets", W_OK)) {
        puts("# skipped: this kernel has no time namespaces");
        skip();
    }
    assert_untouched_by(DAY_S);
    clock_gettime(CLOCK_MONOTONIC, &up);
    assert_untouched_by(-(int)(up.tv_sec / 2)); /* none may show less than nothing */
}

/* -- a clock that is set ---------------------------------------------------------------------- */

static void release_nothing(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

static void assert_timestamp(const struct line *line, const struct call *call, int64_t ahead_s)
{
    uint64_t ahead = (uint64_t)ahead_s * SECOND_NS;

    assert_in_range(json__number(line->json, "timestamp") - ahead, call->before_ns, call->after_ns);
}

/* At once: the program reads it again and again. */
static void set_clock(const char *ahead_s)
{
    const char *path = live__path("clock.new");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(ahead_s, file);
    fclose(file);
    assert_int_equal(rename(path, live__path("clock")), 0);
}

static void preload(void)
{
    setenv("LD_PRELOAD", MRL_TEST_PRELOAD_CLOCK, 1);
    setenv("MRELEASE_TEST_CLOCK", live__path("clock"), 1);
}

static size_t count_of(const char *text, const char *wanted)
{
    size_t count = 0;

    for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted))
        count++;
    return count;
}

static size_t states_of(const struct lines *lines, const char *what)
{
    const char *value = live__text("\"value\":\"%s\"", what);
    size_t count = 0;

    for (size_t i = 0; i < lines->count; i++)
        count += !strcmp(json__text(lines->at[i].json, "eventName"), "sensor_state") &&
                 strstr(lines->at[i].text, value);
    return count;
}

static void a_clock_that_is_set_is_followed_and_told_once(void **state)
{
    static const struct {
        const char *file;
        int64_t ahead_s;
    } steps[] = { { "0", 0 }, { "86400", DAY_S }, { "86400", DAY_S }, { "-3600", -3600 } };
    const char *arguments[] = {
        "run", "-e", "default", "-e", "sensor_state", "-o", live__output("json", "events"), NULL
    };
    const struct sensor_options options = { .arguments = arguments, .prepare = preload };
    struct script *scripts[COUNT_OF(steps)];
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require_unsanitized();
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        scripts[i] = script__new();
        set_clock(steps[i].file);
        script__run(scripts[i], release_nothing);
        live__pause_ms(50);
    }
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_int_equal(lines__count(lines, "process_mrelease", 0), COUNT_OF(steps));
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        assert_timestamp(
            lines__find(lines, "process_mrelease", scripts[i]->calls[0].caller.host_tid, 0),
            &scripts[i]->calls[0], steps[i].ahead_s);
    assert_int_equal(states_of(lines, "clock_set"), 2);
    assert_non_null(strstr(sensor__stderr(&sensor), "clock_set: by=+86400."));
    assert_non_null(strstr(sensor__stderr(&sensor), "clock_set: by=-"));
    assert_int_equal(count_of(sensor__stderr(&sensor), "clock_set: by="), 2);
}

/* It is written every five seconds, whatever the clock says. */
static void metrics_are_written_by_a_clock_that_is_set(void **state)
{
    const char *file = live__path("metrics.prom");
    const char *arguments[] = { "run", "-e", "default", "--metrics-file", file, NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = preload };
    struct sensor sensor;
    bool is_written = false;

    (void)state;
    live__require_unsanitized();
    set_clock("86400");
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    live__pause_ms(500);
    assert_int_equal(unlink(file), 0);
    for (int i = 0; i < FILE_S * 20 && !is_written; i++) {
        live__pause_ms(100);
        is_written = !access(file, R_OK);
    }
    assert_true(is_written);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

static void set_back(void *seconds)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= *(int *)seconds;
    clock_settime(CLOCK_REALTIME, &now);
}

/* The machine's own clock, where the machine is there for these tests alone. Nothing is called
 * meanwhile: a reader that waits is woken. */
static void a_reader_that_waits_hears_of_a_clock_that_is_set(void **state)
{
    static int back_s = -DAY_S;
    struct script *script = script__new();
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    if (!getenv("MRELEASE_TEST_MAY_SET_CLOCK")) {
        puts("# skipped: MRELEASE_TEST_MAY_SET_CLOCK does not say that the clock is ours");
        skip();
    }
    SENSOR_START(&sensor, "-o", live__output("json", "events"));
    set_back(&back_s);
    back_s = DAY_S;
    cleanup__add(set_back, &back_s);
    sensor__await_text(&sensor, "clock_set: by=+86400.");
    script__run(script, release_nothing);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_int_equal(lines->count, 1);
    assert_timestamp(&lines->at[0], &script->calls[0], 0);
}

/* -- a machine that sleeps -------------------------------------------------------------------- */

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* Its real-time clock wakes it. */
static bool sleep_whole_machine(void)
{
    return put("/sys/class/rtc/rtc0/wakealarm", "0") &&
           put("/sys/class/rtc/rtc0/wakealarm", live__text("+%d", SLEEP_S)) &&
           (put("/sys/power/state", "mem") || put("/sys/power/state", "freeze"));
}

static int64_t asleep_s(void)
{
    struct timespec boot, awake;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &awake);
    return boot.tv_sec - awake.tv_sec;
}

static void call_around_sleep(struct script *script)
{
    release_nothing(script);
    script__check(script, sleep_whole_machine(), "the machine does not sleep");
    script__check(script, asleep_s() >= SLEEP_S / 2, "the machine did not sleep");
    release_nothing(script);
}

/* The time that it slept is in the clocks that it shows, and no clock was set. */
static void calls_around_a_suspend_have_their_times(void **state)
{
    struct script *script = script__new();
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    if (!getenv("MRELEASE_TEST_MAY_SUSPEND")) {
        puts("# skipped: MRELEASE_TEST_MAY_SUSPEND does not say that the machine is ours");
        skip();
    }
    SENSOR_START(&sensor, "-e", "default", "-e", "sensor_state", "-o",
                 live__output("json", "events"));
    script__run(script, call_around_sleep);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_script(lines, script);
    for (unsigned int i = 0; i < script->count; i++)
        assert_timestamp(line_of_call(lines, script, &script->calls[i]), &script->calls[i], 0);
    assert_int_equal(states_of(lines, "clock_set"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_time_namespace_changes_nothing),
        LIVE_TEST(a_clock_that_is_set_is_followed_and_told_once),
        LIVE_TEST(metrics_are_written_by_a_clock_that_is_set),
        LIVE_TEST(a_reader_that_waits_hears_of_a_clock_that_is_set),
        LIVE_TEST(calls_around_a_suspend_have_their_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
