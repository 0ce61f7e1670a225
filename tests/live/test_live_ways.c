// SPDX-License-Identifier: Apache-2.0
/*
 * The ways that a process has into the call, and round it: each is gone once, and what the sensor
 * saw of it is asked, with --coverage all on every rung.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "harness.h"

enum { FIRST_FLAGS = 1000 };

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#    define PR_SET_SYSCALL_USER_DISPATCH 59
#    define PR_SYS_DISPATCH_ON           1
#endif

/* -- going ------------------------------------------------------------------------------------ */

static unsigned long flags; /* of the way that is gone: by it the event is found */

static long call(void)
{
    return syscall(SYS_process_mrelease, -1L, flags, 0L, 0L, 0L, 0L);
}

static void go_native(void)
{
    call();
}

static void go_compat(void)
{
    trigger__compat(448, UINT32_MAX, (uint32_t)flags, 0);
}

static void go_x32(void)
{
    trigger__native(448 | X32_BIT, UINT64_MAX, flags, 0);
}

static void go_vfork(void)
{
    pid_t child = vfork();

    if (!child) {
        call();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void call_on_signal(int signal)
{
    (void)signal;
    call();
}

static void go_in_a_signal(void)
{
    signal(SIGUSR1, call_on_signal);
    raise(SIGUSR1);
}

static void go_in_namespaces(void)
{
    pid_t child;

    if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS))
        unshare(CLONE_NEWPID | CLONE_NEWNS);
    child = fork();
    if (!child) {
        call();
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* From now on the call is answered so. Returns what seccomp() says. */
static int filter(uint32_t answer, unsigned int options)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_mrelease, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { COUNT_OF(instructions), instructions };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, options, &program);
}

static void go_refused(void)
{
    filter(SECCOMP_RET_ERRNO | EPERM, 0);
    call();
}

static void take_signal(int signal)
{
    (void)signal;
}

static void go_trapped(void)
{
    signal(SIGSYS, take_signal);
    filter(SECCOMP_RET_TRAP, 0);
    call();
}

static void go_killed(void)
{
    filter(SECCOMP_RET_KILL_PROCESS, 0);
    call();
}

static void go_traced_by_nobody(void)
{
    filter(SECCOMP_RET_TRACE, 0);
    call();
}

static void go_past_a_supervisor(void)
{
    struct seccomp_notif request = { 0 };
    struct seccomp_notif_resp response = { .error = -EPERM };
    int listener = filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    pid_t child = fork();

    if (!child) {
        call();
        _exit(0);
    }
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
        _exit(1);
    response.id = request.id;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    waitpid(child, NULL, 0);
}

#if defined(__x86_64__)
static bool may_rewrite(void)
{
    return true;
}

/* The tracee asks for its number, and its tracer makes the call of it. */
static void go_rewritten(void)
{
    struct user_regs_struct registers;
    pid_t child = fork();

    if (!child) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        syscall(SYS_getppid, -1L, flags);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int stops = 0; stops < 16; stops++) {
        int status;

        ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
        if (registers.orig_rax == SYS_getppid && registers.rax == (unsigned long)-ENOSYS) {
            registers.orig_rax = SYS_process_mrelease;
            ptrace(PTRACE_SETREGS, child, NULL, &registers);
        }
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
#else
static bool may_rewrite(void)
{
    return false;
}

static void go_rewritten(void)
{
}
#endif

/* The kernel hands the call back as SIGSYS before it looks at it: nothing is called. */
static void go_dispatched(void)
{
    static volatile char block = 1;

    signal(SIGSYS, SIG_DFL);
    if (!prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &block))
        call();
}

static const struct way {
    const char *name;
    void (*go)(void);
    unsigned int seen;
    bool (*is_open)(void); /* NULL: on every kernel */
    int killed_by;         /* the signal that must end who goes this way; 0: none, or no matter */
} ways[] = {
    { "native", go_native, 1, NULL, 0 },
    { "int 0x80", go_compat, 1, trigger__has_compat, 0 },
    { "x32", go_x32, 1, trigger__has_x32, 0 },
    { "vfork's child", go_vfork, 1, NULL, 0 },
    { "a signal's handler", go_in_a_signal, 1, NULL, 0 },
    { "new namespaces", go_in_namespaces, 1, NULL, 0 },
    { "seccomp ERRNO", go_refused, 1, NULL, 0 },
    { "seccomp TRAP", go_trapped, 1, NULL, 0 },
    { "seccomp KILL", go_killed, 1, NULL, SIGSYS },
    { "seccomp TRACE", go_traced_by_nobody, 1, NULL, 0 },
    { "seccomp USER_NOTIF", go_past_a_supervisor, 1, NULL, 0 },
    { "rewritten by a tracer", go_rewritten, 1, may_rewrite, 0 },
    { "user dispatch", go_dispatched, 0, may_rewrite, SIGSYS }, /* of x86 alone, before 6.16 */
};

static bool is_open(size_t index)
{
    return !ways[index].is_open || ways[index].is_open();
}

static void go(size_t index)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        flags = FIRST_FLAGS + index;
        ways[index].go();
        syscall(SYS_exit_group, 0);
    }
    cleanup__child(child);
    assert_int_equal(waitpid(child, &status, 0), child);
    cleanup__forget_child(child);
    if (ways[index].killed_by &&
        !(WIFSIGNALED(status) && WTERMSIG(status) == ways[index].killed_by))
        fail_msg("%s: the call was not answered by signal %d", ways[index].name,
                 ways[index].killed_by);
}

/* -- seeing ----------------------------------------------------------------------------------- */

static unsigned int count_of(const struct lines *lines, size_t index)
{
    const char *wanted = live__text("{\"name\":\"flags\",\"type\":\"unsigned int\",\"value\":%zu}",
                                    FIRST_FLAGS + index);
    unsigned int count = 0;

    for (size_t i = 0; i < lines->count; i++)
        count += strstr(lines->at[i].text, wanted) != NULL;
    return count;
}

static void assert_ways(const char *rung)
{
    const struct lines *lines;
    struct sensor sensor;

    if (!live__sees_compat(rung))
        return;
    SENSOR_START(&sensor, "-e", "process_mrelease", "--rung", rung, "--coverage", "all", "-o",
                 live__output("json", rung));
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (is_open(i))
            go(i);
        else
            print_message("# skipped: %s: not on this kernel\n", ways[i].name);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path(rung));
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (is_open(i) && count_of(lines, i) != ways[i].seen)
            fail_msg("%s, %s: seen %u times", rung, ways[i].name, count_of(lines, i));
}

static void every_way_in_is_seen_once(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_ways);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(every_way_in_is_seen_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
