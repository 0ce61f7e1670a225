/* SPDX-License-Identifier: Apache-2.0 */
/* The probe ladder: choosing a rung by trying it. */
#ifndef MRL_PROBE_LADDER_H
#define MRL_PROBE_LADDER_H

#include "probe/probes.h"

/**
 * Tries the rungs that fit `options`, the lowest tax first, and keeps the first that works. Errors:
 * -EPERM with the missing capabilities, -ENOSYS the system call or BTF is missing, -EOPNOTSUPP with
 * each rung's reason; -ENOMEM ends the climb.
 */
int mrl_ladder__climb(const struct mrl_probe_options *options,
                      bool cgroup_v1,
                      struct mrl_error *error,
                      struct mrl_probes *ret_probes);

/** Whether the kernel knows the flag PROCESS_MRELEASE_REAP_KILL, by its answer, -errno, to a call
 * with that flag and no descriptor. EINVAL: it does not, or it would have got as far as EBADF. */
bool mrl_ladder__knows_reap_kill(int answer);

/** mrl_probes__configure(), with a line in `error`, and without a word of libbpf's. */
int mrl_ladder__configure(struct mrl_probes *probes,
                          uint32_t events,
                          const struct mrl_filter *filter,
                          struct mrl_error *error);

#endif
