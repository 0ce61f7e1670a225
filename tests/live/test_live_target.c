// SPDX-License-Identifier: Apache-2.0
/* do_mrelease: whose memory was released, and how much of it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"
#include "release.h"

enum { SOMEBODY = 12345 };

#define MIB       ((size_t)1 << 20)
#define CONTAINER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const struct lines *run(const char *events,
                               struct script *script,
                               void (*act)(struct script *))
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", events, "--output", live__output("json", "events"));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    return lines__load(live__path("events"));
}

static void release_victim(struct script *script)
{
    victim__bury(script, victim__release(script));
}

/* The release of the script's victim, with all that holds of each. */
static const struct line *assert_released(const struct lines *lines,
                                          const struct script *script,
                                          uint32_t seen_pid)
{
    const struct call *call = release__call(script);
    const struct line *line = release__find(lines, script, call);

    assert_script(lines, script);
    assert_release(line, call);
    assert_release_target(line, &script->victim, seen_pid);
    assert_int_equal(json__number(line->json, "timestamp"),
                     json__number(line_of_call(lines, script, call)->json, "timestamp"));
    return line;
}

/* -- how much --------------------------------------------------------------------------------- */

static void assert_amount(size_t anon_bytes, size_t shmem_bytes, size_t file_bytes)
{
    struct script *script = script__new();
    const struct lines *lines;

    script->victim.anon_bytes = anon_bytes;
    script->victim.shmem_bytes = shmem_bytes;
    script->victim.file_bytes = file_bytes;
    if (file_bytes) {
        const char *path = live__path("held");
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        script->victim.file = path;
        assert_int_equal(posix_fallocate(fd, 0, (off_t)file_bytes), 0);
        close(fd);
    }
    lines = run("default", script, release_victim);
    assert_release_bytes(assert_released(lines, script, script->victim.self.pid), &script->victim);
}

static void anonymous_memory_of_16_mib_comes_back(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 0, 0);
}

static void anonymous_memory_of_64_mib_comes_back(void **state)
{
    (void)state;
    live__require();
    assert_amount(64 * MIB, 0, 0);
}

static void shared_memory_is_told_from_anonymous_memory(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 24 * MIB, 0);
}

static void file_memory_is_told_from_anonymous_memory(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 0, 24 * MIB);
}

static void locked_memory_is_counted_and_comes_back(void **state)
{
    struct script *script;
    const struct lines *lines;
    const struct line *line;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 32 * MIB;
    script->victim.locked_bytes = 8 * MIB;
    lines = run("default", script, release_victim);
    line = assert_released(lines, script, script->victim.self.pid);
    assert_release_bytes(line, &script->victim);
    assert_int_equal(release__number(line, "locked_bytes"), 8 * MIB);
}

/* -- who -------------------------------------------------------------------------------------- */

static void name_user_and_container_are_those_of_the_target(void **state)
{
    struct script *script;
    const struct line *line;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    script->victim.uid = SOMEBODY;
    script->victim.name = "the \"victim\"<&>";
    script->victim.cgroup =
        cgroup__make(live__text("mrelease-live-%d-target/docker/" CONTAINER, getpid()));
    if (!script->victim.cgroup) {
        puts("# skipped: no cgroup can be made");
        skip();
    }
    run("default", script, release_victim);
    strcpy(script->victim.self.container_id, CONTAINER);
    line = assert_released(lines__load(live__path("events")), script, script->victim.self.pid);
    assert_string_equal(release__text(line, "target_name"), "the \"victim\"<&>");
    assert_int_equal(release__number(line, "target_uid"), SOMEBODY);
    assert_int_equal(release__number(line, "target_cgroup_id"), cgroup__id(script->victim.cgroup));
}

static void release_inside(struct script *script)
{
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    script__fork(script, release_victim);
}

static void a_target_has_its_number_in_the_callers_namespace(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    lines = run("default", script, release_inside);
    assert_in_range(script->victim.self.pid, 2, 20);
    assert_released(lines, script, script->victim.self.pid);
}

/* The victim lives outside, and only its descriptor is known inside. */
static int outer_pidfd;

static void release_outer(struct script *script)
{
    script__call(script, "process_mrelease", (uint64_t)outer_pidfd, 0, 0);
}

