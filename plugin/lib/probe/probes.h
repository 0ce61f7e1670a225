/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of one rung: an object that is opened anew, with only that rung's programs loaded. */
#ifndef MRL_PROBE_PROBES_H
#define MRL_PROBE_PROBES_H

#include "probe/attached.h"
#include "probe/options.h"

/** The system calls (bits of table indices) whose exit yields one of `events`. */
uint32_t mrl_probes__syscalls(uint32_t events);

/**
 * Loads, attaches and proves the probes of `rung`. On failure nothing is left, and `*ret_stage`
 * says where it failed: "load", "attach" or "proof". Errors: -errno of libbpf, -ENODATA the probes
 * did not see a call of our own, -ENOTUNIQ they saw it twice, -EACCES a seccomp filter refuses that
 * call to this process.
 */
int mrl_probes__open(const struct mrl_rung *rung,
                     const struct mrl_probe_options *options,
                     bool cgroup_v1,
                     const char **ret_stage,
                     struct mrl_probes *ret_probes);

/**
 * Watches these of the events that were loaded (options.may_watch) under this filter, and no
 * others: attaches and proves what is new, swaps the configuration, detaches what no event needs
 * any more. Each call is judged by one of the two configurations, at its exit. When it returns no
 * program runs with the old one, so no more records of it will be made. `probes->generation`
 * has risen by one. On failure all is as it was before. Errors: as mrl_probes__open().
 */
int mrl_probes__configure(struct mrl_probes *probes,
                          uint32_t events,
                          const struct mrl_filter *filter);

/** Makes calls of our own again, the native ones, and looks whether the probes see them: the system
 * calls (bits) of which three in a row were not seen. One that cannot be made, since a filter
 * refuses it, counts as seen. Blocks for some ms. */
uint32_t mrl_probes__find_unseen(struct mrl_probes *probes);

/** Detaches; when it returns, no program runs any more. Idempotent. */
void mrl_probes__detach(struct mrl_probes *probes);

/** Detaches and frees; zeroed probes are allowed. */
void mrl_probes__close(struct mrl_probes *probes);

/** Reads the kernel's counters of an event, one for each of the possible `cpus`. -errno of bpf().
 */
int mrl_probes__read_counters(const struct mrl_probes *probes,
                              unsigned int event,
                              struct mrl_event_counters *ret_counters,
                              unsigned int cpus);

/** Reads whose calls were lost, as far as it is remembered. -errno of bpf(). */
int mrl_probes__read_culprits(const struct mrl_probes *probes,
                              struct mrl_culprit_key ret_keys[MRL_CULPRITS_MAX],
                              struct mrl_culprit ret_culprits[MRL_CULPRITS_MAX],
                              unsigned int *ret_count);

/** How many runs of the probes the kernel left out, as far as it says. -errno of bpf(). */
int mrl_probes__missed(const struct mrl_probes *probes, uint64_t *ret_missed);

/** Sums the kernel's counters of an event over the CPUs; user space's stay 0. Errors: -ENOMEM,
 * -errno of bpf(). */
int mrl_probes__counters(const struct mrl_probes *probes,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts);

#endif
