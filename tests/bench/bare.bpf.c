// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The peer of the probes: programs on the same hooks that do nothing. What they cost is the price
 * of the attachment itself; the rest is what our programs add to a call that they do not watch.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#if defined(__TARGET_ARCH_x86)
#    define FUNCTION "__x64_sys_process_mrelease"
#elif defined(__TARGET_ARCH_arm64)
#    define FUNCTION "__arm64_sys_process_mrelease"
#endif

/* As the map of the cgroups that were told, and a look into it (bpf/programs/identity.h). */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64[2]);
    __type(value, __u8);
} known_cgroups SEC(".maps");

__u32 found;

SEC("syscall")
int look_up__cgroups(void *ctx)
{
    for (__u64 i = 0; i < 1024; i++) {
        const __u64 key[2] = { i, 0 };

        if (bpf_map_lookup_elem(&known_cgroups, key))
            found++;
    }
    return 0;
}

SEC("fentry/" FUNCTION)
int fentry__sys_enter(void *ctx)
{
    return 0;
}

SEC("fexit/" FUNCTION)
int fentry__sys_exit(void *ctx)
{
    return 0;
}

SEC("kprobe/" FUNCTION)
int kprobe__sys_enter(void *ctx)
{
    return 0;
}

SEC("kretprobe/" FUNCTION)
int kprobe__sys_exit(void *ctx)
{
    return 0;
}

SEC("tp_btf/sys_enter")
int tp_btf__sys_enter(void *ctx)
{
    return 0;
}

SEC("tp_btf/sys_exit")
int tp_btf__sys_exit(void *ctx)
{
    return 0;
}

SEC("raw_tp/sys_enter")
int raw_tp__sys_enter(void *ctx)
{
    return 0;
}

SEC("raw_tp/sys_exit")
int raw_tp__sys_exit(void *ctx)
{
    return 0;
}

SEC("tracepoint/syscalls/sys_enter_process_mrelease")
int tracepoint__sys_enter(void *ctx)
{
    return 0;
}

SEC("tracepoint/syscalls/sys_exit_process_mrelease")
int tracepoint__sys_exit(void *ctx)
{
    return 0;
}
