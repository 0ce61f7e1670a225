/* SPDX-License-Identifier: Apache-2.0 */
/* The event events_lost: a gap in the stream, as an event. */
#ifndef MRL_CORE_LOST_H
#define MRL_CORE_LOST_H

#include "core/raw.h"

enum { MRL_LOST_FIELDS = 5 };

/** Makes the event of a gap. `values` holds its fields; both are borrowed by `*ret_event`. */
void mrl_lost__event(const struct mrl_lost *lost,
                     struct mrl_value values[MRL_LOST_FIELDS],
                     struct mrl_event *ret_event);

#endif
