// SPDX-License-Identifier: Apache-2.0
/* Ways of a task by itself, and of tasks that stand elsewhere. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "command/doctor/ways.h"
#include "probe/compat_call.h"
#include "probe/proof_args.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#    define PR_SET_SYSCALL_USER_DISPATCH 59
#    define PR_SYS_DISPATCH_ON           1
#endif

int mrl_way__native(unsigned long argument)
{
    (void)argument;
    mrl_way__call();
    return 0;
}

#if MRL_HAS_COMPAT_CALL
int mrl_way__compat(unsigned long argument)
{
    const uint64_t none[MRL_ARGS_MAX] = { 0 };
    uint64_t args[MRL_ARGS_MAX];

    (void)argument;
    if (mrl_compat_call(MRL_I386_GETPID, none) != getpid())
        return -ENOSYS;
    mrl_proof__make(true, 0, args);
    mrl_way__set_out();
    mrl_compat_call(mrl_event_def__at(0)->nr_i386, args);
    return 0;
}

int mrl_way__x32(unsigned long argument)
{
    (void)argument;
    if (syscall(SYS_getpid | MRL_X32_BIT) != getpid())
        return -ENOSYS;
    mrl_way__call_as(mrl_way__number() | MRL_X32_BIT, MRL_WAY_FLAGS);
    return 0;
}
#else
int mrl_way__compat(unsigned long argument)
{
    (void)argument;
    return -ENOSYS;
}

int mrl_way__x32(unsigned long argument)
{
    (void)argument;
    return -ENOSYS;
}
#endif

static void *call_in_thread(void *context)
{
    (void)context;
    mrl_way__call();
    return NULL;
}

int mrl_way__thread(unsigned long argument)
{
    pthread_t thread;
    int err = pthread_create(&thread, NULL, call_in_thread, NULL);

    (void)argument;
    return err ? -err : -pthread_join(thread, NULL);
}

int mrl_way__vfork(unsigned long argument)
{
    pid_t child = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork)

    (void)argument;
    if (!child) {
        mrl_way__call(); // NOLINT(clang-analyzer-unix.Vfork): it is what this is about
        _exit(0);
    }
    return waitpid(child, NULL, 0) == child ? 0 : -errno;
}

static void call_on_signal(int signal)
{
    (void)signal;
    mrl_way__call(); // NOLINT(bugprone-signal-handler,cert-sig30-c): a system call and no more
}

int mrl_way__signal(unsigned long argument)
{
    (void)argument;
    signal(SIGUSR1, call_on_signal);
    return raise(SIGUSR1) ? -errno : 0;
}

/* The kernel hands the call back as SIGSYS before it looks at it. */
int mrl_way__dispatch(unsigned long argument)
{
    static volatile char block = 1;

    (void)argument;
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &block))
        return -errno;
    mrl_way__call();
    return 0;
}

/* No kernel that this version knows has an operation for any of the calls. */
int mrl_way__io_uring(unsigned long argument)
{
    (void)argument;
    return -EOPNOTSUPP;
}

/* By a child: it is the first that some of them hold for. */
int mrl_way__namespace(unsigned long flag)
{
    pid_t child;

    if (unshare((int)flag))
        return -errno;
    child = fork();
    if (!child) {
        mrl_way__call();
        _exit(0);
    }
    return child < 0 || waitpid(child, NULL, 0) != child ? -errno : 0;
}
