// SPDX-License-Identifier: Apache-2.0
/* Who calls, seen from inside and outside of namespaces, users and cgroups. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>

#include "harness.h"

enum { SOMEBODY = 12345 };

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void lock_once(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0);
}

static const struct lines *run(struct script *script, void (*act)(struct script *))
{
    const struct lines *lines;
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", "process_mrelease,munlock", "--output",
                 live__output("json", "events"));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_script(lines, script);
    return lines;
}

/* -- PID namespaces --------------------------------------------------------------------------- */

static void lock_and_fork(struct script *script)
{
    lock_once(script);
    script__thread(script, lock_once);
    script__fork(script, lock_once);
}

static void nest_once_more(struct script *script)
{
    lock_and_fork(script);
    script__check(script, !unshare(CLONE_NEWPID), "a PID namespace in a PID namespace");
    script__fork(script, lock_and_fork);
}

static void nest(struct script *script)
{
    lock_once(script);
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    script__fork(script, nest_once_more);
}

static void ids_are_those_of_the_innermost_namespace(void **state)
{
    const struct call *calls;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    run(script, nest);
    calls = script->calls;
    assert_int_equal(script->count, 7);
    /* 1: first process of the first namespace; 2: its thread; 3: its child. */
    assert_int_equal(calls[1].caller.pid, 1);
    assert_int_equal(calls[1].caller.ppid, 0);
    assert_int_equal(calls[1].caller.host_ppid, calls[0].caller.host_pid);
    assert_int_equal(calls[2].caller.pid, 1);
    assert_int_equal(calls[2].caller.tid, 2);
    assert_int_equal(calls[3].caller.pid, 3);
    assert_int_equal(calls[3].caller.ppid, 1);
    assert_int_equal(calls[3].caller.host_ppid, calls[1].caller.host_pid);
    /* 4: first process of the second, whose parent is in the first. */
    assert_int_equal(calls[4].caller.pid, 1);
    assert_int_equal(calls[4].caller.ppid, 0);
    assert_int_not_equal(calls[4].caller.pid_namespace, calls[1].caller.pid_namespace);
    assert_int_equal(calls[6].caller.ppid, 1);
}

static void parents_are_hashed_by_their_host_ids(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    lines = run(script, nest);
    for (unsigned int child = 1; child < 5; child += 3) {
        unsigned int parent = child == 1 ? 0 : 1;

        assert_int_equal(json__number(line_of_call(lines, script, &script->calls[child])->json,
                                      "parentEntityId"),
                         json__number(line_of_call(lines, script, &script->calls[parent])->json,
                                      "processEntityId"));
    }
}

/* -- mount and UTS namespaces ----------------------------------------------------------------- */

static void leave_mount_and_uts(struct script *script)
{
    lock_once(script);
    script__check(script, !unshare(CLONE_NEWNS | CLONE_NEWUTS), "new mount and UTS namespaces");
    script__check(script, !sethostname("inside-a-namespace", 18), "sethostname");
    lock_once(script);
}

static void mount_and_uts_namespaces_are_those_of_the_caller(void **state)
{
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    run(script, leave_mount_and_uts);
    assert_int_not_equal(script->calls[0].caller.mount_namespace,
                         script->calls[1].caller.mount_namespace);
    assert_string_equal(script->calls[1].caller.host_name, "inside-a-namesp");
}

/* -- users ------------------------------------------------------------------------------------ */

static void change_users(struct script *script)
{
    lock_once(script);
    script__check(script, !seteuid(SOMEBODY), "seteuid");
    lock_once(script);
    script__check(script, !seteuid(0) && !setreuid(SOMEBODY, 0), "setreuid");
    lock_once(script);
    script__check(script, !setresuid(SOMEBODY, SOMEBODY, SOMEBODY), "setresuid");
    prctl(PR_SET_DUMPABLE, 1); /* or its own /proc would not be its own */
    lock_once(script);
}

static void the_user_is_the_real_one(void **state)
{
    const uint32_t users[] = { 0, 0, SOMEBODY, SOMEBODY };
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    run(script, change_users);
    for (size_t i = 0; i < COUNT_OF(users); i++)
        assert_int_equal(script->calls[i].caller.uid, users[i]);
}

/* Somebody is root inside; that must not show. */
static void enter_user_namespace(struct script *script)
{
    const char map[] = "0 12345 1";
    struct call *call;
    int fd;

    script__check(script, !setresuid(SOMEBODY, SOMEBODY, SOMEBODY), "setresuid");
    prctl(PR_SET_DUMPABLE, 1);
    script__check(script, !unshare(CLONE_NEWUSER), "a new user namespace");
    fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    script__check(script, write(fd, map, strlen(map)) == (ssize_t)strlen(map), "uid_map");
    close(fd);
    call = script__call(script, "munlock", 0, 0, 0);
    script__check(script, call->caller.uid == 0, "not root inside");
    call->caller.uid = SOMEBODY;
}

static void the_user_is_that_of_the_initial_user_namespace(void **state)
{
    (void)state;
    live__require();
    run(script__new(), enter_user_namespace);
}

/* -- cgroups ---------------------------------------------------------------------------------- */

static const char *plain_cgroup, *container_cgroup;

static void move_between_cgroups(struct script *script)
{
    lock_once(script);
    script__check(script, cgroup__enter(plain_cgroup), "entering a cgroup");
    lock_once(script);
    script__check(script, cgroup__enter(container_cgroup), "entering a container's cgroup");
    strcpy(script__call(script, "munlock", 0, 0, 0)->caller.container_id, CONTAINER);
    strcpy(script__call(script, "process_mrelease", UINT64_MAX, 0, 0)->caller.container_id,
           CONTAINER);
    script__check(script, cgroup__enter(plain_cgroup), "leaving a container's cgroup");
    lock_once(script);
}

static void a_cgroup_that_looks_like_a_container_is_one(void **state)
{
    struct script *script;

    (void)state;
    live__require();
    plain_cgroup = cgroup__make("plain");
    if (!plain_cgroup) {
        puts("# skipped: no cgroup can be made");
        skip();
    }
    container_cgroup = cgroup__make("engine/docker/" CONTAINER);
    assert_non_null(container_cgroup);
    script = script__new();
    run(script, move_between_cgroups);
    assert_int_equal(script->calls[1].caller.cgroup_id, cgroup__id(plain_cgroup));
    assert_int_equal(script->calls[2].caller.cgroup_id, cgroup__id(container_cgroup));
    assert_int_not_equal(script->calls[0].caller.cgroup_id, script->calls[1].caller.cgroup_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(ids_are_those_of_the_innermost_namespace),
        LIVE_TEST(parents_are_hashed_by_their_host_ids),
        LIVE_TEST(mount_and_uts_namespaces_are_those_of_the_caller),
        LIVE_TEST(the_user_is_the_real_one),
        LIVE_TEST(the_user_is_that_of_the_initial_user_namespace),
        LIVE_TEST(a_cgroup_that_looks_like_a_container_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
