/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line is entitled to in a queue that has to drop: the rules of the kernel's ring
 * (abi/share.h, docs/limits.md), and who lost most. Asked only where something has to go. Of the
 * thread that fills the queue.
 */
#ifndef MRL_DELIVER_SHARES_H
#define MRL_DELIVER_SHARES_H

#include <mrelease/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "deliver/gap.h"

enum { MRL_OWNERS = 256 };

/** Where the latest call of each owner came from, as far as they do not meet in the table. Zeroed:
 * of nobody. */
struct mrl_callers {
    struct mrl_caller {
        bool is_known;
        uint32_t uid;
        struct mrl_culprit latest; /* its count is 0 */
    } of[MRL_OWNERS];
};

/** Whose event it is, and what it released, as the record says it; of one without a record: 0. */
struct mrl_share mrl_share__of(const struct mrl_event *event);

/** Notes where an event came from, whose share is `share`. */
void mrl_callers__note(struct mrl_callers *callers,
                       const struct mrl_share *share,
                       const struct mrl_event *event);

struct mrl_shares_tables;

struct mrl_shares {
    const struct mrl_callers *callers; /* borrowed; NULL: then nobody is to blame */
    struct mrl_shares_tables *tables;
    uint64_t seed;
    int64_t now_ns; /* of this push, CLOCK_MONOTONIC; 0: nobody has asked yet */
    /* Who lost most of an event is decided every 100 ms, by what was counted in them. */
    int64_t window_ns; /* began then */
    uint32_t window;
    bool has_news; /* something was dropped since mrl_shares__name() */
    struct {
        bool is_known, is_worst_known;
        uint32_t most, worst_uid; /* of this window */
        uint32_t uid;             /* of the last one */
    } of[MRL_EVENT_COUNT];
};

/** Error: -ENOMEM. */
int mrl_shares__init(struct mrl_shares *shares);

/** Zeroed is allowed. */
void mrl_shares__done(struct mrl_shares *shares);

/** A push begins. */
static inline void mrl_shares__begin(struct mrl_shares *shares)
{
    shares->now_ns = 0;
}

/**
 * Whether a line is let in where little room is left: a first release is, and so is a line for
 * which its owner has a token. `last`: next to none is left; then only a first release is let in,
 * and its owner must have a token of a second kind. A sensor_state always is, the mlock family
 * never. A release that was let in is no first one any more.
 */
bool mrl_shares__admit(struct mrl_shares *shares, const struct mrl_line *line, bool last);

/** A line was dropped. */
void mrl_shares__blame(struct mrl_shares *shares, const struct mrl_line *line);

/** Says of each event who lost most of it of late, where something was dropped since the last time
 * and that is known. Returns whether something was. */
bool mrl_shares__name(struct mrl_shares *shares, struct mrl_blame by[MRL_EVENT_COUNT]);

#endif
