// SPDX-License-Identifier: Apache-2.0
/* Gaps: sums of what is missing, by event and cause. */
#include "deliver/gap.h"

/* A span only widens: two gaps that become one are told as one that covers both. */
static void add_missing(struct mrl_missing *to, const struct mrl_missing *more)
{
    if (!to->count || more->from_ns < to->from_ns)
        to->from_ns = more->from_ns;
    if (!to->count || more->to_ns > to->to_ns)
        to->to_ns = more->to_ns;
    to->count += more->count;
}

void mrl_gap__add(struct mrl_gap *gap, const struct mrl_line *line, enum mrl_cause cause)
{
    struct mrl_missing more = { 1, line->time_ns, line->time_ns };

    if (line->lost) {
        more = (struct mrl_missing){ line->lost, line->time_ns, line->last_ns };
        cause = (enum mrl_cause)line->cause;
    }
    add_missing(&gap->of[cause][line->event], &more);
    gap->total += more.count;
}

void mrl_gap__merge(struct mrl_gap *gap, struct mrl_gap *other)
{
    if (!other->total)
        return;
    for (unsigned int cause = 0; cause < MRL_CAUSE_GAPS; cause++)
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
            if (other->of[cause][event].count)
                add_missing(&gap->of[cause][event], &other->of[cause][event]);
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        if (other->by[event].is_known)
            gap->by[event] = other->by[event];
    gap->total += other->total;
    *other = (struct mrl_gap){ 0 };
}
