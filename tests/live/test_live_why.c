// SPDX-License-Identifier: Apache-2.0
/* Why a release came to what it did: as the kernel's own test has it, and by what the target was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/wait.h>

#include "why.h"

enum { TRIES = 8, POLL_MS = 2, POLLS = 1000 };

#define MIB ((size_t)1 << 20)

/* -- what the kernel's own test of the call does ---------------------------------------------- */

static void test_as_the_kernel_does(struct script *script)
{
    struct victim *victim = &script->victim;

    why__release(script, UINT64_MAX, 0);
    victim__start(script);
    why__release(script, (uint64_t)victim->pidfd, UINT64_MAX);
    for (;; victim->anon_bytes *= 2) {
        struct call *call;

        why__release(script, (uint64_t)victim->pidfd, 0);
        victim__kill(script);
        call = why__release(script, (uint64_t)victim->pidfd, 0);
        if (!call->result)
            break;
        errno = (int)-call->result;
        script__check(script, call->result == -ESRCH && victim->anon_bytes < 512 * MIB, "release");
        victim__bury(script);
        victim__start(script);
    }
    victim__bury(script);
}

static void the_kernels_own_test_is_told_step_by_step(void **state)
{
    const struct lines *lines;
    struct script *script;
    unsigned int last;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = MIB;
    lines = why__run(script, test_as_the_kernel_does);
    last = script->count - 1;
    assert_int_equal(script->calls[0].result, -EBADF);
    why__assert(lines, script, 0, "bad_fd");
    assert_true(release__is_absent(why__line(lines, script, 0), "target_host_pid"));
    assert_int_equal(script->calls[1].result, -EINVAL);
    why__assert(lines, script, 1, "bad_flags");
    for (unsigned int i = 2; i < last; i++) {
        bool living = i % 2 == 0;

        assert_int_equal(script->calls[i].result, living ? -EINVAL : -ESRCH);
        why__assert(lines, script, i, living ? "not_dying" : "race_lost");
    }
    why__assert(lines, script, last, "reaped");
    assert_release_target(why__line(lines, script, last), &script->victim, script->victim.self.pid);
    assert_release_bytes(why__line(lines, script, last), &script->victim);
}

/* -- what the target was doing ---------------------------------------------------------------- */

static void look_at_the_living_and_the_dying(struct script *script)
{
    victim__start(script);
    why__release(script, (uint64_t)script->victim.pidfd, 0);
    script->last_moment = victim__kill;
    why__release(script, (uint64_t)script->victim.pidfd, 0);
    victim__bury(script);
}

static void the_state_of_the_target_is_told(void **state)
{
    const struct line *living, *dying;
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 32 * MIB;
    script->victim.threads = 3;
    lines = why__run(script, look_at_the_living_and_the_dying);
    living = why__line(lines, script, 0);
    dying = why__line(lines, script, 1);
    why__assert(lines, script, 0, "not_dying");
    assert_release_target(living, &script->victim, script->victim.self.pid);
    assert_int_equal(release__number(living, "target_threads"), 4);
    assert_int_equal(release__number(living, "target_dying"), 0);
    assert_int_equal(release__number(living, "target_mm_shared"), 0);
    assert_int_equal(release__number(living, "target_core_dumping"), 0);
    assert_true(release__is_absent(living, "target_exit_signal"));
    assert_true(release__is_absent(living, "since_kill_ns"));
    assert_int_equal(release__number(dying, "target_dying"), 1);
    assert_int_equal(release__number(dying, "target_exit_signal"), SIGKILL);
    assert_in_range(release__number(dying, "since_kill_ns"), 1,
                    script->calls[1].after_ns - script->calls[1].before_ns);
    assert_in_range(release__number(dying, "duration_ns"), 1,
                    script->calls[1].after_ns - script->calls[1].before_ns);
}

static void release_a_shared_one(struct script *script)
{
    for (int i = 0; i < TRIES; i++) {
        int64_t result;

        victim__start(script);
        script->last_moment = victim__kill;
        result = why__release(script, (uint64_t)script->victim.pidfd, 0)->result;
        victim__bury(script);
        if (result == -EINVAL)
            return;
    }
    script__fail(script, "no call came before the victim's end");
}

static void memory_of_another_living_process_is_shared_mm(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    script->victim.shares = true;
    lines = why__run(script, release_a_shared_one);
    why__assert(lines, script, script->count - 1, "shared_mm");
    assert_int_equal(
        release__number(why__line(lines, script, script->count - 1), "target_mm_shared"), 1);
}

/* A program that takes no dump, for a while: the kernel waits for it with the pipe full. */
#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define NO_READER    "|/bin/sleep 2"
static char old_pattern[256];

