/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes of the maps, before the probes are loaded. */
#ifndef MRL_PROBE_SIZES_H
#define MRL_PROBE_SIZES_H

#include "probe/options.h"
#include "probe/probes.h"

/** Sizes every map of an object that was opened and not yet loaded. -errno: the number of CPUs is
 * not known. */
int mrl_probes__size_maps(struct mrl_probes *probes, const struct mrl_probe_options *options);

#endif
