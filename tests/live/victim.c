// SPDX-License-Identifier: Apache-2.0
/* Victims. */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "script.h"

enum { TRIES = 8, PROC_BYTES = 8192, STACK_BYTES = 64 * 1024 };

/* -- in the victim ---------------------------------------------------------------------------- */

static char *map(struct script *script, size_t bytes, int flags, int fd)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

    script__check(script, memory != MAP_FAILED, "mmap in the victim");
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

static void hold_file(struct script *script, const char *path, size_t bytes)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    volatile const char *memory = map(script, bytes, MAP_SHARED, fd);

    for (size_t i = 0; i < bytes; i += 4096)
        (void)memory[i];
}

/* Returns the anonymous part. */
static char *hold_memory(struct script *script)
{
    const struct victim *victim = &script->victim;
    char *memory = NULL;

    if (victim->anon_bytes) {
        memory = map(script, victim->anon_bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        memset(memory, 1, victim->anon_bytes);
        if (victim->locked_bytes)
            /* Not by its function: sanitizers make that one do nothing. */
            script__check(script, !syscall(SYS_mlock, memory, victim->locked_bytes), "mlock");
    }
    if (victim->shmem_bytes)
        memset(map(script, victim->shmem_bytes, MAP_SHARED | MAP_ANONYMOUS, -1), 1,
               victim->shmem_bytes);
    if (victim->file_bytes)
        hold_file(script, victim->file, victim->file_bytes);
    return memory;
}

static int sleep_for_ever(void *nothing)
{
    (void)nothing;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
    return 0;
}

static pid_t share(struct script *script, int flags)
{
    pid_t other;
    char *stack = map(script, STACK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    other = clone(sleep_for_ever, stack + STACK_BYTES, flags, NULL);
    script__check(script, other > 0, "clone");
    return other;
}

/* mprotect() keeps others out of the memory while it walks the page tables. */
static void churn(char *memory, size_t bytes)
{
    for (;;) {
        mprotect(memory, bytes, PROT_READ);
        mprotect(memory, bytes, PROT_READ | PROT_WRITE);
    }
}

static void live(struct script *script, int ready)
{
    struct victim *victim = &script->victim;
    char *memory;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    script__check(script, !victim->cgroup || cgroup__enter(victim->cgroup), "entering a cgroup");
    script__check(script, readlink("/proc/self/exe", victim->path, EXE_BYTES - 1) > 0, "readlink");
    memory = hold_memory(script);
    if (victim->uid) {
        script__check(script, !setresuid(victim->uid, victim->uid, victim->uid), "setresuid");
        prctl(PR_SET_DUMPABLE, 1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    prctl(PR_SET_NAME, victim->name ? victim->name : "live-victim");
    script__check(script, caller__take(&victim->self), "the victim does not know itself");
    if (victim->shares)
        victim->sharer = share(script, CLONE_VM | SIGCHLD);
    for (unsigned int i = 0; i < victim->threads; i++)
        share(script, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD);
    script__check(script, write(ready, "", 1) == 1, "write");
    if (victim->churns)
        churn(memory, victim->anon_bytes);
    for (;;)
        pause();
}

/* -- in its parent ---------------------------------------------------------------------------- */

static uint64_t kib_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* What the kernel says of it just before it is killed; smaps walks the page tables and is exact. */
static void look_at(struct script *script)
{
    struct victim *victim = &script->victim;
    char path[64], text[PROC_BYTES];

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/smaps_rollup", victim->self.host_pid);
    script__check(script, caller__read(path, text, sizeof(text)), path);
    victim->resident_bytes = kib_of(text, "\nRss:") << 10;
    victim->anon_resident_bytes = kib_of(text, "\nAnonymous:") << 10;
    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", victim->self.host_pid);
    script__check(script, caller__read(path, text, sizeof(text)), path);
    victim->locked_kib = kib_of(text, "\nVmLck:");
    victim->pagetable_kib = kib_of(text, "\nVmPTE:");
}

void victim__start(struct script *script)
{
    struct victim *victim = &script->victim;
    int ready[2];
    pid_t child;
    char byte;

    script__check(script, !pipe2(ready, O_CLOEXEC), "pipe2");
    child = fork();
    script__check(script, child >= 0, "fork");
    if (!child) {
        close(ready[0]);
        live(script, ready[1]);
    }
    victim->pid = child;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        _exit(1); /* the victim said why */
    close(ready[0]);
    look_at(script);
    victim->pidfd = (int)syscall(SYS_pidfd_open, victim->pid, 0);
    script__check(script, victim->pidfd >= 0, "pidfd_open");
}

void victim__kill(struct script *script)
{
    const struct sched_param idle = { 0 }, first = { .sched_priority = 1 };
    int pidfd = script->victim.pidfd;

    sched_setscheduler(0, SCHED_FIFO, &first); /* until the victim may run */
    sched_setscheduler(script->victim.pid, SCHED_IDLE, &idle);
    script__check(script, !syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), "killing");
}

void victim__await_death(struct script *script)
{
    const struct sched_param normal = { 0 };
    siginfo_t info;
    int err;

    sched_setscheduler(0, SCHED_OTHER, &normal);
    sched_setscheduler(script->victim.pid, SCHED_OTHER, &normal);
    do
        err = waitid(P_PIDFD, (id_t)script->victim.pidfd, &info, WEXITED | WNOWAIT);
    while (err && errno == EINTR);
    script__check(script, !err, "waitid");
}

void victim__bury(struct script *script)
{
    victim__await_death(script);
    if (script->victim.sharer)
        kill(script->victim.sharer, SIGKILL); /* it may not have got so far as to die by itself */
    script->victim.sharer = 0;
    script__check(script, waitpid(script->victim.pid, NULL, 0) > 0, "waitpid");
    close(script->victim.pidfd);
}

void victim__release(struct script *script)
{
    for (int i = 0; i < TRIES; i++) {
        struct call *call;

        victim__start(script);
        script->last_moment = victim__kill;
        call = script__call(script, "process_mrelease", (uint64_t)script->victim.pidfd, 0, 0);
        if (!call->result)
            return;
        errno = (int)-call->result;
        script__check(script, call->result == -ESRCH, "process_mrelease");
        victim__bury(script);
    }
    script__fail(script, "no victim could be released");
}

int victim__hold_dying(pid_t *ret_pid)
{
    pid_t child = fork();
    int status;

    if (!child) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child ||
        ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) ||
        ptrace(PTRACE_CONT, child, NULL, NULL) || waitpid(child, &status, 0) != child)
        return -1;
    *ret_pid = child;
    return (int)syscall(SYS_pidfd_open, child, 0);
}
