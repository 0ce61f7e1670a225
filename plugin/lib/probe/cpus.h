/* SPDX-License-Identifier: Apache-2.0 */
/* Where each CPU keeps its part of the kernel's per-CPU variables. */
#ifndef MRL_PROBE_CPUS_H
#define MRL_PROBE_CPUS_H

#include <abi/record.h>
#include <stdint.h>

struct mrl_cpus {
    uint32_t count;                 /* of possible CPUs; 0: not known */
    uint64_t offsets[MRL_CPUS_MAX]; /* from the address of a variable to each CPU's part */
};

/**
 * Asks the kernel, by a small program of its own that runs once. Where that is refused, or there
 * are too many CPUs, `cpus` is left alone: counters are approximate then. Takes some 15 ms. libbpf
 * may say why: its print function is the caller's.
 */
void mrl_cpus__find(struct mrl_cpus *cpus);

#endif
