// SPDX-License-Identifier: Apache-2.0
/* Signals, and that nothing goes missing without being counted. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"

enum { STORM = 5000, FLOOD = 20000, SMALL_RING_RECORDS = 20 };

static void call_times(struct script *script, int times, const char *event)
{
    long number = event__find(event)->number;

    for (int i = 1; i < times; i++)
        trigger__native(number, UINT64_MAX, 0, 0);
    script__call(script, event, UINT64_MAX, 0, 0);
}

static void storm(struct script *script)
{
    call_times(script, STORM, "munlock");
}

static void flood(struct script *script)
{
    call_times(script, FLOOD / 2, "munlock");
    call_times(script, FLOOD / 2, "process_mrelease");
}

/* Stopped; returns when it is. */
static void freeze(const struct sensor *sensor)
{
    siginfo_t info;

    assert_int_equal(kill(sensor->pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)sensor->pid, &info, WSTOPPED), 0);
}

/* The signal is pending when it goes on. */
static int thaw_and_stop(struct sensor *sensor, int signal)
{
    assert_int_equal(kill(sensor->pid, signal), 0);
    assert_int_equal(kill(sensor->pid, SIGCONT), 0);
    return sensor__wait(sensor);
}

static void assert_nothing_lost(int signal)
{
    struct script *script = script__new();
    unsigned long long delivered, dropped;
    const struct lines *lines;
    struct sensor sensor;
    struct totals totals;

    SENSOR_START(&sensor, "--events", "munlock", "--output", live__output("json", "events"));
    freeze(&sensor);
    script__run(script, storm);
    assert_int_equal(thaw_and_stop(&sensor, signal), 0);
    lines = lines__load(live__path("events"));
    assert_int_equal(lines__of_script(lines, script), STORM);
    totals = sensor__totals(&sensor, "munlock");
    assert_int_equal(totals.lost, 0);
    assert_int_equal(totals.read, lines->count);
    assert_in_range(totals.self, 1, 10);
    sensor__delivered(&sensor, live__output("json", "events"), &delivered, &dropped);
    assert_int_equal(delivered, lines->count);
    assert_int_equal(dropped, 0);
}

static void interrupt_loses_nothing_in_the_ring(void **state)
{
    (void)state;
    live__require();
    assert_nothing_lost(SIGINT);
}

static void termination_loses_nothing_in_the_ring(void **state)
{
    (void)state;
    live__require();
    assert_nothing_lost(SIGTERM);
}

/* With room for some twenty records, the rest must be counted as lost. */
static void what_a_full_ring_refuses_is_counted(void **state)
{
    struct script *script;
    const struct lines *lines;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--events", "munlock", "--busy-ring", "4K", "--output",
                 live__output("json", "events"));
    freeze(&sensor);
    script__run(script, storm);
    assert_int_equal(thaw_and_stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    totals = sensor__totals(&sensor, "munlock");
    assert_int_equal(totals.read, lines__count(lines, "munlock", 0));
    assert_int_equal(totals.lost, lines__lost(lines, "munlock", "ring_full"));
    assert_in_range(totals.read, 1, SMALL_RING_RECORDS);
    assert_in_range(totals.read + totals.lost, STORM, UINT64_MAX);
}

static void every_call_of_a_flood_is_accounted_for(void **state)
{
    const char *const events[] = { "munlock", "process_mrelease" };
    struct script *script;
    const struct lines *lines;
    struct sensor sensor;
    unsigned long long read = 0;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--events", "munlock,process_mrelease,do_mrelease", "--output",
                 live__output("json", "events"));
    script__run(script, flood);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        struct totals totals = sensor__totals(&sensor, events[i]);

        assert_int_equal(totals.read, lines__count(lines, events[i], 0));
        assert_in_range(totals.seen, FLOOD / 2 + totals.self, UINT64_MAX);
        assert_int_equal(totals.lost, 0);
        read += totals.read;
    }
    read += sensor__totals(&sensor, "do_mrelease").read;
    assert_int_equal(read, lines->count);
    assert_int_equal(lines__of_script(lines, script), FLOOD);
}

static void call_endlessly(struct script *script)
{
    (void)script;
    for (;;)
        trigger__native(event__find("munlock")->number, 0, 0, 0);
}

