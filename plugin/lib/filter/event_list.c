// SPDX-License-Identifier: Apache-2.0
/* A list of --events: names, sets, prefixes and exclusions become sets of table indices. */
#include <errno.h>
#include <string.h>

#include "filter/filter.h"

enum { TERM_BYTES = 64, SETS_MAX = 8, EVENTS_MAX = 32 };

uint32_t mrl_event_list__set(unsigned int set)
{
    uint32_t events = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_def__at(i)->sets & set)
            events |= 1U << i;
    return events;
}

static uint32_t events_of_set(const char *name, size_t size)
{
    for (unsigned int bit = 0; mrl_set_name(bit); bit++)
        if (strlen(mrl_set_name(bit)) == size && !memcmp(mrl_set_name(bit), name, size))
            return mrl_event_list__set(1U << bit);
    return 0;
}

/* A term is a name, a set, or a prefix and '*'. 0: no event is meant. What the sensor says of
 * itself is meant only by its whole name: whoever asks for all calls asks for calls. */
static uint32_t events_of_term(const char *term)
{
    size_t size = strlen(term);
    uint32_t events = 0;
    bool prefix = size && term[size - 1] == '*';

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const char *name = mrl_event_def__at(i)->name;

        if (prefix ? i != MRL_EVENT_SENSOR_STATE && !strncmp(name, term, size - 1)
                   : !strcmp(name, term))
            events |= 1U << i;
    }
    return prefix ? events : events | events_of_set(term, size);
}

/* events_lost is nobody's choice: it stands wherever events are missing. */
uint32_t mrl_event_list__choosable(void)
{
    uint32_t events = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (*mrl_event_def__at(i)->syscall)
            events |= 1U << i;
    return events;
}

uint32_t mrl_event_list__nameable(void)
{
    return mrl_event_list__choosable() | MRL_STATES;
}

static int unknown_term(const char *term, struct mrl_error *error)
{
    const char *words[EVENTS_MAX + SETS_MAX];
    unsigned int count = 0;

    if (events_of_term(term))
        return mrl_error__set(error, -EINVAL,
                              "'%.64s' cannot be chosen: it is in every stream that lacks events",
                              term);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_list__nameable() & (1U << i))
            words[count++] = mrl_event_def__at(i)->name;
    for (unsigned int bit = 0; mrl_set_name(bit); bit++)
        words[count++] = mrl_set_name(bit);
    return mrl_error__unknown(error, "event", term, words, count);
}

int mrl_event_list__add(const char *list, uint32_t *in, uint32_t *out, struct mrl_error *error)
{
    uint32_t events, *into;
    char term[TERM_BYTES];
    size_t size;

    for (const char *at = list;; at += size + 1) {
        size = strcspn(at, ",");
        if (!size || size >= sizeof(term) || (*at == '-' && size == 1))
            return mrl_error__set(error, -EINVAL,
                                  "'%.64s' is not a list of events, like 'process_mrelease,mlock*'",
                                  list);
        into = *at == '-' ? out : in;
        memcpy(term, at, size);
        term[size] = '\0';
        events = events_of_term(term + (into == out)) & mrl_event_list__nameable();
        if (!events)
            return unknown_term(term + (into == out), error);
        *into |= events;
        if (!at[size])
            return 0;
    }
}

static int unknown_set(const char *name, size_t size, struct mrl_error *error)
{
    const char *words[SETS_MAX];
    char term[TERM_BYTES] = "";
    unsigned int count = 0;

    memcpy(term, name, size < sizeof(term) ? size : sizeof(term) - 1);
    for (unsigned int bit = 0; mrl_set_name(bit); bit++)
        words[count++] = mrl_set_name(bit);
    return mrl_error__unknown(error, "set", term, words, count);
}

int mrl_event_list__add_sets(const char *sets, uint32_t *in, struct mrl_error *error)
{
    for (const char *at = sets;; at++) {
        size_t size = strcspn(at, ",");
        uint32_t events = events_of_set(at, size);

        if (!events)
            return unknown_set(at, size, error);
        *in |= events;
        at += size;
        if (!*at)
            return 0;
    }
}
