// SPDX-License-Identifier: Apache-2.0
/* Ways of a caller whose tracer has a hand in its call. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "command/doctor/ways.h"

enum { OTHER_FLAGS = 1, SYSCALL_STOP = SIGTRAP | 0x80, STOPS_MAX = 64 };

#if defined(__x86_64__)
static void take_signal(int signal)
{
    (void)signal;
}

static void call_as_tracee(enum mrl_tracing what)
{
    long number = what == MRL_TRACES_NUMBER ? SYS_getppid : mrl_way__number();

    signal(SIGUSR1, take_signal);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
        _exit(1);
    raise(SIGSTOP);
    mrl_way__call_as(number, what == MRL_TRACES_ARGUMENTS ? OTHER_FLAGS : MRL_WAY_FLAGS);
    _exit(0);
}

/* At the entry, before the kernel looks at the number. */
static void meddle_at_entry(pid_t child, enum mrl_tracing what, struct user_regs_struct *registers)
{
    if (what == MRL_TRACES_NUMBER)
        registers->orig_rax = (unsigned long)mrl_way__number();
    if (what == MRL_TRACES_ARGUMENTS)
        registers->rsi = MRL_WAY_FLAGS;
    ptrace(PTRACE_SETREGS, child, NULL, registers);
    if (what == MRL_TRACES_SIGNAL)
        kill(child, SIGUSR1);
    if (what == MRL_TRACES_KILL)
        kill(child, SIGKILL);
}

static void meddle_at_exit(pid_t child, enum mrl_tracing what, struct user_regs_struct *registers)
{
    registers->rax = 0;
    if (what == MRL_TRACES_RESULT)
        ptrace(PTRACE_SETREGS, child, NULL, registers);
}

/* One stop; whether the call has been meddled with, from its entry to its exit: 0, 1, 2. */
static int meddle(pid_t child, enum mrl_tracing what, int done)
{
    long number = what == MRL_TRACES_NUMBER ? SYS_getppid : mrl_way__number();
    struct user_regs_struct registers;

    if (done == 2 || ptrace(PTRACE_GETREGS, child, NULL, &registers))
        return done;
    if (!done && registers.orig_rax == (unsigned long)number && registers.rsi != 0 &&
        registers.rax == (unsigned long)-ENOSYS) {
        meddle_at_entry(child, what, &registers);
        return 1;
    }
    if (done)
        meddle_at_exit(child, what, &registers);
    return done * 2;
}

int mrl_way__tracer(unsigned long argument)
{
    enum mrl_tracing what = (enum mrl_tracing)argument;
    pid_t child = fork();
    int status, done = 0, pass = 0;

    if (child < 0)
        return -errno;
    if (!child)
        call_as_tracee(what);
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        return -EPERM;
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    for (int i = 0; i < STOPS_MAX; i++) {
        ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)pass);
        if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
            break;
        pass = WSTOPSIG(status) == SYSCALL_STOP ? 0 : WSTOPSIG(status);
        if (!pass)
            done = meddle(child, what, done);
    }
    return done ? 0 : -EIO;
}
#else
int mrl_way__tracer(unsigned long what)
{
    (void)what;
    return -EOPNOTSUPP;
}
#endif
