// SPDX-License-Identifier: Apache-2.0
/*
 * A stranger: somebody else on this host who makes the watched calls as fast as one core can, of
 * which no live test may take notice. stranger SECONDS; ends with its parent, or when the time is
 * over.
 *
 * In one process that is its own target: process_mrelease of no descriptor, of what is no process
 * and of a living one, with the flags that no kernel knows, and the whole mlock family on a page of
 * its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { PAGE = 4096, PROCESS_MRELEASE = 448, SECONDS_MAX = 600 };

static void call_all(int file, int pidfd, void *page)
{
    syscall(PROCESS_MRELEASE, -1, 0);
    syscall(PROCESS_MRELEASE, file, 0);
    syscall(PROCESS_MRELEASE, pidfd, 0);
    syscall(PROCESS_MRELEASE, pidfd, 1U << 31);
    /* By number: under sanitizers the functions of the C library make no call. */
    syscall(SYS_mlock, page, PAGE);
    syscall(SYS_munlock, page, PAGE);
    syscall(SYS_mlock2, page, PAGE, MLOCK_ONFAULT);
    syscall(SYS_munlockall);
    syscall(SYS_mlockall, 0);
}

int main(int argc, char **argv)
{
    long seconds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getppid();

    if (seconds < 1 || seconds > SECONDS_MAX) {
        fprintf(stderr, "usage: stranger SECONDS, up to %d\n", SECONDS_MAX);
        return 2;
    }
    if (file < 0 || page == MAP_FAILED) {
        perror("stranger");
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        return 0; /* it was gone before the line above */
    signal(SIGALRM, SIG_DFL);
    alarm((unsigned int)seconds);
    for (;;)
        call_all(file, pidfd, page);
}
