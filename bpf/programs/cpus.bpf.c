// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where each CPU keeps its part of a per-CPU variable, as offsets from the variable's address. The
 * kernel's own table of them is visible to programs only with KALLSYMS_ALL, so they are learned
 * from a per-CPU map of ours: the kernel tells where each CPU's element is, and the map itself
 * holds the address that these are offsets from. Run once, by hand, before the probes are loaded.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "lib/features.h"
#include "lib/types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of which offsets are wanted; set before the load. */
const volatile __u32 cpus;

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} elements SEC(".maps");

/* Pointers go in, numbers come out: the verifier wants no arithmetic with those of its own. */
struct addresses {
    __u64 map;
    __u64 of_cpu[MRL_CPUS_MAX];
    __u32 found; /* CPUs */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct addresses);
} results SEC(".maps");

SEC("raw_tp")
int cpus__offsets(void *ctx)
{
    volatile struct addresses *addresses;
    struct bpf_array *array;
    __u32 first = 0;
    __u64 base;

    addresses = bpf_map_lookup_elem(&results, &first);
    if (!addresses)
        return 0;
    /* Through memory, as a pointer in and as a number out. In a register it would stay a pointer to
     * the verifier, which refuses to subtract one pointer from another. */
    *(void *volatile *)&addresses->map = &elements;
    array = (void *)addresses->map;
    base = (__u64)BPF_CORE_READ(array, pptrs[0]);
    if (!base)
        return 0;
    for (__u32 cpu = 0; cpu < MRL_CPUS_MAX && cpu < cpus; cpu++) {
        void *element = bpf_map_lookup_percpu_elem(&elements, &first, cpu);

        if (!element)
            return 0;
        *(void *volatile *)&addresses->of_cpu[cpu] = element;
        addresses->of_cpu[cpu] -= base;
    }
    /* User space may read this map: no address of the kernel stays there, only differences. */
    addresses->map = 0;
    addresses->found = cpus;
    return 0;
}
