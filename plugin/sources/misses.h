/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of probes that the kernel left out, as it counts them itself. */
#ifndef MRL_SOURCES_MISSES_H
#define MRL_SOURCES_MISSES_H

#include <stdint.h>

#include <bpf/libbpf.h>

/** Of a loaded program: it was running on that CPU already. Errors: -errno of bpf(). */
int mrl_misses__of_program(const struct bpf_program *program, uint64_t *ret_missed);

/**
 * Of a link to a kprobe or kretprobe: it was hit within another one, or had no room for one more
 * call. 0 where the kernel does not say (before 6.7), and for links of other kinds.
 */
uint64_t mrl_misses__of_link(const struct bpf_link *link);

#endif
