// SPDX-License-Identifier: Apache-2.0
/* process_mrelease with --extra: why each call failed, or what it came to, each outcome forced. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "release.h"

enum { TRIES = 8, POLL_MS = 2, POLLS = 1000 };

#define MIB    ((size_t)1 << 20)
#define EXTRAS "target,bytes,outcome,time"

#ifndef PIDFD_THREAD
#    define PIDFD_THREAD O_EXCL
#endif
#define PIDFD_SELF_THREAD ((uint64_t)(int64_t)-10000)
#define PIDFD_SELF_GROUP  ((uint64_t)(int64_t)-10001)

static const struct line *line_of(const struct lines *lines,
                                  const struct script *script,
                                  unsigned int call)
{
    return line_of_call(lines, script, &script->calls[call]);
}

static void assert_outcome(const struct lines *lines,
                           const struct script *script,
                           unsigned int call,
                           const char *outcome)
{
    const struct line *line = line_of(lines, script, call);

    assert_int_equal(json__signed(line->json, "returnValue"), script->calls[call].result);
    if (strcmp(release__text(line, "outcome"), outcome) != 0)
        fail_msg("not %s: %s", outcome, line->text);
}

static struct call *release(struct script *script, uint64_t pidfd, uint64_t flags)
{
    return script__call(script, "process_mrelease", pidfd, flags, 0);
}

static const struct lines *run(struct script *script, void (*act)(struct script *script))
{
    return release__run_extra(EXTRAS, "process_mrelease", script, act);
}

/* -- what the kernel's own test of the call does ---------------------------------------------- */

static void test_as_the_kernel_does(struct script *script)
{
    struct victim *victim = &script->victim;

    release(script, UINT64_MAX, 0);
    victim__start(script);
    release(script, (uint64_t)victim->pidfd, UINT64_MAX);
    for (;; victim->anon_bytes *= 2) {
        struct call *call;

        release(script, (uint64_t)victim->pidfd, 0);
        victim__kill(script);
        call = release(script, (uint64_t)victim->pidfd, 0);
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
    lines = run(script, test_as_the_kernel_does);
    last = script->count - 1;
    assert_int_equal(script->calls[0].result, -EBADF);
    assert_outcome(lines, script, 0, "bad_fd");
    assert_true(release__is_absent(line_of(lines, script, 0), "target_host_pid"));
    assert_int_equal(script->calls[1].result, -EINVAL);
    assert_outcome(lines, script, 1, "bad_flags");
    for (unsigned int i = 2; i < last; i++) {
        bool living = i % 2 == 0;

        assert_int_equal(script->calls[i].result, living ? -EINVAL : -ESRCH);
        assert_outcome(lines, script, i, living ? "not_dying" : "race_lost");
    }
    assert_outcome(lines, script, last, "reaped");
    assert_release_target(line_of(lines, script, last), &script->victim, script->victim.self.pid);
    assert_release_bytes(line_of(lines, script, last), &script->victim);
}

/* -- what the target was doing ---------------------------------------------------------------- */

static void look_at_the_living_and_the_dying(struct script *script)
{
    victim__start(script);
    release(script, (uint64_t)script->victim.pidfd, 0);
    script->last_moment = victim__kill;
    release(script, (uint64_t)script->victim.pidfd, 0);
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
    lines = run(script, look_at_the_living_and_the_dying);
    living = line_of(lines, script, 0);
    dying = line_of(lines, script, 1);
    assert_outcome(lines, script, 0, "not_dying");
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
        result = release(script, (uint64_t)script->victim.pidfd, 0)->result;
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
    lines = run(script, release_a_shared_one);
    assert_outcome(lines, script, script->count - 1, "shared_mm");
    assert_int_equal(release__number(line_of(lines, script, script->count - 1), "target_mm_shared"),
                     1);
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
    call = release(script, (uint64_t)victim->pidfd, 0);
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
    lines = run(script, release_while_it_dumps);
    line = line_of(lines, script, 0);
    assert_outcome(lines, script, 0, "core_dumping");
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
        second = release(script, (uint64_t)script->victim.pidfd, 0)->result;
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
    lines = run(script, release_twice);
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
    release(script, (uint64_t)script->victim.pidfd, 0);
    script__check(script, waitpid(script->victim.pid, NULL, 0) > 0, "waitpid");
    release(script, (uint64_t)script->victim.pidfd, 0);
}

static void a_zombie_and_a_process_that_is_gone_are_race_lost(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = MIB;
    lines = run(script, release_the_dead);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(script->calls[i].result, -ESRCH);
        assert_outcome(lines, script, i, "race_lost");
    }
    assert_int_equal(release__number(line_of(lines, script, 0), "target_host_pid"),
                     script->victim.self.host_pid);
    assert_true(release__is_absent(line_of(lines, script, 0), "anon_before"));
    assert_true(release__is_absent(line_of(lines, script, 1), "target_host_pid"));
}

