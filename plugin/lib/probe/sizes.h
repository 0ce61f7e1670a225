/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes of the maps, before the probes are loaded. */
#ifndef MRL_PROBE_SIZES_H
#define MRL_PROBE_SIZES_H

#include "probe/options.h"

struct mrelease_bpf;

/** Sizes every map of an object that was opened and not yet loaded; `syscalls`: bits of the calls
 * that may be watched. -errno: the number of CPUs is not known. */
int mrl_map_sizes__set(struct mrelease_bpf *object,
                       const struct mrl_probe_options *options,
                       uint32_t syscalls);

/** No table of the kernel's side has more entries: a power of two, or 0. Weak: a test that is
 * linked with the archive defines another one. */
extern unsigned int mrl_tables_max;

#endif
