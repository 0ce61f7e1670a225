/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the events of a call are wanted, by the configuration that its exit found. */
#ifndef MRL_PROGRAMS_JUDGE_H
#define MRL_PROGRAMS_JUDGE_H

#include "emit.h"
#include "lib/config.h"
#include "lib/scope.h"
#include "watched.h"

/* The policies that want the event of this call. Without rules only the first is asked. */
static __always_inline __u64 judge(const struct mrl_config *config,
                                   int event,
                                   const struct mrl_record *record)
{
    __u64 policies = wanted_by(config, event);

    if (!policies)
        return 0;
    if (config->rules.count || config->rules.name_count)
        policies = policies_left(config, record, event, policies);
    if (!policies)
        count_filtered(event);
    return policies;
}

#endif