static void release_from_inside(struct script *script)
{
    outer_pidfd = victim__start(script);
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    victim__kill(script, outer_pidfd);
    script__fork(script, release_outer);
    victim__bury(script, outer_pidfd);
}

static void a_target_outside_the_callers_namespace_has_no_number(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 64 * MIB;
    lines = run("default", script, release_from_inside);
    assert_int_equal(script->calls[0].caller.pid, 1);
    assert_released(lines, script, 0);
}

/* -- outcomes --------------------------------------------------------------------------------- */

static void release_again_and_again(struct script *script)
{
    int pidfd = victim__release(script);

    script__call(script, "process_mrelease", (uint64_t)pidfd, 0, 0);
    victim__await_death(script, pidfd);
    script__call(script, "process_mrelease", (uint64_t)pidfd, 0, 0);
    victim__bury(script, pidfd);
}

/* The second call finds nothing to free, or a process that dropped its memory meanwhile; the third
 * finds a zombie for certain. */
static void a_second_call_finds_nothing_left(void **state)
{
    const struct call *first, *second;
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 64 * MIB;
    lines = run("default", script, release_again_and_again);
    assert_released(lines, script, script->victim.self.pid);
    first = release__call(script);
    second = first + 1;
    assert_int_equal(second[1].result, -ESRCH);
    if (second->result) {
        assert_int_equal(second->result, -ESRCH);
    } else {
        const struct line *line = release__find(lines, script, second);

        assert_release(line, second);
        assert_release_target(line, &script->victim, script->victim.self.pid);
        /* The kernel walks the areas once more, unless the dying process is through with them. */
        assert_non_null(strstr("already_reaped", release__text(line, "outcome")));
        assert_in_range(release__number(line, "released_bytes"), 0,
                        release__number(line, "error_bound_bytes"));
    }
    assert_int_equal(lines__count(lines, "do_mrelease", first->caller.host_tid),
                     second->result ? 1 : 2);
}

static void fail_to_release(struct script *script)
{
    int pidfd = victim__start(script);

    script__call(script, "process_mrelease", (uint64_t)pidfd, 0, 0); /* it is not dying */
    script__call(script, "process_mrelease", (uint64_t)pidfd, 1, 0);
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    victim__kill(script, pidfd);
    victim__await_death(script, pidfd);
    script__call(script, "process_mrelease", (uint64_t)pidfd, 0, 0);
    victim__bury(script, pidfd);
}

static void a_failed_call_has_no_release(void **state)
{
    const int64_t results[] = { -EINVAL, -EINVAL, -EBADF, -ESRCH };
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = MIB;
    lines = run("default", script, fail_to_release);
    assert_script(lines, script);
    for (size_t i = 0; i < COUNT_OF(results); i++)
        assert_int_equal(script->calls[i].result, results[i]);
    assert_int_equal(lines__count(lines, "do_mrelease", script->calls[0].caller.host_tid), 0);
}

static void do_mrelease_can_be_watched_alone(void **state)
{
    const struct lines *lines;
    struct script *script;
    const struct call *call;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    lines = run("do_mrelease", script, release_victim);
    call = release__call(script);
    assert_release(release__find(lines, script, call), call);
    assert_int_equal(lines__count(lines, "do_mrelease", 0), lines->count);
    assert_int_equal(lines__of_script(lines, script), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(anonymous_memory_of_16_mib_comes_back),
        LIVE_TEST(anonymous_memory_of_64_mib_comes_back),
        LIVE_TEST(shared_memory_is_told_from_anonymous_memory),
        LIVE_TEST(file_memory_is_told_from_anonymous_memory),
        LIVE_TEST(locked_memory_is_counted_and_comes_back),
        LIVE_TEST(name_user_and_container_are_those_of_the_target),
        LIVE_TEST(a_target_has_its_number_in_the_callers_namespace),
        LIVE_TEST(a_target_outside_the_callers_namespace_has_no_number),
        LIVE_TEST(a_second_call_finds_nothing_left),
        LIVE_TEST(a_failed_call_has_no_release),
        LIVE_TEST(do_mrelease_can_be_watched_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
