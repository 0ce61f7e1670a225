// SPDX-License-Identifier: Apache-2.0
/* The rows of the ways, and the child that goes one. */
#include "command/doctor/ways.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/proof_args.h"

#ifndef CLONE_NEWTIME
#    define CLONE_NEWTIME 0x00000080
#endif

enum { PATIENCE_S = 20 };

#define NO_RIGHT   "making the namespace is refused"
#define NO_FILTER  "a filter of its own is refused"
#define NO_TRACING "tracing a child is refused, or not written for this machine"

static const struct mrl_way ways[] = {
    [MRL_WAY_NATIVE] = { "native", MRL_WAY_RUNS, mrl_way__native, 0, "no call" },
    [MRL_WAY_COMPAT] = { "int 0x80", MRL_WAY_FOREIGN, mrl_way__compat, 0,
                         "this machine, or a filter, takes no 32-bit calls" },
    [MRL_WAY_BLOCKED] = { "seccomp ERRNO", MRL_WAY_REFUSED, mrl_way__filter,
                          SECCOMP_RET_ERRNO | EPERM, NO_FILTER },
    { "x32", MRL_WAY_FOREIGN, mrl_way__x32, 0, "this kernel, or a filter, takes no x32 numbers" },
    { "thread", MRL_WAY_RUNS, mrl_way__thread, 0, "no thread" },
    { "vfork's child", MRL_WAY_RUNS, mrl_way__vfork, 0, "vfork is refused" },
    { "signal's handler", MRL_WAY_RUNS, mrl_way__signal, 0, "no handler" },
    { "seccomp TRAP", MRL_WAY_REFUSED, mrl_way__filter, SECCOMP_RET_TRAP, NO_FILTER },
    { "seccomp KILL", MRL_WAY_REFUSED, mrl_way__filter, SECCOMP_RET_KILL_PROCESS, NO_FILTER },
    { "seccomp TRACE, no tracer", MRL_WAY_REFUSED, mrl_way__filter, SECCOMP_RET_TRACE, NO_FILTER },
    { "seccomp USER_NOTIF", MRL_WAY_REFUSED, mrl_way__supervisor, 0, NO_FILTER },
    { "USER_NOTIF, let through", MRL_WAY_RUNS, mrl_way__supervisor,
      SECCOMP_USER_NOTIF_FLAG_CONTINUE, NO_FILTER },
    { "killed inside", MRL_WAY_REFUSED, mrl_way__killed, 0, NO_FILTER },
    { "tracer sets number", MRL_WAY_RUNS, mrl_way__tracer, MRL_TRACES_NUMBER, NO_TRACING },
    { "tracer sets arguments", MRL_WAY_RUNS, mrl_way__tracer, MRL_TRACES_ARGUMENTS, NO_TRACING },
    { "tracer sets result", MRL_WAY_RUNS, mrl_way__tracer, MRL_TRACES_RESULT, NO_TRACING },
    { "signal inside", MRL_WAY_RUNS, mrl_way__tracer, MRL_TRACES_SIGNAL, NO_TRACING },
    { "killed at its entry", MRL_WAY_REFUSED, mrl_way__tracer, MRL_TRACES_KILL, NO_TRACING },
    { "user dispatch", MRL_WAY_NOTHING, mrl_way__dispatch, 0, "this kernel has no user dispatch" },
    { "io_uring", MRL_WAY_RUNS, mrl_way__io_uring, 0, "io_uring has no such operation" },
    { "cgroup namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWCGROUP, NO_RIGHT },
    { "ipc namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWIPC, NO_RIGHT },
    { "mount namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWNS, NO_RIGHT },
    { "net namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWNET, NO_RIGHT },
    { "pid namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWPID, NO_RIGHT },
    { "time namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWTIME, NO_RIGHT },
    { "user namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWUSER, NO_RIGHT },
    { "uts namespace", MRL_WAY_RUNS, mrl_way__namespace, CLONE_NEWUTS, NO_RIGHT },
};

enum { WAY_COUNT = sizeof(ways) / sizeof(ways[0]) };

_Static_assert((int)WAY_COUNT <= (int)MRL_WAYS_MAX, "a cell for each");

const struct mrl_way *mrl_ways__all(unsigned int *ret_count)
{
    *ret_count = WAY_COUNT;
    return ways;
}

/* -- the child -------------------------------------------------------------------------------- */

/* Shared with all that go: what they leave behind when the kernel kills them. */
static struct {
    bool out;     /* there was a call */
    bool refused; /* a filter that was there before answers it */
    int err;
} * shared;

void mrl_way__set_out(void)
{
    shared->out = true;
}

long mrl_way__number(void)
{
    return mrl_event_def__at(0)->id;
}

long mrl_way__call_as(long number, unsigned long flags)
{
    uint64_t args[MRL_ARGS_MAX];
    long result;

    mrl_proof__make(false, 0, args);
    mrl_way__set_out();
    result = syscall(number, args[0], flags, args[2], args[3], args[4], args[5]);
    return result < 0 ? -errno : result;
}

long mrl_way__call(void)
{
    return mrl_way__call_as(mrl_way__number(), MRL_WAY_FLAGS);
}

/* By a filter that was there before. The kernel itself says EINVAL: it knows no such flags. */
static bool is_refused(void)
{
    bool refused = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) && mrl_way__call() != -EINVAL;

    shared->out = false;
    return refused;
}

/* Whoever is killed on the way dies quietly; whoever hangs is ended, and its children with it. */
static void go_as_child(const struct mrl_way *way, const char *tag)
{
    const int defaults[] = { SIGSEGV, SIGILL, SIGSYS, SIGCHLD, SIGALRM };

    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        signal(defaults[i], SIG_DFL);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(PATIENCE_S);
    shared->refused = true;
    shared->refused = is_refused();
    prctl(PR_SET_NAME, tag);
    if (!shared->refused)
        shared->err = way->go(way->argument);
    syscall(SYS_exit_group, 0);
}

static bool map_shared(void)
{
    if (!shared)
        shared =
            mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        shared = NULL;
    return shared;
}

/* A name that nobody else on this host has by accident. */
static void make_tag(unsigned int index, char tag[MRL_WAY_TAG_BYTES])
{
    uint16_t random = 0;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = (uint16_t)getpid();
    snprintf(tag, MRL_WAY_TAG_BYTES, MRL_WAY_TAG "%02u-%04x", index % 100, random);
}

void mrl_way__go(unsigned int index, struct mrl_trip *ret_trip)
{
    const struct mrl_way *way = &ways[index];
    pid_t child = -1;

    *ret_trip = (struct mrl_trip){ .made = false };
    make_tag(index, ret_trip->tag);
    if (map_shared()) {
        shared->out = false;
        shared->err = 0;
        child = fork();
    }
    if (!child)
        go_as_child(way, ret_trip->tag);
    if (child < 0) {
        snprintf(ret_trip->reason, sizeof(ret_trip->reason), "no child: %s", strerror(errno));
        return;
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    ret_trip->made = shared->out && !shared->err && !shared->refused;
    if (!ret_trip->made)
        snprintf(ret_trip->reason, sizeof(ret_trip->reason), "%s%s%s",
                 shared->refused ? "a seccomp filter refuses the call to this process"
                                 : way->closed,
                 shared->err ? ": " : "", shared->err ? strerror(-shared->err) : "");
}

/* -- its event -------------------------------------------------------------------------------- */

bool mrl_trip__is(const struct mrl_trip *trip, const struct mrl_event *event)
{
    return !event->state && event->def == mrl_event_def__at(0) &&
           event->process_name.size == strlen(trip->tag) &&
           !memcmp(event->process_name.bytes, trip->tag, event->process_name.size);
}

/* The fields of Tracee's event: pidfd and flags. Of a 32-bit call the flags are 0. */
bool mrl_trip__has_arguments(const struct mrl_way *way, const struct mrl_event *event)
{
    bool compat = way == &ways[MRL_WAY_COMPAT];

    return event->values[0].number == (compat ? (int32_t)MRL_PROOF_ADDRESS : -1) &&
           event->values[1].unsigned_number == (compat ? 0 : MRL_WAY_FLAGS);
}
