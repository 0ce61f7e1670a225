/* SPDX-License-Identifier: Apache-2.0 */
/* What there is now, so that it can be told later what is new. */
#ifndef MRL_ENRICH_START_H
#define MRL_ENRICH_START_H

#include "filter/filter.h"

/** Reads it; what cannot be read is 0. Blocks while the tree of cgroups is walked. */
void mrl_start__read(struct mrl_start *ret_start);

#endif