/* -- descriptors of something else ------------------------------------------------------------ */

static void release_a_thread(struct script *script)
{
    int pidfd = (int)syscall(SYS_pidfd_open, gettid(), PIDFD_THREAD);

    release(script, (uint64_t)pidfd, 0);
}

static void release_what_is_no_process(struct script *script)
{
    int kthread = (int)syscall(SYS_pidfd_open, 2, 0);

    script__check(script, kthread >= 0, "a pidfd of kthreadd");
    release(script, (uint64_t)open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    release(script, (uint64_t)kthread, 0);
    script__thread(script, release_a_thread);
}

static void what_is_no_process_is_not_taken_for_one(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    lines = run(script, release_what_is_no_process);
    assert_int_equal(script->calls[0].result, -EBADF);
    assert_outcome(lines, script, 0, "bad_fd");
    assert_int_equal(script->calls[1].result, -ESRCH);
    assert_outcome(lines, script, 1, "unknown");
    assert_int_equal(release__number(line_of(lines, script, 1), "target_host_pid"), 2);
    /* ESRCH since 6.9; before, there were no descriptors of threads. */
    assert_true(script->calls[2].result == -ESRCH || script->calls[2].result == -EBADF);
    assert_outcome(lines, script, 2, "bad_fd");
}

static void release_oneself(struct script *script)
{
    release(script, PIDFD_SELF_THREAD, 0);
    release(script, PIDFD_SELF_GROUP, 0);
}

static void names_for_the_caller_lead_to_the_caller_where_they_are_known(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    lines = run(script, release_oneself);
    for (unsigned int i = 0; i < 2; i++) {
        const struct line *line = line_of(lines, script, i);
        bool known = script->calls[i].result != -EBADF;

        assert_outcome(lines, script, i, known ? "not_dying" : "bad_fd");
        if (known)
            assert_int_equal(release__number(line, "target_host_pid"),
                             script->calls[i].caller.host_pid);
        else
            assert_true(release__is_absent(line, "target_host_pid"));
    }
}

/* -- refused by others ------------------------------------------------------------------------ */

static void release_behind_a_filter(struct script *script)
{
    const struct event_row *event = event__find("process_mrelease");

    script__check(script, trigger__block(event->number, event->number, (int)script->victim.uid),
                  "seccomp");
    release(script, UINT64_MAX, 0);
}

/* The errno goes in by the one member of the script that its calls do not need. */
static void a_filter_before_the_call_is_blocked_whatever_it_answers(void **state)
{
    static const int answers[] = { EPERM, ENOSYS, EINVAL, ESRCH, 0 };

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct script *script = script__new();
        const struct lines *lines;

        script->victim.uid = (uint32_t)answers[i];
        lines = run(script, release_behind_a_filter);
        assert_int_equal(script->calls[0].result, -answers[i]);
        assert_outcome(lines, script, 0, "blocked");
        assert_true(release__is_absent(line_of(lines, script, 0), "target_host_pid"));
    }
}

