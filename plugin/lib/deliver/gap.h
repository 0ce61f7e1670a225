/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on their way to an output, and the gaps between them. */
#ifndef MRL_DELIVER_GAP_H
#define MRL_DELIVER_GAP_H

#include <abi/share.h>
#include <stdint.h>

#include "event/lost.h"

/** An entry beside the bytes: a line, or a gap, which stands for lines that are missing here. */
struct mrl_line {
    uint32_t size;    /* of the line in bytes; of a gap 0 */
    uint16_t event;   /* table index */
    uint16_t cause;   /* of a gap: enum mrl_cause */
    uint64_t time_ns; /* of the event; of a gap: of its first */
    uint64_t lost;    /* of a gap: how many of `event` are missing; 0: it is a line */
    union {
        uint64_t last_ns;       /* of a gap: of its last */
        struct mrl_share share; /* of a line: whose it is */
    };
};

/** How many of an event are missing for one cause, and the times of the first and the last, in ns
 * since the epoch. */
struct mrl_missing {
    uint64_t count, from_ns, to_ns;
};

/** Events that are missing at one place of the stream. Zeroed is none. */
struct mrl_gap {
    uint64_t total;
    struct mrl_missing of[MRL_CAUSE_GAPS][MRL_EVENT_COUNT];
    struct mrl_blame by[MRL_EVENT_COUNT]; /* of what the queue dropped, as it is known last */
};

/** Adds an entry to a gap: a line that is lost for `cause`; or a gap, which has its own cause. */
void mrl_gap__add(struct mrl_gap *gap, const struct mrl_line *line, enum mrl_cause cause);

/** Adds `other` to `gap` and empties it. */
void mrl_gap__merge(struct mrl_gap *gap, struct mrl_gap *other);

#endif
