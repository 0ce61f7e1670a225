/* SPDX-License-Identifier: Apache-2.0 */
/* Which metrics there are: one table, which collecting, packing and the documentation walk. */
#ifndef MRL_DELIVER_METRICS_FAMILIES_H
#define MRL_DELIVER_METRICS_FAMILIES_H

#include "deliver/metrics/family.h"

/** The table. Static. */
const struct mrl_metric_family *mrl_metric_families(unsigned int *ret_count);

#endif
