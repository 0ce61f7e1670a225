/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the values of a layout's fields lie (see mrelease/extra.h). An event's own are in
 * mrl_event.values. Those of the extras that its record tells are in mrl_event.extra_values: one
 * extra behind the other in the order of their table, whether they were asked for or not. What is
 * left are members of struct mrl_event.
 */
#ifndef MRL_EVENT_LAYOUT_H
#define MRL_EVENT_LAYOUT_H

#include <mrelease/extra.h>

#include "event/raw.h"

/** Indices of the extras. */
enum mrl_extra_index {
#define MRL_EXTRA(symbol, ...) MRL_EXTRA_##symbol,
#include <abi/extras.def>
};

/** The sources of the extra's fields, in their order. */
const struct mrl_from *mrl_extra__from(const struct mrl_extra *extra);

/** How many fields the extras of these bits of enum mrl_of have together. */
unsigned int mrl_extras__field_count(unsigned int of);

/** Looks for a field of an event or of an extra that fits it, by name. */
bool mrl_layout__find(const struct mrl_event_def *def,
                      const char *name,
                      struct mrl_layout_field *ret_field);

/** The value of a field that is a member of struct mrl_event. */
struct mrl_value mrl_layout__member(const struct mrl_layout_field *field,
                                    const struct mrl_event *event);

/** As mrl_layout__value(), without a call for most fields: each event is encoded with it. */
static inline struct mrl_value mrl_layout_value(const struct mrl_layout_field *field,
                                                const struct mrl_event *event)
{
    const struct mrl_value *values = field->extra ? event->extra_values : event->values;

    if (field->size)
        return mrl_layout__member(field, event);
    return values ? values[field->at] : (struct mrl_value){ .absent = true };
}

#endif
