// SPDX-License-Identifier: Apache-2.0
/* A gap in the stream, as an event. It names no task: the strict keys hold 0 and "". */
#include "event/lost.h"

#include <assert.h>
#include <string.h>

static const char *const names[MRL_CAUSE_COUNT] = {
    [MRL_CAUSE_RING_FULL] = "ring_full",       [MRL_CAUSE_NO_MEMORY] = "no_memory",
    [MRL_CAUSE_MALFORMED] = "malformed",       [MRL_CAUSE_QUEUE_FULL] = "queue_full",
    [MRL_CAUSE_WRITE_FAILED] = "write_failed", [MRL_CAUSE_EXIT_MISSED] = "exit_missed",
};

/* The fields of the row in events.def. */
enum { EVENT, COUNT, CAUSE, FROM, TO };

struct mrl_text mrl_cause__name(enum mrl_cause cause)
{
    return (struct mrl_text){ names[cause], strlen(names[cause]) };
}

void mrl_lost__event(const struct mrl_lost *lost,
                     struct mrl_value values[MRL_LOST_FIELDS],
                     struct mrl_event *ret_event)
{
    const struct mrl_event_def *def = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    const struct mrl_from *from = mrl_event_def__from(MRL_EVENT_EVENTS_LOST);
    const struct mrl_raw raw = { .lost = lost };
    const struct mrl_text none = { "", 0 };

    assert(def->field_count == MRL_LOST_FIELDS);
    for (unsigned int i = 0; i < MRL_LOST_FIELDS; i++) {
        values[i] = (struct mrl_value){ .absent = false };
        from[i].compute(&raw, &values[i]);
    }
    *ret_event = (struct mrl_event){
        .def = def,
        .entry_ns = lost->to_ns,
        .exit_ns = lost->to_ns,
        .process_name = none,
        .host_name = none,
        .container_id = none,
        .executable = none,
        .values = values,
    };
}

void mrl_lost__append(const struct mrl_lost *lost, struct mrl_batch *batch)
{
    struct mrl_lost *copy = mrl_arena__take(&batch->arena, sizeof(*copy));
    struct mrl_value *values = mrl_arena__take(&batch->arena, MRL_LOST_FIELDS * sizeof(*values));

    assert(copy && values);
    *copy = *lost;
    mrl_lost__event(copy, values, &batch->events[batch->count++]);
}

static bool same(struct mrl_text text, const char *name)
{
    return text.size == strlen(name) && !memcmp(text.bytes, name, text.size);
}

bool mrl_lost__read(const struct mrl_event *event,
                    struct mrl_lost *ret_lost,
                    enum mrl_cause *ret_cause)
{
    const struct mrl_value *values = event->values;
    unsigned int cause = 0, index = 0;

    if (event->def->index != MRL_EVENT_EVENTS_LOST || values[EVENT].absent)
        return false;
    while (index < MRL_EVENT_COUNT && !same(values[EVENT].text, mrl_event_def__at(index)->name))
        index++;
    while (cause < MRL_CAUSE_COUNT && !same(values[CAUSE].text, names[cause]))
        cause++;
    if (index == MRL_EVENT_COUNT || cause == MRL_CAUSE_COUNT || !values[COUNT].unsigned_number)
        return false;
    *ret_lost = (struct mrl_lost){
        .event = mrl_event_def__at(index),
        .count = values[COUNT].unsigned_number,
        .cause = values[CAUSE].text,
        .from_ns = values[FROM].unsigned_number,
        .to_ns = values[TO].unsigned_number,
    };
    *ret_cause = (enum mrl_cause)cause;
    return true;
}
