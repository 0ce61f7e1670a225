/* SPDX-License-Identifier: Apache-2.0 */
/* The values that an event has for an extra, whichever fit it. */
#ifndef MRL_TEST_EXTRAS_H
#define MRL_TEST_EXTRAS_H

#include <mrelease/extra.h>

/** Fills one value per field of the extra, which must fit the event. */
static inline void test_extra__values(const struct mrl_extra *extra,
                                      const struct mrl_event *event,
                                      struct mrl_value values[MRL_EXTRA_FIELDS_MAX])
{
    struct mrl_layout layout;
    unsigned int count = 0;

    mrl_layout__make(event->def, UINT32_MAX, &layout);
    for (unsigned int i = layout.own_count; i < layout.count; i++)
        if (layout.fields[i].extra == extra)
            values[count++] = mrl_layout__value(&layout.fields[i], event);
}

#endif
