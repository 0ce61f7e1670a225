// SPDX-License-Identifier: Apache-2.0
/* System calls by number. */
#include "trigger.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int64_t trigger__native(long number, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
    long result = syscall(number, arg0, arg1, arg2, 0L, 0L, 0L);

    return result == -1 ? -errno : result;
}

#if defined(__x86_64__)
/* The kernel hands r8 to r11 back changed. */
int64_t trigger__compat(long number, uint32_t arg0, uint32_t arg1, uint32_t arg2)
{
    int64_t result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"((uint64_t)arg0), "c"((uint64_t)arg1), "d"((uint64_t)arg2),
                       "S"(0UL), "D"(0UL)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int32_t)result;
}

/* getpid. A kernel without IA32 emulation ends the process, so a child asks. */
bool trigger__has_compat(void)
{
    enum { I386_GETPID = 20 };
    static int known = -1;

    if (known < 0) {
        pid_t child = fork();
        int status = 1;

        if (!child)
            _exit(trigger__compat(I386_GETPID, 0, 0, 0) == getpid() ? 0 : 1);
        waitpid(child, &status, 0);
        known = status == 0;
    }
    return known;
}
#else
int64_t trigger__compat(long number, uint32_t arg0, uint32_t arg1, uint32_t arg2)
{
    (void)number;
    (void)arg0;
    (void)arg1;
    (void)arg2;
    return -ENOSYS;
}

bool trigger__has_compat(void)
{
    return false;
}
#endif

bool trigger__has_x32(void)
{
    return syscall(SYS_getpid | X32_BIT) == getpid();
}

static bool filter_calls(long number, long other_number, uint32_t answer)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)other_number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof(instructions) / sizeof(instructions[0]), instructions };

    return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
           !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

bool trigger__block(long number, long other_number, int result)
{
    return filter_calls(number, other_number, SECCOMP_RET_ERRNO | (uint32_t)result);
}

bool trigger__block_deadly(long number, bool by_signal)
{
    return filter_calls(number, number, by_signal ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS);
}

#if defined(__x86_64__)
#    define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#    define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

bool trigger__block_foreign(void)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof(instructions) / sizeof(instructions[0]), instructions };

    return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
           !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
