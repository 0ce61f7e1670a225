/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be told of an event, by name: its fields, and the rows of told.def. A value is known, or
 * it is not, or there is none: a shape must not take the second for the third.
 */
#ifndef MRL_SHAPE_TOLD_H
#define MRL_SHAPE_TOLD_H

#include <mrelease/encode.h>
#include <mrelease/extra.h>
#include <string.h>

#include "encode/writer.h"

enum mrl_known { MRL_KNOWN, MRL_UNKNOWN, MRL_NONE };

/** When a value is known: see told.def. */
enum mrl_told_when { MRL_TOLD_ONCE, MRL_TOLD_TASK, MRL_TOLD_EVENT };

struct mrl_sentence;

enum { MRL_TOLD_SCRATCH_BYTES = MRL_POLICY_NAMES_MAX + MRL_POLICIES_MAX };

/** Who is asked for values. */
struct mrl_telling {
    const struct mrl_event_def *def;
    const struct mrl_event *event;        /* NULL: only what is known ONCE can be asked */
    const struct mrl_host_identity *host; /* NULL: not known */
    const struct mrl_sentence *sentence;  /* of `def`, and who says it (shape/sentence.h) */
    struct mrl_text (*say)(struct mrl_telling *telling);
    char scratch[MRL_TOLD_SCRATCH_BYTES]; /* texts that are computed: valid until the next one */
};

/** Something that can be told of the events of one definition. */
struct mrl_told {
    const struct mrl_field *field; /* its name, kind and doc */
    enum mrl_told_when when;
    bool may_lack;                 /* there may be none */
    struct mrl_layout_field place; /* unless there is `tell` */
    enum mrl_known (*tell)(struct mrl_telling *telling, struct mrl_value *value);
};

/** Looks for a row of told.def that events of `def` have, and then for a field of `layout`. */
bool mrl_told__find(const struct mrl_event_def *def,
                    const struct mrl_layout *layout,
                    const char *name,
                    struct mrl_told *ret_told);

/** What a field of a layout tells. */
struct mrl_told mrl_told__of_field(const struct mrl_layout_field *place);

/** The value; set only where it is known. */
enum mrl_known mrl_told__value(const struct mrl_told *told,
                               struct mrl_telling *telling,
                               struct mrl_value *value);

/** The value of a member of struct mrl_event. */
static inline void mrl_told_member(const struct mrl_layout_field *place,
                                   const struct mrl_event *event,
                                   struct mrl_value *value)
{
    const char *at = (const char *)event + place->at;
    uint32_t word;
    uint16_t half;

    value->absent = false;
    switch (place->size) { /* each a load, where a size that is not known is a call */
    case sizeof(uint16_t):
        memcpy(&half, at, sizeof(half));
        value->unsigned_number = half;
        break;
    case sizeof(uint32_t):
        memcpy(&word, at, sizeof(word));
        value->unsigned_number = word;
        break;
    case sizeof(uint64_t):
        memcpy(&value->unsigned_number, at, sizeof(value->unsigned_number));
        break;
    default:
        memcpy(&value->text, at, sizeof(value->text));
        value->absent = !value->text.bytes;
    }
}

/** As mrl_told__value(), for whoever asks for many: `*ret_value` is `room`, or where the value lies
 * in the event. */
static inline enum mrl_known mrl_told_look(const struct mrl_told *told,
                                           struct mrl_telling *telling,
                                           struct mrl_value *room,
                                           const struct mrl_value **ret_value)
{
    const struct mrl_event *event = telling->event;
    const struct mrl_value *values;

    *ret_value = room;
    if (told->tell)
        return told->tell(telling, room);
    if (told->place.size) {
        mrl_told_member(&told->place, event, room);
    } else {
        values = told->place.extra ? event->extra_values : event->values;
        if (!values)
            return MRL_UNKNOWN;
        *ret_value = &values[told->place.at];
    }
    return (*ret_value)->absent ? MRL_UNKNOWN : MRL_KNOWN;
}

/** The rows of told.def, for documentation; NULL after the last. */
const struct mrl_field *mrl_told__field(unsigned int index);

#endif
