/* SPDX-License-Identifier: Apache-2.0 */
/* This host: its clock, and its containers by their cgroups. */
#ifndef MRL_ENRICH_HOST_H
#define MRL_ENRICH_HOST_H

#include "event/host.h"

/** Whether the probes number the cgroups of the first version. */
bool mrl_host__has_cgroup_v1(void);

/** Reads this host. Error: -ENOMEM. */
int mrl_host__init(struct mrl_host *host);

/** When the wall clock was set since the last look, follows it: times that are computed from now on
 * are by the new one. Returns by how many ns it was set, 0 when it was not. */
int64_t mrl_host__follow_clock(struct mrl_host *host);

/** A descriptor that can be read when the wall clock was set: for who waits. -1: errno says why. */
int mrl_host__open_clock(void);

/** Frees what init made; a zeroed host is allowed. */
void mrl_host__done(struct mrl_host *host);

#endif
