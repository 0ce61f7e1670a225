// SPDX-License-Identifier: Apache-2.0
/* Why a call released nothing: descriptors of something else, filters, and signals. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "why.h"

enum { POLL_MS = 2 };

#define MIB ((size_t)1 << 20)

#ifndef PIDFD_THREAD
#    define PIDFD_THREAD O_EXCL
#endif
#define PIDFD_SELF_THREAD ((uint64_t)(int64_t)-10000)
#define PIDFD_SELF_GROUP  ((uint64_t)(int64_t)-10001)

/* -- descriptors of something else ------------------------------------------------------------ */

static void release_a_thread(struct script *script)
{
    int pidfd = (int)syscall(SYS_pidfd_open, gettid(), PIDFD_THREAD);

    why__release(script, (uint64_t)pidfd, 0);
}

static void release_what_is_no_process(struct script *script)
{
    int kthread = (int)syscall(SYS_pidfd_open, 2, 0);

    script__check(script, kthread >= 0, "a pidfd of kthreadd");
    why__release(script, (uint64_t)open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    why__release(script, (uint64_t)kthread, 0);
    script__thread(script, release_a_thread);
}

static void what_is_no_process_is_not_taken_for_one(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    lines = why__run(script, release_what_is_no_process);
    assert_int_equal(script->calls[0].result, -EBADF);
    why__assert(lines, script, 0, "bad_fd");
    assert_int_equal(script->calls[1].result, -ESRCH);
    why__assert(lines, script, 1, "unknown");
    assert_int_equal(release__number(why__line(lines, script, 1), "target_host_pid"), 2);
    /* ESRCH since 6.9; before, there were no descriptors of threads. */
    assert_true(script->calls[2].result == -ESRCH || script->calls[2].result == -EBADF);
    why__assert(lines, script, 2, "bad_fd");
}

static void release_oneself(struct script *script)
{
    why__release(script, PIDFD_SELF_THREAD, 0);
    why__release(script, PIDFD_SELF_GROUP, 0);
}

static void names_for_the_caller_lead_to_the_caller_where_they_are_known(void **state)
{
    const struct lines *lines;
    struct script *script;

    (void)state;
    live__require();
    script = script__new();
    lines = why__run(script, release_oneself);
    for (unsigned int i = 0; i < 2; i++) {
        const struct line *line = why__line(lines, script, i);
        bool known = script->calls[i].result != -EBADF;

        why__assert(lines, script, i, known ? "not_dying" : "bad_fd");
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
    why__release(script, UINT64_MAX, 0);
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
        lines = why__run(script, release_behind_a_filter);
        assert_int_equal(script->calls[0].result, -answers[i]);
        why__assert(lines, script, 0, "blocked");
        assert_true(release__is_absent(why__line(lines, script, 0), "target_host_pid"));
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
    lines = why__run(script, be_interrupted);
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
        LIVE_TEST(what_is_no_process_is_not_taken_for_one),
        LIVE_TEST(names_for_the_caller_lead_to_the_caller_where_they_are_known),
        LIVE_TEST(a_filter_before_the_call_is_blocked_whatever_it_answers),
        LIVE_TEST(a_call_that_a_filter_kills_never_ran),
        LIVE_TEST(a_call_that_was_killed_in_the_wait_is_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
