// SPDX-License-Identifier: Apache-2.0
/*
 * Whose container it was, when nobody can look any more, on every rung; and that the proofs of a
 * sensor are its own. By whom and where containers are made: test_live_containers.c.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "container.h"
#include "harness.h"
#include "release.h"

enum { CONTAINERS = 300 };

/* What proofs have in common (bpf/abi/record.h). */
#define MARK 0x6d72656c65617365UL

static void one_call_containers_are_known(const char *rung)
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", "munlock", "--rung", rung, "--scope", "container", "--output",
                 live__output("json", rung));
    kill(sensor.pid, SIGSTOP);
    for (unsigned int i = 0; i < CONTAINERS; i++) {
        const char *directory = container__make(i);

        assert_non_null(directory);
        container__call_in(directory);
        container__remove(directory);
    }
    kill(sensor.pid, SIGCONT);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(container__count_known(lines__load(live__path(rung)), CONTAINERS), CONTAINERS);
    assert_null(strstr(sensor__stderr(&sensor), "is not known"));
}

static void containers_of_one_call_are_known_to_a_late_reader(void **state)
{
    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    live__each_rung(one_call_containers_are_known);
}

/* What the probes remember of a task's cgroup must not outlive its stay there. */
static void call_outside_and_in(const char *directory)
{
    const long munlock = event__find("munlock")->number;
    pid_t child = fork();
    int status;

    if (!child) {
        for (int i = 0; i < 3; i++)
            trigger__native(munlock, 0, 0, 0);
        if (!cgroup__enter(directory))
            _exit(1);
        trigger__native(munlock, 0, 0, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_task_that_moves_is_known_where_it_came_to(void **state)
{
    struct sensor sensor;
    const char *directory;

    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    SENSOR_START(&sensor, "--events", "munlock", "--scope", "container", "--output",
                 live__output("json", "moved"));
    directory = container__make(0);
    assert_non_null(directory);
    kill(sensor.pid, SIGSTOP);
    call_outside_and_in(directory);
    container__remove(directory);
    kill(sensor.pid, SIGCONT);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(container__count_known(lines__load(live__path("moved")), 1), 1);
}

/* One call from a cgroup that is gone when the reader comes, on which nobody can look. */
static void assert_call_is_in_scope(const char *scope, const char *name, const char *id)
{
    const char *directory = cgroup__make(live__text("containers/%s", name));
    const struct lines *lines;
    struct sensor sensor;

    if (!directory)
        skip();
    SENSOR_START(&sensor, "--events", "munlock", "--scope", scope, "--output",
                 live__output("json", scope));
    kill(sensor.pid, SIGSTOP);
    container__call_in(directory);
    container__remove(directory);
    kill(sensor.pid, SIGCONT);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path(scope));
    assert_int_equal(lines->count, 1);
    assert_string_equal(json__text(lines->at[0].json, "containerId"), id);
}

static void what_a_container_makes_within_is_of_it(void **state)
{
    (void)state;
    live__require();
    assert_call_is_in_scope("container", live__text("docker-%s.scope/within", container__id(1)),
                            container__id(1));
}

static void a_cgroup_of_the_host_is_known_to_be_one(void **state)
{
    (void)state;
    live__require();
    assert_call_is_in_scope("not-container", "job", "");
}

/* -- what there was at the start --------------------------------------------------------------- */

/* Calls in a container of before and in one of after the start; which of them `scope` shows. */
static void assert_shows(const char *scope, unsigned int shown)
{
    const char *older = container__make(1), *newer;
    const struct lines *lines;
    struct sensor sensor;

    if (!older)
        skip();
    SENSOR_START(&sensor, "--events", "munlock", "--scope", scope, "--output",
                 live__output("json", scope));
    newer = container__make(2);
    container__call_in(older);
    container__call_in(newer);
    container__remove(older);
    container__remove(newer);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path(scope));
    assert_int_equal(lines->count, 1);
    assert_string_equal(json__text(lines->at[0].json, "containerId"), container__id(shown));
}

static void containers_made_since_the_start_are_new(void **state)
{
    (void)state;
    live__require();
    assert_shows("container=new", 2);
    assert_shows("container!=new", 1);
}

/* The program that calls is this one. */
static void callers_are_found_by_their_executable(void **state)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    struct sensor sensor;
    const struct lines *lines;

    (void)state;
    live__require();
    assert_true(size > 0);
    path[size] = '\0';
    SENSOR_START(&sensor, "--events", "munlock", "--scope", live__text("executable=%s", path),
                 "--scope", live__text("pid=%d", (int)getpid()), "--output",
                 live__output("json", "by_path"));
    trigger__native(event__find("munlock")->number, 0, 0, 0);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("by_path"));
    assert_int_equal(lines->count, 1);
    SENSOR_START(&sensor, "--events", "munlock", "--scope", live__text("executable!=%s", path),
                 "--scope", live__text("pid=%d", (int)getpid()), "--output",
                 live__output("json", "by_others"));
    trigger__native(event__find("munlock")->number, 0, 0, 0);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(lines__load(live__path("by_others"))->count, 0);
}

/* Its names come first, and what follows them wakes nobody. */
static void the_first_call_from_a_cgroup_wakes_the_reader(void **state)
{
    const char *directory;
    struct sensor sensor;

    (void)state;
    live__require();
    directory = container__make(0);
    if (!directory)
        skip();
    SENSOR_START(&sensor, "--events", "munlock", "--count", "1", "--output",
                 live__output("json", "first"));
    live__pause_ms(300); /* by then it sleeps */
    container__call_in(directory);
    assert_int_equal(sensor__wait(&sensor), 0);
}

/* -- the target, and captures ------------------------------------------------------------------ */

