/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Extras: what Tracee's JSON cannot say, as further arguments after Tracee's own. Off unless asked
 * for by name, so that a strict dialect stays strict. And layouts: all fields of an event, extras
 * included, in the order of a line.
 */
#ifndef MRELEASE_EXTRA_H
#define MRELEASE_EXTRA_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/event.h>

MRL_BEGIN_DECLARATIONS

enum { MRL_EXTRA_FIELDS_MAX = 16, MRL_LAYOUT_FIELDS_MAX = 72 };

/** An extra: one row of bpf/abi/extras.def. Static. */
struct mrl_extra {
    const char *name;
    /** One sentence. */
    const char *doc;
    const struct mrl_field *fields;
    unsigned int field_count; /**< at most MRL_EXTRA_FIELDS_MAX */
    /** A bit of enum mrl_of: it fits the events that have it. */
    unsigned int of;
    /** Bits that make the probes look for it: for mrl_extras__needs(). */
    uint32_t needs;
    /** Fills executable.path of the JSON objects that leave it empty otherwise. */
    bool fills_executable;
    /** Who prints it wants sensor_state as well: without a start and an end, numbers prove nothing.
     */
    bool takes_states;
};

/** The known extras. The bit of an extra in a set is its index here. */
const struct mrl_extra *mrl_extra__all(unsigned int *ret_count);

/** The name of the extra at `index`; NULL after the last. */
const char *mrl_extra__name(unsigned int index);

/** Whether the extra is put behind the arguments of this event. */
bool mrl_extra__fits(const struct mrl_extra *extra, const struct mrl_event_def *def);

/** What a set of extras wants the probes to look for: mrl_extra.needs of each. */
uint32_t mrl_extras__needs(uint32_t extras);

/** Whether any of a set of extras has mrl_extra.fills_executable. */
bool mrl_extras__fill_executable(uint32_t extras);

/** Whether any of a set of extras has mrl_extra.takes_states: for mrl_plugin_options.states. */
bool mrl_extras__take_states(uint32_t extras);

/** Parses names separated by commas. Error: -EINVAL, with the nearest word. */
int mrl_extras__parse(const char *list, uint32_t *ret_extras, struct mrl_error *error);

/** A field in a layout. */
struct mrl_layout_field {
    const struct mrl_field *field;
    const struct mrl_extra *extra; /**< NULL: of the event itself */
    unsigned int at, size;         /**< where its value lies: for mrl_layout__value() */
};

/** The fields of an event in the order of a line: its own, then those of each extra that fits. */
struct mrl_layout {
    unsigned int own_count, count;
    struct mrl_layout_field fields[MRL_LAYOUT_FIELDS_MAX];
};

/** Lays out an event with a set of extras. */
void mrl_layout__make(const struct mrl_event_def *def,
                      uint32_t extras,
                      struct mrl_layout *ret_layout);

/**
 * The value that an event of the layout's definition has for the field; absent also where its
 * source did not look for that extra. Texts are borrowed from the event.
 */
struct mrl_value mrl_layout__value(const struct mrl_layout_field *field,
                                   const struct mrl_event *event);

MRL_END_DECLARATIONS

#endif
