// SPDX-License-Identifier: Apache-2.0
/* Calls of our own. */
#include "sources/proof.h"

#include <errno.h>
#include <mrelease/event.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef void (*call_fn)(const struct mrl_event_def *event, uint64_t cookie);

/* -1 is no pidfd, no flags and no range to any of the calls; munlockall asks for nothing. */
static void call_native(const struct mrl_event_def *event, uint64_t cookie)
{
    syscall(event->id, -1L, -1L, -1L, -1L, -1L, cookie);
}

#if defined(__x86_64__)
/*
 * An address in the last page of 32 bits that is no pidfd, nor flags of mlockall; 0 bytes, which
 * the calls take for nothing to do, or no flags; and flags that mlock2 has not. The stack pointer
 * steps over what the compiler may keep below it. r8 to r11 come back changed.
 */
static void make_compat_call(const struct mrl_event_def *event, uint64_t cookie)
{
    long number = event->nr_i386;
    uint64_t address = 0xfffff000, fifth = cookie >> 32, sixth = (uint32_t)cookie;

    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "push %%rbp\n\t"
                     "mov %[sixth], %%rbp\n\t"
                     "int $0x80\n\t"
                     "pop %%rbp\n\t"
                     "lea 128(%%rsp), %%rsp"
                     : "+a"(number)
                     : "b"(address), "c"(0UL), "d"(0xffffffffUL), "S"(0UL),
                       "D"(fifth), [sixth] "r"(sixth)
                     : "memory", "cc", "r8", "r9", "r10", "r11");
}
static const call_fn call_compat = make_compat_call;
#else
static const call_fn call_compat = NULL; /* arm64 has no way from a 64-bit process */
#endif

static void make_calls(uint32_t events, uint64_t cookie, call_fn call)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_def__at(i)->is_syscall && (events & (1U << i)))
            call(mrl_event_def__at(i), cookie);
}

/* A machine without 32-bit calls kills whoever tries one, and a filter may: quietly, please. */
static bool call_in_child(uint32_t events, uint64_t cookie, call_fn call, int *ret_status)
{
    /* As fork(), but without the handlers of the embedding program and without SIGCHLD for it. */
    pid_t child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, NULL);

    if (!child) {
        prctl(PR_SET_DUMPABLE, 0);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGILL, SIG_DFL);
        signal(SIGSYS, SIG_DFL);
        make_calls(events, cookie, call);
        syscall(SYS_exit_group, 0);
    }
    while (child > 0 && waitpid(child, ret_status, __WALL) < 0)
        if (errno != EINTR)
            return false;
    return child > 0;
}

int mrl_proof__call(uint32_t events, uint64_t cookie)
{
    int status;

    if (!call_in_child(events, cookie, call_native, &status))
        return -errno;
    if (!WIFEXITED(status))
        return -ECHILD;
    if (!call_compat)
        return 1;
    if (!call_in_child(events, cookie, call_compat, &status))
        return -errno;
    return WIFEXITED(status) ? 2 : 1;
}
