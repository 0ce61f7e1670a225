// SPDX-License-Identifier: Apache-2.0
/* Calls of our own. */
#include "sources/proof.h"

#include <errno.h>
#include <mrelease/event.h>
#include <stddef.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/wait.h>

/* -1 is no pidfd, no flags and no range to any of the calls; munlockall asks for nothing. */
static void make_calls(uint32_t events, uint64_t cookie)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_def__at(i)->is_syscall && (events & (1U << i)))
            syscall(mrl_event_def__at(i)->id, -1L, -1L, -1L, -1L, -1L, cookie);
}

int mrl_proof__call(uint32_t events, uint64_t cookie)
{
    int status;
    /* As fork(), but without the handlers of the embedding program and without SIGCHLD for it. */
    pid_t child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);

    if (child < 0)
        return -errno;
    if (!child) {
        make_calls(events, cookie);
        syscall(SYS_exit_group, 0);
    }
    while (waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}
