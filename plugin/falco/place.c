// SPDX-License-Identifier: Apache-2.0
#include "falco/place.h"

#include <string.h>

static bool place_among(const struct mrl_field *fields,
                        unsigned int count,
                        const char *name,
                        struct mrl_place_of_field *ret_place)
{
    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(fields[i].name, name)) {
            ret_place->field = &fields[i];
            ret_place->index = i;
            return true;
        }
    return false;
}

bool mrl_place_of_field__find(const struct mrl_event_def *def,
                              const char *name,
                              struct mrl_place_of_field *ret_place)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    *ret_place = (struct mrl_place_of_field){ 0 };
    if (place_among(def->fields, def->field_count, name, ret_place))
        return true;
    for (unsigned int i = 0; i < count; i++) {
        ret_place->extra = &extras[i];
        if (mrl_extra__fits(&extras[i], def) &&
            place_among(extras[i].fields, extras[i].field_count, name, ret_place))
            return true;
    }
    return false;
}

bool mrl_place_of_field__read(const struct mrl_place_of_field *place,
                              const struct mrl_event *event,
                              struct mrl_value *ret_value)
{
    struct mrl_value values[MRL_EXTRA_FIELDS_MAX];

    if (!place->extra) {
        *ret_value = event->values[place->index];
    } else {
        memset(values, 0, sizeof(values));
        place->extra->compute(event, values);
        *ret_value = values[place->index];
    }
    return !ret_value->absent;
}
