/* SPDX-License-Identifier: Apache-2.0 */
/* This host: its clock, and its containers by their cgroups. */
#ifndef MRL_ENRICH_HOST_H
#define MRL_ENRICH_HOST_H

#include "event/host.h"

/** Reads this host. Error: -ENOMEM. */
int mrl_host__init(struct mrl_host *host);

/** Frees what init made; a zeroed host is allowed. */
void mrl_host__done(struct mrl_host *host);

#endif
