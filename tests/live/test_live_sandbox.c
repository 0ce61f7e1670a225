// SPDX-License-Identifier: Apache-2.0
/* What is left to a run that watches, and that all it has to do later still works there. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "harness.h"

enum { LINES = 40, STATUS_BYTES = 4096 };

/* -- what is left ----------------------------------------------------------------------------- */

/* A number of /proc/PID/task/TID/status; UINT64_MAX: there is no such line. */
static uint64_t status_of(const char *status, const char *name, int base)
{
    const char *line = strstr(status, live__text("\n%s:", name));

    return line ? strtoull(line + strlen(name) + 2, NULL, base) : UINT64_MAX;
}

static void assert_has_no_right(const char *path)
{
    static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd" };
    char status[STATUS_BYTES] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_in_range(fread(status, 1, sizeof(status) - 1, file), 1, sizeof(status) - 1);
    fclose(file);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        if (status_of(status, sets[i], 16))
            fail_msg("%s: %s is not empty", path, sets[i]);
    assert_int_equal(status_of(status, "NoNewPrivs", 10), 1);
    assert_int_equal(status_of(status, "Seccomp", 10), 2);
}

/* Returns how many threads there are. */
static unsigned int assert_threads_have_no_right(const struct sensor *sensor)
{
    const char *path = live__text("/proc/%d/task", (int)sensor->pid);
    DIR *tasks = opendir(path);
    unsigned int count = 0;
    struct dirent *task;

    assert_non_null(tasks);
    while ((task = readdir(tasks))) {
        if (*task->d_name == '.')
            continue;
        assert_has_no_right(live__text("%s/%s/status", path, task->d_name));
        count++;
    }
    closedir(tasks);
    return count;
}

static void nothing_is_left(const char *rung)
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--rung", rung, "--coverage", "native", "--sandbox", "require",
                 "--output", live__output("json", "events"), "--record", live__path("record"));
    assert_in_range(assert_threads_have_no_right(&sensor), 2, 16);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_null(strstr(sensor__stderr(&sensor), "sandbox"));
    unlink(live__path("events"));
    unlink(live__path("record"));
}

