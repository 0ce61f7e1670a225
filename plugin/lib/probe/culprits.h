/* SPDX-License-Identifier: Apache-2.0 */
/* Who caused most of what the kernel's side lost. The reader's thread. */
#ifndef MRL_PROBE_CULPRITS_H
#define MRL_PROBE_CULPRITS_H

#include "event/raw.h"
#include "probe/probes.h"

/** What the probes remember, as it was read last. */
struct mrl_culprits {
    const struct mrl_probes *probes;
    const struct mrl_probe_options *options; /* its log */
    unsigned int count;
    struct mrl_culprit_key keys[MRL_CULPRITS_MAX];
    struct mrl_culprit culprits[MRL_CULPRITS_MAX];
    /* Of each lane: who lost most between the last two reads. */
    bool is_known[MRL_LANE_COUNT];
    struct mrl_culprit_key worst_key[MRL_LANE_COUNT];
    struct mrl_culprit worst[MRL_LANE_COUNT];
    int64_t read_ns, logged_ns; /* CLOCK_MONOTONIC */
};

/** What the probes remember now, of up to MRL_CULPRITS_MAX owners: who of each lane lost most since
 * the last time is to blame from now on. */
void mrl_culprits__see(struct mrl_culprits *culprits,
                       const struct mrl_culprit_key *keys,
                       const struct mrl_culprit *now,
                       unsigned int count);

/** Adds to a loss in `lane` who caused most of it, where that is known, and says so in the log,
 * once in ten seconds. `culprits` is a struct mrl_culprits. */
void mrl_culprits__blame(void *culprits, unsigned int lane, struct mrl_lost *lost);

#endif
