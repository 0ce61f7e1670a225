/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Extras: what Tracee's JSON cannot say, as further arguments after Tracee's own. Off unless asked
 * for by name, so that a strict dialect stays strict.
 */
#ifndef MRELEASE_EXTRA_H
#define MRELEASE_EXTRA_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/event.h>

MRL_BEGIN_DECLARATIONS

enum { MRL_EXTRA_FIELDS_MAX = 16 };

/** An extra: fields, and how to compute them. Static. */
struct mrl_extra {
    const char *name;
    /** One sentence. */
    const char *doc;
    const struct mrl_field *fields;
    unsigned int field_count; /**< at most MRL_EXTRA_FIELDS_MAX; 0: compute is NULL */
    /** Set of table indices: the events behind whose arguments it is put. */
    uint32_t events;
    /** Bits that make the probes look for it: for mrl_extras__needs(). */
    uint32_t needs;
    /** Fills executable.path of the JSON objects that leave it empty otherwise. */
    bool fills_executable;
    /** Fills one zeroed value per field; texts are borrowed from the event. Allocates nothing. */
    void (*compute)(const struct mrl_event *event, struct mrl_value *values);
};

/** The known extras. The bit of an extra in a set is its index here. */
const struct mrl_extra *mrl_extra__all(unsigned int *ret_count);

/** The name of the extra at `index`; NULL after the last. */
const char *mrl_extra__name(unsigned int index);

/** Whether the extra is put behind the arguments of this event. */
bool mrl_extra__fits(const struct mrl_extra *extra, const struct mrl_event_def *def);

/** What a set of extras wants the probes to look for: mrl_extra.needs of each. */
uint32_t mrl_extras__needs(uint32_t extras);

/** Parses names separated by commas. Error: -EINVAL, with the nearest word. */
int mrl_extras__parse(const char *list, uint32_t *ret_extras, struct mrl_error *error);

MRL_END_DECLARATIONS

#endif
