// SPDX-License-Identifier: Apache-2.0
/* Real calls of a child. */
#include "command/doctor/calls.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/compat_call.h"

/* No descriptor, and none of the kernel's names for the caller itself. */
enum { NO_PIDFD = -77 };

static long number(void)
{
    return mrl_event_def__at(0)->id;
}

/* In the child: returns whether the way is open. */
static bool call_native(void)
{
    syscall(number(), (long)NO_PIDFD, 0L);
    return true;
}

static bool call_compat(void)
{
#if MRL_HAS_COMPAT_CALL
    const uint64_t none[6] = { 0 }, args[6] = { (uint32_t)NO_PIDFD };

    if (mrl_compat_call(MRL_I386_GETPID, none) != getpid())
        return false;
    mrl_compat_call(mrl_event_def__at(0)->nr_i386, args);
    return true;
#else
    return false;
#endif
}

/* A filter of its own refuses the call before the kernel looks at it. */
static bool call_blocked(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        return false;
    return syscall(number(), (long)NO_PIDFD, 0L) < 0 && errno == EPERM;
}

static const struct {
    const char *name;
    bool (*call)(void);
} ways[MRL_WAY_COUNT] = {
    [MRL_WAY_NATIVE] = { "native", call_native },
    [MRL_WAY_COMPAT] = { "compat", call_compat },
    [MRL_WAY_BLOCKED] = { "blocked", call_blocked },
};

const char *mrl_way__name(enum mrl_way way)
{
    return ways[way].name;
}

/* A machine without 32-bit calls kills whoever tries one: quietly, please. */
bool mrl_way__call(enum mrl_way way, pid_t *ret_child)
{
    pid_t child = fork();
    int status = -1;

    *ret_child = child;
    if (!child) {
        prctl(PR_SET_DUMPABLE, 0);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGSYS, SIG_DFL);
        _exit(ways[way].call() ? 0 : 1);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}
