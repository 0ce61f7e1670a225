/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs of each rung, around call_enter() and call_exit(); included by mrelease.bpf.c alone.
 * A program is called <rung>__sys_enter or <rung>__sys_exit, and where there is one for each
 * function, then that function's name follows.
 */
#ifndef MRL_PROGRAMS_RUNGS_H
#define MRL_PROGRAMS_RUNGS_H

/*
 * Rungs fentry and kprobe: the functions of the chosen calls themselves. A function has one
 * argument, the caller's registers, with the number in it. The number is asked and not the
 * function: to a 32-bit caller it means another call, two entry points may be one function (a call
 * without arguments is, on x86), and x32 numbers come through the native function.
 */

static __always_inline int function_enter(struct pt_regs *regs, int event)
{
    long number = syscall_number(regs);

    /* Says to the compiler which event it is, which drops what the others need. */
    if (native_event(number) != event && compat_event(number) != event)
        return 0;
    return call_enter(regs, number);
}

static __always_inline int function_exit(struct pt_regs *regs, long ret, int event)
{
    long number = syscall_number(regs);

    if (native_event(number) != event && compat_event(number) != event)
        return 0;
    return call_exit(regs, number, ret, BY_FUNCTION);
}

/* A program of fentry has one target, so each function has its own: the native one of each call,
 * and on x86 the 32-bit one. */
#define MRL_FUNCTION_PROGRAMS(symbol, name)                               \
    SEC("fentry")                                                         \
    int BPF_PROG(fentry__sys_enter_##name, struct pt_regs *regs)          \
    {                                                                     \
        return function_enter(regs, MRL_EVENT_##symbol);                  \
    }                                                                     \
    SEC("fexit")                                                          \
    int BPF_PROG(fentry__sys_exit_##name, struct pt_regs *regs, long ret) \
    {                                                                     \
        return function_exit(regs, ret, MRL_EVENT_##symbol);              \
    }

#if defined(__TARGET_ARCH_x86)
#    define MRL_SYSCALL_EVENT(symbol, syscall, ...) \
        MRL_FUNCTION_PROGRAMS(symbol, syscall)      \
        MRL_FUNCTION_PROGRAMS(symbol, syscall##_compat)
#else
#    define MRL_SYSCALL_EVENT(symbol, syscall, ...) MRL_FUNCTION_PROGRAMS(symbol, syscall)
#endif
#define MRL_OWN_EVENT(...)
#include "abi/events.def"

/* The registers of a kprobe are the kernel's own; the caller's are where the task keeps them. */

SEC("kprobe")
int kprobe__sys_enter(void *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return call_enter(NULL, syscall_number(regs));
}

SEC("kretprobe")
int kprobe__sys_exit(struct pt_regs *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return call_exit(NULL, syscall_number(regs), function_result(ctx), BY_FUNCTION);
}

/* Rung tp_btf: the contexts are BTF pointers, followed directly. Its exit also stands beside
 * fentry and kprobe, for the calls that reach no function. */

SEC("tp_btf/sys_enter")
int BPF_PROG(tp_btf__sys_enter, struct pt_regs *regs, long number)
{
    return call_enter(regs, (int)number);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(tp_btf__sys_exit, struct pt_regs *regs, long ret)
{
    return call_exit(regs, syscall_number(regs), ret, BY_TRACEPOINT);
}

/* Rung raw_tp: the same tracepoints where a kernel offers no BTF attachment to them. */

SEC("raw_tp/sys_enter")
int raw_tp__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
    return call_enter(NULL, (int)ctx->args[1]);
}

SEC("raw_tp/sys_exit")
int raw_tp__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
    /*
     * ctx->args[0] is a plain number to the verifier. Since 6.2 a cast that costs nothing makes a
     * pointer of it; before, the task's registers, which are the same ones, cost two helpers.
     */
    struct pt_regs *regs =
        bpf_rdonly_cast
            ? bpf_rdonly_cast((void *)ctx->args[0], bpf_core_type_id_kernel(struct pt_regs))
            : (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return call_exit(NULL, syscall_number(regs), ctx->args[1], BY_TRACEPOINT);
}

/* Rung tracepoint: one pair of programs, attached to the pair of events of each chosen syscall. */

SEC("tracepoint")
int tracepoint__sys_enter(struct syscall_trace_enter *ctx)
{
    return call_enter(NULL, ctx->nr);
}

SEC("tracepoint")
int tracepoint__sys_exit(struct syscall_trace_exit *ctx)
{
    return call_exit(NULL, ctx->nr, ctx->ret, BY_TRACEPOINT);
}

#endif
