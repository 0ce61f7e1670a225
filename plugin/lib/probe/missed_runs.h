/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of probes that the kernel left out, as it counts them itself. */
#ifndef MRL_PROBE_MISSED_RUNS_H
#define MRL_PROBE_MISSED_RUNS_H

#include <stdint.h>

#include <bpf/libbpf.h>

/** Of a loaded program: it was running on that CPU already. Errors: -errno of bpf(). */
int mrl_missed_runs__of_program(const struct bpf_program *program, uint64_t *ret_missed);

/**
 * Of a link to a kprobe or kretprobe: it was hit within another one, or had no room for one more
 * call. 0 where the kernel does not say (before 6.7), and for links of other kinds.
 */
uint64_t mrl_missed_runs__of_link(const struct bpf_link *link);

#endif