/* The calls do not stop when the probes do: what was seen must have been read all the same. */
static void calls_during_the_end_are_accounted_for(void **state)
{
    struct script *script;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--events", "munlock", "--output", "none");
    script__start(script, call_endlessly);
    live__pause_ms(100);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    totals = sensor__totals(&sensor, "munlock");
    assert_in_range(totals.read, 100, UINT64_MAX);
}

/* The first one asks it to end. One that comes while it ends must kill, should an output hang. */
static void a_second_interrupt_kills_a_hanging_run(void **state)
{
    const char *const arguments[] = { "run", "--events", "munlock", "--output", "json", NULL };
    struct sensor_options options = { .arguments = arguments };
    struct sensor sensor;
    siginfo_t info;
    int ends[2];

    (void)state;
    live__require();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* read by nobody, and soon full */
    options.stdout_fd = ends[1];
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    script__run(script__new(), storm);
    assert_int_equal(kill(sensor.pid, SIGINT), 0);
    live__pause_ms(200);
    assert_int_equal(waitid(P_PID, (id_t)sensor.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    assert_int_equal(info.si_pid, 0);
    assert_int_equal(kill(sensor.pid, SIGINT), 0);
    assert_int_equal(waitid(P_PID, (id_t)sensor.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_KILLED);
    assert_int_equal(info.si_status, SIGINT);
    close(ends[0]);
    close(ends[1]);
}

/* -- signals that others send ----------------------------------------------------------------- */

/* What logrotate's scripts and auditd's habits send beside SIGHUP. */
static void signals_of_other_daemons_end_nobody(void **state)
{
    static const int signals[] = { SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGPIPE };
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--events", "munlock", "--output", live__output("json", "events"));
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        assert_int_equal(kill(sensor.pid, signals[i]), 0);
        live__pause_ms(20);
    }
    script__run(script, storm);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(lines__of_script(lines__load(live__path("events")), script), STORM);
}

/* The pipe is full, and the reader waits for it: that is when people ask. */
static void totals_are_told_while_the_reader_waits_for_an_output(void **state)
{
    const char *const arguments[] = { "run", "--events", "munlock", "--output", "json", NULL };
    struct sensor_options options = { .arguments = arguments };
    struct sensor sensor;
    int ends[2];

    (void)state;
    live__require();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    options.stdout_fd = ends[1];
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    for (int i = 0; i < 3; i++)
        script__run(script__new(), storm);
    assert_int_equal(kill(sensor.pid, SIGUSR1), 0);
    sensor__await_text(&sensor, "the totals so far:");
    sensor__await_text(&sensor, " dropped");
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1); /* its output lost what nobody read */
}

static void a_reopening_is_told_in_one_line(void **state)
{
    const char *const fifo = live__path("fifo");
    const char *moved, *stays, *piped;
    struct sensor sensor;
    int reader;

    (void)state;
    live__require();
    moved = live__output("json", "moved");
    stays = live__output("json", "stays");
    piped = live__output("json", "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    SENSOR_START(&sensor, "--events", "munlock", "--output", moved, "--output", stays, "--output",
                 piped, "--output", "json");
    assert_int_equal(rename(live__path("moved"), live__path("moved.1")), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, live__text("mrelease: reopened: %s; not moved: %s, %s; json "
                                           "(stdout) stays\n",
                                           moved, stays, piped));
    for (int i = 0; i < 4; i++)
        script__run(script__new(), storm); /* the FIFO is full */
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, live__text("mrelease: not moved: %s, %s; still writing, reopened "
                                           "after that: %s; json (stdout) stays\n",
                                           moved, stays, piped));
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1); /* slowly: the FIFO is given up */
    close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(interrupt_loses_nothing_in_the_ring),
        LIVE_TEST(termination_loses_nothing_in_the_ring),
        LIVE_TEST(what_a_full_ring_refuses_is_counted),
        LIVE_TEST(every_call_of_a_flood_is_accounted_for),
        LIVE_TEST(calls_during_the_end_are_accounted_for),
        LIVE_TEST(a_second_interrupt_kills_a_hanging_run),
        LIVE_TEST(signals_of_other_daemons_end_nobody),
        LIVE_TEST(totals_are_told_while_the_reader_waits_for_an_output),
        LIVE_TEST(a_reopening_is_told_in_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
