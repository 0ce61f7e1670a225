// SPDX-License-Identifier: Apache-2.0
/* The proof calls: system calls of our own, which the probes must see (docs/adr/0002). */
#include "probe/proof.h"

#include <abi/record.h>
#include <errno.h>
#include <mrelease/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/compat_call.h"
#include "probe/proof_args.h"

bool mrl_proof__is_filtered(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}

/* One way into the kernel. Both return a result, or -errno. */
struct way {
    const char *name;
    /* getpid() by that way; 0: this machine has none. */
    long (*ask)(void);
    long (*call)(const struct mrl_event_def *event, const uint64_t args[MRL_ARGS_MAX]);
};

static long call_numbered(long number, const uint64_t args[MRL_ARGS_MAX])
{
    long result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);

    return result < 0 ? -errno : result;
}

static long ask_native(void)
{
    return getpid(); /* never refused: nobody could do anything */
}

static long call_native(const struct mrl_event_def *event, const uint64_t args[MRL_ARGS_MAX])
{
    return call_numbered(event->id, args);
}

#if MRL_HAS_COMPAT_CALL
static long ask_compat(void)
{
    const uint64_t none[MRL_ARGS_MAX] = { 0 };

    return mrl_compat_call(MRL_I386_GETPID, none);
}

static long call_compat(const struct mrl_event_def *event, const uint64_t args[MRL_ARGS_MAX])
{
    return mrl_compat_call(event->nr_i386, args);
}

static long ask_x32(void)
{
    long result = syscall(SYS_getpid | MRL_X32_BIT);

    return result < 0 ? (errno == ENOSYS ? 0 : -errno) : result;
}

static long call_x32(const struct mrl_event_def *event, const uint64_t args[MRL_ARGS_MAX])
{
    return call_numbered(event->id | MRL_X32_BIT, args);
}
#else
static long ask_none(void)
{
    return 0;
}
#    define ask_compat  ask_none
#    define ask_x32     ask_none
#    define call_compat NULL
#    define call_x32    NULL
#endif

static const struct way ways[MRL_PROOF_WAY_COUNT] = {
    [MRL_PROOF_NATIVE] = { "native", ask_native, call_native },
    [MRL_PROOF_COMPAT] = { "compat", ask_compat, call_compat },
    [MRL_PROOF_X32] = { "x32", ask_x32, call_x32 },
};

const char *mrl_proof_way__name(enum mrl_proof_way way)
{
    return ways[way].name;
}

/* What the kernel itself says to the arguments of a proof. Who may lock nothing is told EPERM. */
static bool is_kernels(long result)
{
    struct rlimit limit = { .rlim_cur = 1 };

    if (result == -EPERM && !getrlimit(RLIMIT_MEMLOCK, &limit))
        return !limit.rlim_cur;
    return !result || result == -EINVAL || result == -ENOMEM || result == -EBADF;
}

/* In the child. */
static int go(unsigned int event, const struct way *way, uint64_t cookie)
{
    uint64_t args[MRL_ARGS_MAX];
    long result = way->ask();

    if (result != getpid())
        return result && mrl_proof__is_filtered() ? MRL_PROOF_REFUSED : MRL_PROOF_CLOSED;
    mrl_proof__make(way == &ways[MRL_PROOF_COMPAT], cookie, args);
    result = way->call(mrl_event_def__at(event), args);
    return !is_kernels(result) && mrl_proof__is_filtered() ? MRL_PROOF_REFUSED : MRL_PROOF_MADE;
}

/* On a machine without 32-bit calls the kernel kills a process that makes one, and so may a
 * seccomp filter. The child then dies without a core dump and without a handler of the program. */
static void prepare_to_die(void)
{
    const int deadly[] = { SIGSEGV, SIGILL, SIGSYS };

    prctl(PR_SET_DUMPABLE, 0);
    for (unsigned int i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        signal(deadly[i], SIG_DFL);
}

static int ask(unsigned int event, const struct way *way, uint64_t cookie)
{
    (void)event;
    (void)cookie;
    return way->ask() ? MRL_PROOF_MADE : MRL_PROOF_CLOSED;
}

/* The machine says no by a signal where it has no such way; a filter says it by SIGSYS. */
static int outcome_of(int status, enum mrl_proof_way way)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WTERMSIG(status) == SIGSYS)
        return MRL_PROOF_REFUSED;
    return way != MRL_PROOF_NATIVE && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGILL)
               ? MRL_PROOF_CLOSED
               : -ECHILD;
}

/* What a child does; its outcome, or -errno. */
static int run_child(int (*act)(unsigned int event, const struct way *way, uint64_t cookie),
                     unsigned int event,
                     enum mrl_proof_way way,
                     uint64_t cookie)
{
    int status;
    /* As fork(), but without the handlers of the embedding program and without SIGCHLD for it. */
    pid_t child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);

    if (child < 0)
        return -errno;
    if (!child) {
        prepare_to_die();
        status = act(event, &ways[way], cookie);
        for (;;)
            syscall(SYS_exit_group, status);
    }
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    return outcome_of(status, way);
}

int mrl_proof__call(unsigned int event, enum mrl_proof_way way, uint64_t cookie)
{
    return run_child(go, event, way, cookie);
}

bool mrl_proof__may_have_x32(void)
{
    return run_child(ask, 0, MRL_PROOF_X32, 0) != MRL_PROOF_CLOSED;
}
