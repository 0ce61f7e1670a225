// SPDX-License-Identifier: Apache-2.0
/* do_mrelease across PID namespaces, a second time, after a failure, and alone. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include "harness.h"
#include "release.h"

enum { TRIES = 8 };

#define MIB ((size_t)1 << 20)

/* -- PID namespaces --------------------------------------------------------------------------- */

static void release_inside(struct script *script)
{
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    script__fork(script, release__act);
}

static void a_target_has_its_number_in_the_callers_namespace(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    lines = release__run("default", script, release_inside);
    assert_in_range(script->victim.self.pid, 2, 20);
    assert_released(lines, script, script->victim.self.pid);
}

/*
 * The victim lives outside, and only its descriptor is known inside: who is there may release it,
 * but may not kill it. So it says that it is about to call, and waits for the word that it was
 * done.
 */
static int about_to_call[2], was_killed[2];

static void await_the_kill(struct script *script)
{
    const struct sched_param first = { .sched_priority = 1 };
    char byte = 0;

    sched_setscheduler(0, SCHED_FIFO, &first); /* to run before the victim when both wake up */
    script__check(script, write(about_to_call[1], &byte, 1) == 1, "write");
    script__check(script, read(was_killed[0], &byte, 1) == 1, "read");
}

static void release_outer(struct script *script)
{
    script->last_moment = await_the_kill;
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
}

static void enter_and_release(struct script *script)
{
    script__check(script, !unshare(CLONE_NEWPID), "a new PID namespace");
    script__fork(script, release_outer);
}

static bool was_released_from_inside(struct script *script)
{
    pid_t child;
    char byte;

    script__check(script, !pipe2(about_to_call, O_CLOEXEC), "pipe2");
    script__check(script, !pipe2(was_killed, O_CLOEXEC), "pipe2");
    victim__start(script);
    child = fork();
    script__check(script, child >= 0, "fork");
    if (!child) {
        close(about_to_call[0]);
        enter_and_release(script);
        _exit(0);
    }
    close(about_to_call[1]);
    if (read(about_to_call[0], &byte, 1) != 1)
        _exit(1); /* the child said why */
    victim__kill(script);
    script__check(script, write(was_killed[1], &byte, 1) == 1, "write");
    script__check(script, waitpid(child, NULL, 0) == child, "waitpid");
    victim__bury(script);
    return !script->calls[script->count - 1].result;
}

static void release_from_inside(struct script *script)
{
    for (int i = 0; !was_released_from_inside(script); i++)
        script__check(script, i < TRIES, "no victim could be released from inside");
}

static void a_target_outside_the_callers_namespace_has_no_number(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 64 * MIB;
    lines = release__run("default", script, release_from_inside);
    assert_int_equal(script->calls[0].caller.pid, 1);
    assert_released(lines, script, 0);
}

/* -- outcomes --------------------------------------------------------------------------------- */

static void release_again_and_again(struct script *script)
{
    victim__release(script);
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
    victim__await_death(script);
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
    victim__bury(script);
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
    lines = release__run("default", script, release_again_and_again);
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
        assert_true(!strcmp(release__text(line, "outcome"), "reaped") ||
                    !strcmp(release__text(line, "outcome"), "already_reaped"));
        assert_in_range(release__number(line, "released_bytes"), 0,
                        release__number(line, "error_bound_bytes"));
    }
    assert_int_equal(lines__count(lines, "do_mrelease", first->caller.host_tid),
                     second->result ? 1 : 2);
}

static void fail_to_release(struct script *script)
{
    victim__start(script);
    /* It is not dying yet. */
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 1, 0);
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    victim__kill(script);
    victim__await_death(script);
    script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
    victim__bury(script);
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
    lines = release__run("default", script, fail_to_release);
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
    lines = release__run("do_mrelease", script, release__act);
    call = release__call(script);
    assert_release(release__find(lines, script, call), call);
    assert_int_equal(lines__count(lines, "do_mrelease", 0), lines->count);
    assert_int_equal(lines__of_script(lines, script), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_target_has_its_number_in_the_callers_namespace),
        LIVE_TEST(a_target_outside_the_callers_namespace_has_no_number),
        LIVE_TEST(a_second_call_finds_nothing_left),
        LIVE_TEST(a_failed_call_has_no_release),
        LIVE_TEST(do_mrelease_can_be_watched_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
