/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on their way to an output, and the gaps between them. */
#ifndef MRL_DELIVER_GAP_H
#define MRL_DELIVER_GAP_H

#include <stdint.h>

#include "event/lost.h"

/** What is known of a line without reading it; or, with `lost`, of lines that are missing here. */
struct mrl_line {
    uint32_t size;
    uint16_t event;   /* table index */
    uint16_t cause;   /* of a gap: enum mrl_cause */
    uint64_t time_ns; /* of a gap: where it begins */
    uint64_t lost;    /* 0: a line. Else size is 0, and so many of `event` are missing */
    uint64_t last_ns; /* of a gap: where it ends */
};

/** How many of an event are missing for one cause, and between which times (ns since the epoch). */
struct mrl_missing {
    uint64_t count, from_ns, to_ns;
};

/** Events that are missing at one place of the stream. Zeroed is none. */
struct mrl_gap {
    uint64_t total;
    struct mrl_missing of[MRL_CAUSE_COUNT][MRL_EVENT_COUNT];
};

/** Adds a line that is lost for `cause`, or the gap that it stands for, to a gap. */
void mrl_gap__add(struct mrl_gap *gap, const struct mrl_line *line, enum mrl_cause cause);

/** Adds `other` to `gap` and empties it. */
void mrl_gap__merge(struct mrl_gap *gap, struct mrl_gap *other);

#endif
