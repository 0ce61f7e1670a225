// SPDX-License-Identifier: Apache-2.0
/* The extras as data, expanded from their rows as the event table is, and look-ups in them. */
#include <mrelease/extra.h>
#include <mrelease/option.h>

#include "event/kind.h"
#include "event/layout.h"
#include "event/raw.h"

/* -- the table -------------------------------------------------------------------------------- */

#define TAG_K      MRL_TAG_K
#define TAG_U      MRL_TAG_U
#define TAG_TOCTOU MRL_TAG_TOCTOU
#define TAG_OPT    MRL_TAG_OPT

/* An empty entry ends each array, so that an extra without fields has one too. */
#define F(kind_, name_, tags_, from, doc_) { name_, &mrl_kinds[MRL_KIND_##kind_], tags_, doc_ },
#define MRL_EXTRA(symbol, name, of, needs, fills, states, doc, fields) \
    static const struct mrl_field fields_##symbol[] = { fields{ NULL, NULL, 0, NULL } };
#include <abi/extras.def>
#undef F

#define TARGET(member)                 MRL_FROM_MEMBER(MRL_FROM_TARGET, struct mrl_target, member)
#define EVENT(member)                  MRL_FROM_MEMBER(MRL_FROM_EVENT, struct mrl_event, member)
#define VIA(name)                      MRL_FROM_VALUE_OF(name)
#define F(kind, name, tags, from, doc) from
#define MRL_EXTRA(symbol, name, of, needs, fills, states, doc, fields) \
    static const struct mrl_from from_##symbol[] = { fields{ 0 } };
#include <abi/extras.def>

static const struct mrl_from *const sources[] = {
#define MRL_EXTRA(symbol, ...) from_##symbol,
#include <abi/extras.def>
};

static const struct mrl_extra extras[] = {
#define MRL_EXTRA(symbol, name_, of_, needs_, fills, states, doc_, f)            \
    {                                                                            \
        .name = #name_,                                                          \
        .doc = doc_,                                                             \
        .fields = fields_##symbol,                                               \
        .field_count = sizeof(fields_##symbol) / sizeof(fields_##symbol[0]) - 1, \
        .of = MRL_OF_##of_,                                                      \
        .needs = needs_,                                                         \
        .fills_executable = fills,                                               \
        .takes_states = states,                                                  \
    },
#include <abi/extras.def>
};

enum { EXTRA_COUNT = sizeof(extras) / sizeof(extras[0]) };

const struct mrl_extra *mrl_extra__all(unsigned int *ret_count)
{
    *ret_count = EXTRA_COUNT;
    return extras;
}

const struct mrl_from *mrl_extra__from(const struct mrl_extra *extra)
{
    return sources[extra - extras];
}

bool mrl_extra__fits(const struct mrl_extra *extra, const struct mrl_event_def *def)
{
    return extra->of & def->is;
}

unsigned int mrl_extras__field_count(unsigned int of)
{
    unsigned int fields = 0;

    for (unsigned int i = 0; i < EXTRA_COUNT; i++)
        if (extras[i].of & of)
            fields += extras[i].field_count;
    return fields;
}

uint32_t mrl_extras__needs(uint32_t chosen)
{
    uint32_t needs = 0;

    for (unsigned int i = 0; i < EXTRA_COUNT; i++)
        if (chosen & (1U << i))
            needs |= extras[i].needs;
    return needs;
}

bool mrl_extras__fill_executable(uint32_t chosen)
{
    bool fill = false;

    for (unsigned int i = 0; i < EXTRA_COUNT; i++)
        fill |= (chosen & (1U << i)) && extras[i].fills_executable;
    return fill;
}

bool mrl_extras__take_states(uint32_t chosen)
{
    bool take = false;

    for (unsigned int i = 0; i < EXTRA_COUNT; i++)
        take |= (chosen & (1U << i)) && extras[i].takes_states;
    return take;
}

const char *mrl_extra__name(unsigned int index)
{
    return index < EXTRA_COUNT ? extras[index].name : NULL;
}

int mrl_extras__parse(const char *list, uint32_t *ret_extras, struct mrl_error *error)
{
    static const struct mrl_option row = { .name = "extra",
                                           .type = MRL_OPTION_SET,
                                           .word = mrl_extra__name };

    return mrl_option__set(&row, ret_extras, list, error);
}
