/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: which event a system call is, and its arguments. The number alone does not say: 150 is
 * munlock for a 64-bit caller and mlock for a 32-bit one on x86, so the task's mode decides.
 */
#ifndef MRL_LIB_SYSCALL_H
#define MRL_LIB_SYSCALL_H

#include "abi/record.h"
#include "settings.h"
#include "types.h"

#if defined(__TARGET_ARCH_x86)
#    define MRL_TS_COMPAT 0x0002      /* arch/x86/include/asm/thread_info.h */
#    define MRL_X32_BIT   0x40000000L /* arch/x86/include/uapi/asm/unistd.h */
#elif defined(__TARGET_ARCH_arm64)
#    define MRL_TIF_32BIT (1UL << 22) /* arch/arm64/include/asm/thread_info.h */
#endif

/* Of a 64-bit task. On x86 an x32 number is that of the same call: these have one number in both
 * tables, and one function. Where the kernel has no x32, such a number is no call at all. */
static __always_inline int native_event(long number)
{
#if defined(__TARGET_ARCH_x86)
    if (settings.x32)
        number &= ~MRL_X32_BIT;
#endif
    switch (number) {
#if defined(__TARGET_ARCH_x86)
#    define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, ...) \
    case x86_64:                                                              \
        return MRL_EVENT_##symbol;
#else
#    define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, ...) \
    case arm64:                                                               \
        return MRL_EVENT_##symbol;
#endif
#define MRL_OWN_EVENT(...)
#include "abi/events.def"
    }
    return -1;
}

static __always_inline int compat_event(long number)
{
    switch (number) {
#if defined(__TARGET_ARCH_x86)
#    define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, ...) \
    case i386:                                                                \
        return MRL_EVENT_##symbol;
#else
#    define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, ...) \
    case arm:                                                                 \
        return MRL_EVENT_##symbol;
#endif
#define MRL_OWN_EVENT(...)
#include "abi/events.def"
    }
    return -1;
}

static __always_inline int event_lane(int event)
{
    switch (event) {
#define LANE_RARE MRL_LANE_RARE
#define LANE_BUSY MRL_LANE_BUSY
#define LANE_NONE MRL_LANE_NONE
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, ...)                                                          \
case MRL_EVENT_##symbol:                                                                      \
    return lane;
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, ...) \
case MRL_EVENT_##symbol:                                          \
    return lane;
#include "abi/events.def"
    }
    return MRL_LANE_NONE;
}

static __always_inline int event_reads(int event)
{
    switch (event) {
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, reads, ...)                                                   \
case MRL_EVENT_##symbol:                                                                      \
    return MRL_##reads;
#define MRL_OWN_EVENT(...)
#include "abi/events.def"
    }
    return MRL_READS_NOTHING;
}

static __always_inline bool task_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
    return task->thread_info.status & MRL_TS_COMPAT;
#else
    return task->thread_info.flags & MRL_TIF_32BIT;
#endif
}

static __always_inline void syscall_args(struct pt_regs *regs,
                                         bool compat,
                                         __u64 args[MRL_ARGS_MAX])
{
#if defined(__TARGET_ARCH_x86)
    /* A 32-bit call passes its arguments in other registers, of which only the lower halves
     * count. */
    args[0] = compat ? (__u32)regs->bx : regs->di;
    args[1] = compat ? (__u32)regs->cx : regs->si;
    args[2] = compat ? (__u32)regs->dx : regs->dx;
    args[3] = compat ? (__u32)regs->si : regs->r10;
    args[4] = compat ? (__u32)regs->di : regs->r8;
    args[5] = compat ? (__u32)regs->bp : regs->r9;
#else
    /* By the exit x0 holds the result; the kernel keeps the first argument apart from it. */
    args[0] = regs->orig_x0;
    for (int i = 1; i < MRL_ARGS_MAX; i++)
        args[i] = regs->user_regs.regs[i];
    if (compat)
        for (int i = 0; i < MRL_ARGS_MAX; i++)
            args[i] = (__u32)args[i];
#endif
}

static __always_inline long syscall_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    /* A 32-bit number may arrive with garbage above. Those of x32 keep bit 30: native_event(). */
    return (int)regs->orig_ax;
#else
    return regs->syscallno;
#endif
}

/* What a function returned, at its end. */
static __always_inline long function_result(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return regs->ax;
#else
    return regs->user_regs.regs[0];
#endif
}

#endif