static bool set_pattern(const char *pattern)
{
    int fd = open(CORE_PATTERN, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, pattern, strlen(pattern)) > 0;

    close(fd);
    return done;
}

static void restore_pattern(void *nothing)
{
    (void)nothing;
    set_pattern(old_pattern);
}

static void release_while_it_dumps(struct script *script)
{
    struct victim *victim = &script->victim;
    struct call *call;

    victim__start(script);
    script__check(script, !syscall(SYS_pidfd_send_signal, victim->pidfd, SIGABRT, NULL, 0),
                  "abort");
    for (int i = 0; i < POLLS / 4; i++) {
        char path[64], text[8192];

        live__pause_ms(POLL_MS);
        snprintf(path, sizeof(path), "/proc/%d/status", victim->pid);
        if (caller__read(path, text, sizeof(text)) && strstr(text, "\nCoreDumping:\t1"))
            break;
    }
    call = why__release(script, (uint64_t)victim->pidfd, 0);
    errno = (int)-call->result;
    script__check(script, call->result == -EINVAL, "release");
    victim__bury(script);
}

static void a_dump_in_progress_is_core_dumping(void **state)
{
    const struct lines *lines;
    const struct line *line;
    struct script *script;

    (void)state;
    live__require();
    if (access("/bin/sleep", X_OK) ||
        !caller__read(CORE_PATTERN, old_pattern, sizeof(old_pattern))) {
        puts("# skipped: no /bin/sleep, or no " CORE_PATTERN);
        skip();
    }
    cleanup__add(restore_pattern, old_pattern);
    if (!set_pattern(NO_READER)) {
        puts("# skipped: " CORE_PATTERN " cannot be written");
        skip();
    }
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    lines = why__run(script, release_while_it_dumps);
    line = why__line(lines, script, 0);
    why__assert(lines, script, 0, "core_dumping");
    assert_int_equal(release__number(line, "target_core_dumping"), 1);
    assert_int_equal(release__number(line, "target_exit_signal"), SIGABRT);
}

/* -- a second time, and too late -------------------------------------------------------------- */

/* Nothing comes between this and the call that is written down: the victim must not get to run. */
static void kill_and_release(struct script *script)
{
    victim__kill(script);
    script->victim.locked_kib = (uint64_t)syscall(SYS_process_mrelease, script->victim.pidfd, 0);
}

static void release_twice(struct script *script)
{
    for (int i = 0; i < TRIES; i++) {
        int64_t second;

        victim__start(script);
        script->last_moment = kill_and_release;
        second = why__release(script, (uint64_t)script->victim.pidfd, 0)->result;
        victim__bury(script);
        if (!script->victim.locked_kib && !second)
            return;
    }
    script__fail(script, "each victim was gone before a second call");
}

static void what_was_reaped_before_is_already_reaped(void **state)
{
    const struct line *first, *second;
    const struct lines *lines;
    struct script *script;
    uint32_t caller;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 32 * MIB;
    lines = why__run(script, release_twice);
    caller = script->calls[0].caller.host_tid;
    first = lines__find(lines, "process_mrelease", caller, 2 * (size_t)script->count - 2);
    second = lines__find(lines, "process_mrelease", caller, 2 * (size_t)script->count - 1);
    assert_string_equal(release__text(first, "outcome"), "reaped");
    assert_string_equal(release__text(second, "outcome"), "already_reaped");
    assert_in_range(release__number(second, "released_bytes"), 0,
                    release__number(second, "error_bound_bytes"));
}

static void release_the_dead(struct script *script)
{
    victim__start(script);
    victim__kill(script);
    victim__await_death(script);
    why__release(script, (uint64_t)script->victim.pidfd, 0);
    script__check(script, waitpid(script->victim.pid, NULL, 0) > 0, "waitpid");
    why__release(script, (uint64_t)script->victim.pidfd, 0);
}

static void a_zombie_and_a_process_that_is_gone_are_race_lost(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = MIB;
    lines = why__run(script, release_the_dead);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(script->calls[i].result, -ESRCH);
        why__assert(lines, script, i, "race_lost");
    }
    assert_int_equal(release__number(why__line(lines, script, 0), "target_host_pid"),
                     script->victim.self.host_pid);
    assert_true(release__is_absent(why__line(lines, script, 0), "anon_before"));
    assert_true(release__is_absent(why__line(lines, script, 1), "target_host_pid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(the_kernels_own_test_is_told_step_by_step),
        LIVE_TEST(the_state_of_the_target_is_told),
        LIVE_TEST(memory_of_another_living_process_is_shared_mm),
        LIVE_TEST(a_dump_in_progress_is_core_dumping),
        LIVE_TEST(what_was_reaped_before_is_already_reaped),
        LIVE_TEST(a_zombie_and_a_process_that_is_gone_are_race_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
