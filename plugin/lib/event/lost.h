/* SPDX-License-Identifier: Apache-2.0 */
/* The event events_lost: a gap in the stream, as an event. */
#ifndef MRL_EVENT_LOST_H
#define MRL_EVENT_LOST_H

#include "event/batch.h"
#include "event/raw.h"

/** How many fields the row of events_lost has. */
#define F(kind, name, tags, from, doc) +1
#define MRL_SYSCALL_EVENT(symbol, ...)
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, doc, fields) \
    MRL_FIELDS_OF_##symbol = 0 fields,
enum mrl_fields_of_own_events {
#include <abi/events.def>
};
#undef F
#define MRL_LOST_FIELDS MRL_FIELDS_OF_EVENTS_LOST

/** Who lost events: causes of the kernel's side first, then those of an output. */
enum mrl_cause {
    MRL_CAUSE_RING_FULL,
    MRL_CAUSE_NO_MEMORY,
    MRL_CAUSE_MALFORMED,
    MRL_CAUSE_EXIT_MISSED,
    MRL_CAUSE_QUEUE_FULL,
    MRL_CAUSE_WRITE_FAILED,
    MRL_CAUSE_COUNT
};

/** What events_lost calls it. Static. */
struct mrl_text mrl_cause__name(enum mrl_cause cause);

/** Makes the event of a gap. `values` holds its fields; both are borrowed by `*ret_event`. */
void mrl_lost__event(const struct mrl_lost *lost,
                     struct mrl_value values[MRL_LOST_FIELDS],
                     struct mrl_event *ret_event);

/** Appends the event of a gap to a batch, which must have room for it: MRL_LOST_BYTES. */
void mrl_lost__append(const struct mrl_lost *lost, struct mrl_batch *batch);

enum { MRL_LOST_BYTES = sizeof(struct mrl_lost) + MRL_LOST_FIELDS * sizeof(struct mrl_value) };

/** Reads such an event back. Returns false for other events, and where it does not say what is
 * lost. */
bool mrl_lost__read(const struct mrl_event *event,
                    struct mrl_lost *ret_lost,
                    enum mrl_cause *ret_cause);

#endif