/* Where clients may switch events; rungs of perf events then keep what that takes, and say so. */
static void nothing_else_is_left(const char *rung)
{
    const char *output = live__text("grpc:unix:%s", live__path("socket"));
    bool is_bare = !strcmp(rung, "tp_btf") || !strcmp(rung, "raw_tp") || !strcmp(rung, "fentry");
    struct sensor sensor;

    SENSOR_START(&sensor, "--rung", rung, "--coverage", "native", "--sandbox", "require",
                 "--output", output);
    if (is_bare)
        assert_threads_have_no_right(&sensor);
    else
        sensor__await_text(&sensor, "what stays: CAP_PERFMON");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

static void a_run_that_serves_keeps_no_right_either(void **state)
{
    (void)state;
    live__require_unsanitized();
    live__each_rung(nothing_else_is_left);
}

static void no_thread_keeps_a_right(void **state)
{
    (void)state;
    live__require_unsanitized(); /* their runtimes have threads of their own */
    live__each_rung(nothing_is_left);
}

/* Who may not trace it may not read its memory, either; the owner of its files tells. */
static void it_cannot_be_traced(void **state)
{
    struct sensor sensor;
    struct stat memory;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--output", live__output("json", "events"));
    assert_int_equal(stat(live__text("/proc/%d/mem", (int)sensor.pid), &memory), 0);
    assert_int_equal(memory.st_uid, 0);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

/* The kernel may end sleeps 50 us late by default: a sixth of a nap between events. */
static void it_sleeps_to_the_point(void **state)
{
    char slack[16] = "";
    struct sensor sensor;
    FILE *file;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--output", live__output("json", "events"));
    file = fopen(live__text("/proc/%d/timerslack_ns", (int)sensor.pid), "re");
    assert_non_null(file);
    assert_non_null(fgets(slack, sizeof(slack), file));
    fclose(file);
    assert_string_equal(slack, "1\n");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    unlink(live__path("events"));
}

/* -- what works inside ------------------------------------------------------------------------ */

static void lock_some(struct script *script)
{
    for (int i = 0; i < LINES; i++)
        script__call(script, "munlock", UINT64_MAX, 0, 0);
}

/* Until a file is the same as a moment before: what is moved while it grows may be moved by two. */
static void await_rest(const char *path)
{
    struct stat before = { 0 }, now = { 0 };

    while (stat(path, &now) || now.st_ino != before.st_ino || now.st_size != before.st_size) {
        before = now;
        live__pause_ms(300);
    }
}

/* Both move on SIGHUP, and both make room by themselves. */
static void files_move_inside(void **state)
{
    struct script *script = script__new();
    const char *output = live__text("json,rotate=4K,keep=3:%s", live__path("events"));
    const char *record = live__text("rotate=4K,keep=3:%s", live__path("record"));
    struct sensor sensor;
    struct stat file;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--sandbox", "require", "--events", "munlock", "--output", output,
                 "--record", record);
    script__run(script, lock_some);
    while (stat(live__path("events.1"), &file) || stat(live__path("record.1"), &file))
        live__pause_ms(10);
    await_rest(live__path("events"));
    assert_int_equal(rename(live__path("events"), live__path("moved")), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, "reopened: ");
    script__run(script, lock_some);
    assert_int_equal(kill(sensor.pid, SIGUSR1), 0);
    sensor__await_text(&sensor, "totals so far");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(stat(live__path("events"), &file), 0);
    assert_int_equal(sensor__totals(&sensor, "munlock").lost, 0);
    assert_null(strstr(sensor__stderr(&sensor), "denied"));
    assert_null(strstr(sensor__stderr(&sensor), "not permitted"));
}

/* The directory that has the name now is not the one that was there at the start. */
static void a_directory_in_place_of_another_is_refused(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_int_equal(mkdir(live__path("logs"), 0755), 0);
    SENSOR_START(&sensor, "--output", live__output("json", "logs/events"));
    assert_int_equal(rename(live__path("logs"), live__path("old")), 0);
    assert_int_equal(mkdir(live__path("logs"), 0755), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, "needs a restart");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

static void named_directories_are_in_reach(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_int_equal(mkdir(live__path("logs"), 0755), 0);
    SENSOR_START(&sensor, "--sandbox-paths", live__path(""), "--output",
                 live__output("json", "logs/events"));
    assert_int_equal(rename(live__path("logs"), live__path("old")), 0);
    assert_int_equal(mkdir(live__path("logs"), 0755), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, "reopened: ");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(access(live__path("logs/events"), F_OK), 0);
}

/* The group of a file that is made later needs no capability. */
static void later_files_are_of_their_group_too(void **state)
{
    struct script *script = script__new();
    const char *output =
        live__text("json,rotate=4K,keep=1,mode=0660,group=nogroup:%s", live__path("events"));
    struct sensor sensor;
    struct stat file;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--sandbox", "require", "--events", "munlock", "--output", output);
    script__run(script, lock_some);
    while (stat(live__path("events.1"), &file))
        live__pause_ms(10);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(stat(live__path("events"), &file), 0);
    assert_int_equal(file.st_gid, 65534);
    assert_int_equal(file.st_mode & 0777, 0660);
}

/* -- the option ------------------------------------------------------------------------------- */

static void off_is_told(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--sandbox", "off", "--output", live__output("json", "events"));
    sensor__await_text(&sensor, "keeps all its rights");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

/* A file of somebody else, in somebody else's directory. */
static void what_must_stay_is_told(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_int_equal(mkdir(live__path("theirs"), 0755), 0);
    assert_int_equal(chown(live__path("theirs"), 65534, 65534), 0);
    SENSOR_START(&sensor, "--output", live__output("json", "theirs/events"));
    sensor__await_text(&sensor, "CAP_DAC_OVERRIDE");
    assert_int_equal(rename(live__path("theirs/events"), live__path("theirs/moved")), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    sensor__await_text(&sensor, "reopened: ");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(no_thread_keeps_a_right),
        LIVE_TEST(a_run_that_serves_keeps_no_right_either),
        LIVE_TEST(it_cannot_be_traced),
        LIVE_TEST(it_sleeps_to_the_point),
        LIVE_TEST(files_move_inside),
        LIVE_TEST(a_directory_in_place_of_another_is_refused),
        LIVE_TEST(named_directories_are_in_reach),
        LIVE_TEST(later_files_are_of_their_group_too),
        LIVE_TEST(off_is_told),
        LIVE_TEST(what_must_stay_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
