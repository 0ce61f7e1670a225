/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the frames of a capture say: the host and its containers, records, gaps, the end. Frames go
 * in one after the other, events come out. One thread, but for counts().
 */
#ifndef MRL_READ_RECORDED_H
#define MRL_READ_RECORDED_H

#include <mrelease/plugin.h>

#include "enrich/containers.h"
#include "event/batch.h"
#include "event/capture_format.h"
#include "event/host.h"
#include "filter/filter.h"

/** Zeroed but for `events` and `filter` is a valid start; must not be copied afterwards. */
struct mrl_recorded {
    uint32_t events;                 /* those that are wanted, a bit per table index */
    const struct mrl_filter *filter; /* of these, which; borrowed, NULL: all */
    bool has_host, has_end;
    struct mrl_policies *policies; /* as the recorder had them; NULL: one, without a name */
    struct mrl_host host;
    struct mrl_containers containers;
    struct mrl_frame_end totals;                     /* of the frames so far */
    struct mrl_event_counts counts[MRL_EVENT_COUNT]; /* as the recorder had them */
};

/**
 * Takes a frame, whose payload must be aligned to 8, and appends what is wanted of it to `batch`,
 * which must have room for an event; for MRL_FRAME_HOST and MRL_FRAME_POLICY it must be empty,
 * since a batch is of one host and of few lists of policies. Errors: -EBADMSG no recorder would
 * write this; -ENOMEM.
 */
int mrl_recorded__take(struct mrl_recorded *recorded,
                       const struct mrl_frame *frame,
                       struct mrl_batch *batch,
                       struct mrl_error *error);

/** Counts of an event. Any thread. */
struct mrl_event_counts mrl_recorded__counts(const struct mrl_recorded *recorded,
                                             unsigned int event);

/** Frees what it remembers. */
void mrl_recorded__done(struct mrl_recorded *recorded);

#endif
