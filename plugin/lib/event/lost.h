/* SPDX-License-Identifier: Apache-2.0 */
/* The event events_lost: a gap in the stream, as an event. */
#ifndef MRL_EVENT_LOST_H
#define MRL_EVENT_LOST_H

#include "event/batch.h"
#include "event/raw.h"

/** How many fields the row of events_lost has. */
#define MRL_LOST_FIELDS MRL_FIELDS_OF_EVENTS_LOST

/** Makes the event of a gap, whose `lost` it is. Gap and `values`, which holds its fields, are
 * borrowed by `*ret_event`. */
void mrl_lost__event(const struct mrl_lost *lost,
                     struct mrl_value values[MRL_LOST_FIELDS],
                     struct mrl_event *ret_event);

/** Appends the event of a gap to a batch, which must have room for it. */
void mrl_lost__append(const struct mrl_lost *lost, struct mrl_batch *batch);

enum {
    MRL_LOST_WHO_BYTES = 160,
    MRL_LOST_LOG_MS = 10000, /* the log says so no more often */
};

/** For the log: that events are lost, and who caused most of it, which must be known. Returns
 * `text`. */
const char *mrl_lost__who(const struct mrl_lost *lost, char text[MRL_LOST_WHO_BYTES]);

/** Name of the thread. Borrowed from `blame`. */
struct mrl_text mrl_blame__comm(const struct mrl_blame *blame);

#endif