static void release_in_container(struct script *script)
{
    victim__release(script);
    victim__bury(script);
}

static const struct line *find_release(const char *file, const struct script *script)
{
    const struct lines *lines = lines__load(file);

    return release__find(lines, script, release__call(script));
}

static void a_target_that_is_gone_keeps_its_container(void **state)
{
    struct script *script = script__new();
    const char *capture = live__path("capture"), *directory;
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "do_mrelease", "--output", live__output("json", "events"),
                 "--record", capture, "--extra", "container");
    kill(sensor.pid, SIGSTOP);
    directory = container__make(7);
    assert_non_null(directory);
    script->victim.cgroup = directory;
    script__run(script, release_in_container);
    container__remove(directory);
    kill(sensor.pid, SIGCONT);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_string_equal(
        release__text(find_release(live__path("events"), script), "target_container_id"),
        container__id(7));
    assert_int_equal(sensor__run(&sensor, (const char *const[]){ "replay", capture, "--output",
                                                                 live__output("json", "again"),
                                                                 "--extra", "container", NULL }),
                     0);
    assert_string_equal(
        release__text(find_release(live__path("again"), script), "target_container_id"),
        container__id(7));
}

/* -- another sensor ---------------------------------------------------------------------------- */

enum { OTHERS_MAX = 8 };

static uint64_t others[OTHERS_MAX];
static unsigned int other_count;

static void run_shortly(const char *rung)
{
    struct sensor other;

    SENSOR_START(&other, "--events", "default,mlock*,munlock*", "--rung", rung, "--output", "none");
    others[other_count++] = (uint64_t)other.pid;
    assert_int_equal(sensor__stop(&other, SIGINT), 0);
}

/* Whether another sensor of this test made it, or a child of one: there may be more on this host.
 */
static bool is_of_others(const json_t *line)
{
    for (unsigned int i = 0; i < other_count; i++)
        if (json__number(line, "hostProcessId") == others[i] ||
            json__number(line, "hostParentProcessId") == others[i])
            return true;
    return false;
}

/* Its calls are proofs, and events for nobody; nor does a record hold the secret of a sensor. */
static void proofs_of_another_sensor_are_no_events(void **state)
{
    struct sensor sensor;
    const struct lines *lines;

    (void)state;
    live__require();
    other_count = 0;
    live__set_scope("comm=mrelease"); /* the children of the others */
    SENSOR_START(&sensor, "--events", "default,mlock*,munlock*", "--output",
                 live__output("json", "events"));
    live__each_rung(run_shortly);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    for (size_t i = 0; i < lines->count; i++)
        if (is_of_others(lines->at[i].json))
            fail_msg("%s", lines->at[i].text);
    assert_true(sensor__totals(&sensor, "munlockall").self > 2);
}

/* A sensor that proves itself again and again, for as long as it lives. */
static pid_t prove_for_ever(void)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall(SYS_munlockall, -1L, -1L, -1L, -1L, MARK, 0L);
    }
    cleanup__child(child);
    return child;
}

/* Each counts its own proofs alone: one that takes another's for its own sees too many. */
static void sensors_prove_themselves_side_by_side(void **state)
{
    pid_t other;

    (void)state;
    live__require();
    other_count = 0;
    other = prove_for_ever();
    live__each_rung(run_shortly);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    cleanup__forget_child(other);
}

/* The arguments alone make no proof: who may not load programs is seen. */
static void call_like_a_sensor(struct script *script)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    struct call *call;

    script__check(script, !syscall(SYS_capset, &header, none), "capset");
    call = script__call(script, "munlockall", UINT64_MAX, UINT64_MAX, UINT64_MAX);
    for (int i = 0; i < 3; i++)
        syscall(call->event->number, -1L, -1L, -1L, -1L, MARK, MARK);
}

static void nobody_else_hides_behind_a_proof(void **state)
{
    struct script *script = script__new();
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "munlockall", "--output", live__output("json", "events"));
    script__run(script, call_like_a_sensor);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(lines__load(live__path("events"))->count, 4);
}

/* Who may load programs marks two calls: the release of its own child, and what is none of its own.
 */
static void mark_calls(struct script *script)
{
    pid_t child;
    int pidfds[] = { victim__hold_dying(&child), (int)syscall(SYS_pidfd_open, getppid(), 0) };

    for (size_t i = 0; i < COUNT_OF(pidfds); i++) {
        script__check(script, pidfds[i] >= 0, "a process to release");
        syscall(SYS_process_mrelease, pidfds[i], 0L, -1L, -1L, MARK, 0L);
    }
}

static void a_mark_hides_the_callers_own_child_alone(void **state)
{
    struct script *script = script__new();
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "default", "--output", live__output("json", "events"));
    script__run(script, mark_calls);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(lines__load(live__path("events"))->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(containers_of_one_call_are_known_to_a_late_reader),
        LIVE_TEST(a_task_that_moves_is_known_where_it_came_to),
        LIVE_TEST(what_a_container_makes_within_is_of_it),
        LIVE_TEST(a_cgroup_of_the_host_is_known_to_be_one),
        LIVE_TEST(containers_made_since_the_start_are_new),
        LIVE_TEST(callers_are_found_by_their_executable),
        LIVE_TEST(the_first_call_from_a_cgroup_wakes_the_reader),
        LIVE_TEST(a_target_that_is_gone_keeps_its_container),
        LIVE_TEST(proofs_of_another_sensor_are_no_events),
        LIVE_TEST(sensors_prove_themselves_side_by_side),
        LIVE_TEST(nobody_else_hides_behind_a_proof),
        LIVE_TEST(a_mark_hides_the_callers_own_child_alone),
    };

    return cmocka_run_group_tests_name("live identity", tests, NULL, NULL);
}
