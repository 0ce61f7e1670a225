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
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/compat_call.h"

/* One way into the kernel. */
struct way {
    bool (*is_open)(void);
    void (*call)(const struct mrl_event_def *event, uint64_t cookie);
};

static bool always(void)
{
    return true;
}

/*
 * -1 is no pidfd, no flags and no range to any of the calls; munlockall asks for nothing. Of 32
 * bits: an address in the last page, which is no pidfd, nor flags of mlockall; 0 bytes, which the
 * calls take for nothing to do, or no flags; and flags that mlock2 has not. The mark tells other
 * sensors what this is: see programs/proof.h, which knows these arguments.
 */
void mrl_proof__make(bool compat, uint64_t cookie, uint64_t ret_args[MRL_ARGS_MAX])
{
    const uint64_t native[] = { UINT64_MAX, UINT64_MAX,     UINT64_MAX,
                                UINT64_MAX, MRL_PROOF_MARK, cookie };
    const uint64_t narrow[] = { MRL_PROOF_ADDRESS, 0,
                                UINT32_MAX,        (uint32_t)MRL_PROOF_MARK,
                                cookie >> 32,      (uint32_t)cookie };

    memcpy(ret_args, compat ? narrow : native, sizeof(native));
}

static void call_numbered(long number, uint64_t cookie)
{
    uint64_t args[MRL_ARGS_MAX];

    mrl_proof__make(false, cookie, args);
    syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static void call_native(const struct mrl_event_def *event, uint64_t cookie)
{
    call_numbered(event->id, cookie);
}

#if MRL_HAS_COMPAT_CALL
/* A seccomp filter may refuse every 32-bit call. Probes that do not see refused calls would then
 * seem not to work. */
static bool compat_is_open(void)
{
    const uint64_t none[6] = { 0 };

    return mrl_compat_call(MRL_I386_GETPID, none) == getpid();
}

static void call_compat(const struct mrl_event_def *event, uint64_t cookie)
{
    uint64_t args[MRL_ARGS_MAX];

    mrl_proof__make(true, cookie, args);
    mrl_compat_call(event->nr_i386, args);
}

static bool x32_is_open(void)
{
    return syscall(SYS_getpid | MRL_X32_BIT) == getpid();
}

static void call_x32(const struct mrl_event_def *event, uint64_t cookie)
{
    call_numbered(event->id | MRL_X32_BIT, cookie);
}
#endif

static const struct way ways[] = {
    { always, call_native },
#if MRL_HAS_COMPAT_CALL
    { compat_is_open, call_compat },
    { x32_is_open, call_x32 },
#endif
};

static void make_calls(uint32_t events, uint64_t cookie, const struct way *way)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_def__at(i)->is_syscall && (events & (1U << i)))
            way->call(mrl_event_def__at(i), cookie);
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

/* What a child does; its exit status. */
typedef int (*child_fn)(uint32_t events, uint64_t cookie, const struct way *way);

/* Its wait status, or -errno. */
static int run_child(child_fn act, uint32_t events, uint64_t cookie, const struct way *way)
{
    int status;
    /* As fork(), but without the handlers of the embedding program and without SIGCHLD for it. */
    pid_t child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);

    if (child < 0)
        return -errno;
    if (!child) {
        prepare_to_die();
        status = act(events, cookie, way);
        for (;;)
            syscall(SYS_exit_group, status);
    }
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    return status;
}

static int call_if_open(uint32_t events, uint64_t cookie, const struct way *way)
{
    if (!way->is_open())
        return 1;
    make_calls(events, cookie, way);
    return 0;
}

/* 1 when the calls were made, 0 when this way is closed. */
static int go(uint32_t events, uint64_t cookie, const struct way *way)
{
    int status = run_child(call_if_open, events, cookie, way);

    return status < 0 ? status : WIFEXITED(status) && !WEXITSTATUS(status);
}

int mrl_proof__call(uint32_t events, uint64_t cookie)
{
    int count = 0;

    for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        int gone = go(events, cookie, &ways[i]);

        if (gone < 0)
            return gone;
        count += gone;
    }
    return count ? count : -ECHILD;
}

#if MRL_HAS_COMPAT_CALL
static int ask_for_x32(uint32_t events, uint64_t cookie, const struct way *way)
{
    (void)events;
    (void)cookie;
    (void)way;
    return syscall(SYS_getpid | MRL_X32_BIT) < 0 && errno == ENOSYS;
}

bool mrl_proof__may_have_x32(void)
{
    int status = run_child(ask_for_x32, 0, 0, NULL);

    return !(status >= 0 && WIFEXITED(status) && WEXITSTATUS(status));
}
#else
bool mrl_proof__may_have_x32(void)
{
    return false;
}
#endif