/* The process ends by its call; what it would have been told nobody knows. */
static void call_into(bool by_signal)
{
    const struct event_row *event = event__find("process_mrelease");
    int status;
    pid_t child = fork();

    if (!child) {
        prctl(PR_SET_DUMPABLE, 0);
        signal(SIGSYS, SIG_DFL);
        if (trigger__block_deadly(event->number, by_signal))
            trigger__native(event->number, UINT64_MAX, 0, 0);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* Such a call is a failure to every filter for failures, and never a success. */
static void a_call_that_a_filter_kills_never_ran(void **state)
{
    struct sensor sensor;
    const struct lines *lines;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "process_mrelease.retval<0", "--coverage", "all", "--extra",
                 "outcome", "--output", live__output("json", "events"));
    call_into(false);
    call_into(true);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_int_equal(lines->count, 2);
    for (size_t i = 0; i < lines->count; i++) {
        assert_int_equal(json__signed(lines->at[i].json, "returnValue"), -ENOSYS);
        assert_non_null(strstr(lines->at[i].text,
                               "\"outcome\",\"type\":\"const char*\",\"value\":\"blocked\""));
    }
}

/* -- interrupted ------------------------------------------------------------------------------ */

/* The lock may come just before the signal does: some are tried, one must be interrupted. */
enum { WAITS = 4 };

static void spin_for_ever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        ;
}

static bool is_waiting(pid_t pid)
{
    char path[64], text[512];
    const char *state;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (!caller__read(path, text, sizeof(text)))
        return false;
    state = strrchr(text, ')');
    return state && state[2] == 'D';
}

static pid_t start_caller(struct script *script)
{
    pid_t child = fork();

    script__check(script, child >= 0, "fork");
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        syscall(SYS_process_mrelease, script->victim.pidfd, 0);
        _exit(0);
    }
    return child;
}

/* The victim holds the lock of its memory, and does not get to run: somebody else does. */
static bool was_killed_waiting(struct script *script, pid_t spinner, struct call *call)
{
    pid_t caller;
    bool waited = false;
    int status = 0;

    victim__start(script);
    live__pause_ms(100); /* well into it */
    victim__kill(script);
    caller = start_caller(script);
    for (int i = 0; !waited && i < 100 && !waitpid(caller, &status, WNOHANG); i++) {
        live__pause_ms(POLL_MS);
        waited = is_waiting(caller);
    }
    if (waited || !kill(caller, 0)) {
        kill(caller, SIGKILL);
        waitpid(caller, &status, 0);
    }
    kill(spinner, SIGSTOP); /* the victim shall end */
    victim__bury(script);
    kill(spinner, SIGCONT);
    call->args[0] = (uint64_t)caller;
    call->args[1] = script->victim.self.host_pid;
    return waited && WIFSIGNALED(status);
}

static void be_interrupted(struct script *script)
{
    pid_t spinner = fork();
    unsigned int waits = 0;

    script__check(script, spinner >= 0, "fork");
    if (!spinner)
        spin_for_ever();
    for (int i = 0; waits < WAITS && i < 3 * WAITS; i++)
        waits += was_killed_waiting(script, spinner, &script->calls[waits]);
    kill(spinner, SIGKILL);
    waitpid(spinner, NULL, 0);
    script__check(script, waits, "no call waited for the lock");
}

static void a_call_that_was_killed_in_the_wait_is_interrupted(void **state)
{
    const struct lines *lines;
    struct script *script;
    unsigned int interrupted = 0;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 64 * MIB;
    script->victim.churns = true;
    lines = run(script, be_interrupted);
    for (int i = 0; i < WAITS && script->calls[i].args[0]; i++) {
        const struct line *line =
            lines__find(lines, "process_mrelease", (uint32_t)script->calls[i].args[0], 0);
        bool was = json__signed(line->json, "returnValue") == -EINTR;

        interrupted += was;
        assert_int_equal(!strcmp(release__text(line, "outcome"), "interrupted"), was);
        assert_int_equal(release__number(line, "target_host_pid"), script->calls[i].args[1]);
    }
    assert_true(interrupted);
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
        LIVE_TEST(what_is_no_process_is_not_taken_for_one),
        LIVE_TEST(names_for_the_caller_lead_to_the_caller_where_they_are_known),
        LIVE_TEST(a_filter_before_the_call_is_blocked_whatever_it_answers),
        LIVE_TEST(a_call_that_a_filter_kills_never_ran),
        LIVE_TEST(a_call_that_was_killed_in_the_wait_is_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
