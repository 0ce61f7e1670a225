// SPDX-License-Identifier: Apache-2.0
/* A release for show. */
#include "command/verbs/release.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/proof_args.h"

#define LOCKED_BYTES ((size_t)4 << 20)

enum { LAST = 19 };

#ifndef SYS_process_mrelease
#    define SYS_process_mrelease 448
#endif

static void live_as_child(size_t bytes, bool trial, int ready)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    /* Should the caller die first. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, MRL_RELEASE_NAME);
    if (memory == MAP_FAILED)
        _exit(1);
    memset(memory, 1, bytes);
    /* Who dies at once has nothing left to release: the caller goes first. */
    setpriority(PRIO_PROCESS, 0, LAST);
    if (!trial)
        mlock(memory, LOCKED_BYTES); /* may be refused by RLIMIT_MEMLOCK: that too is an event */
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* A child that holds `bytes`, or -errno. */
static pid_t start_child(size_t bytes, bool trial)
{
    int ready[2];
    pid_t child;
    char byte;

    if (pipe(ready))
        return -errno;
    child = fork();
    if (!child) {
        close(ready[0]);
        live_as_child(bytes, trial, ready[1]);
    }
    close(ready[1]);
    if (child > 0 && read(ready[0], &byte, 1) != 1) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = -ENOMEM;
    }
    close(ready[0]);
    return child < 0 ? -ENOMEM : child;
}

static long release(int pidfd, bool trial)
{
    uint64_t args[MRL_ARGS_MAX] = { 0 };

    if (trial)
        mrl_proof__make(false, 0, args);
    return syscall(SYS_process_mrelease, pidfd, 0L, args[2], args[3], args[4], args[5]);
}

int mrl_release__child(size_t bytes, bool trial)
{
    pid_t child = start_child(bytes, trial);
    int pidfd, err = 0;

    if (child < 0)
        return child;
    pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    kill(child, SIGKILL);
    if (pidfd < 0 || release(pidfd, trial))
        err = -errno;
    if (pidfd >= 0)
        close(pidfd);
    waitpid(child, NULL, 0);
    return err;
}
