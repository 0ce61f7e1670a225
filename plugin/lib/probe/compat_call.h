/* SPDX-License-Identifier: Apache-2.0 */
/* The other ways into a system call on x86-64: the 32-bit entry, and the numbers of x32. Not for
 * arm64, where a 64-bit task has none. */
#ifndef MRL_PROBE_COMPAT_CALL_H
#define MRL_PROBE_COMPAT_CALL_H

#include <stdint.h>

#if defined(__x86_64__)
#    define MRL_HAS_COMPAT_CALL 1

enum { MRL_I386_GETPID = 20, MRL_X32_BIT = 0x40000000 };

/**
 * int $0x80. A kernel without IA32 emulation kills the caller (SIGSEGV), and a seccomp filter may.
 * The stack pointer steps over what the compiler may keep below it. r8 to r11 come back changed.
 */
static inline long mrl_compat_call(long number, const uint64_t args[6])
{
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "push %%rbp\n\t"
                     "mov %[sixth], %%rbp\n\t"
                     "int $0x80\n\t"
                     "pop %%rbp\n\t"
                     "lea 128(%%rsp), %%rsp"
                     : "+a"(number)
                     : "b"(args[0]), "c"(args[1]), "d"(args[2]), "S"(args[3]),
                       "D"(args[4]), [sixth] "r"(args[5])
                     : "memory", "cc", "r8", "r9", "r10", "r11");
    return number;
}
#else
#    define MRL_HAS_COMPAT_CALL 0
#endif

#endif
