// SPDX-License-Identifier: Apache-2.0
/* A gap in the stream, as an event. It names no task: the strict keys hold 0 and "". */
#include "core/lost.h"

#include <assert.h>

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
        .values = values,
    };
}
