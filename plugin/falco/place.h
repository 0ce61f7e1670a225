/* SPDX-License-Identifier: Apache-2.0 */
/* Where an event holds a field: among its own arguments, or among those of an extra. */
#ifndef MRL_FALCO_PLACE_H
#define MRL_FALCO_PLACE_H

#include <mrelease/extra.h>

/** Zeroed is no place. */
struct mrl_place_of_field {
    const struct mrl_field *field;
    const struct mrl_extra *extra; /* NULL: an argument of the event itself */
    unsigned int index;            /* among the fields of either */
};

/** Looks for a field by its name. Returns whether events of `def` have it. */
bool mrl_place_of_field__find(const struct mrl_event_def *def,
                              const char *name,
                              struct mrl_place_of_field *ret_place);

/** Reads the value at a place. Returns false for one that is absent. */
bool mrl_place_of_field__read(const struct mrl_place_of_field *place,
                              const struct mrl_event *event,
                              struct mrl_value *ret_value);

#endif
