// SPDX-License-Identifier: Apache-2.0
/* The kinds of values, one row each. */
#include "command/options/value.h"

#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>

#include "command/options/profile.h"
#include "command/run/grpc_module.h"
#include "command/schema/dialect.h"

/* -- words ------------------------------------------------------------------------------------ */

/* What can be chosen: calls and what happens within them, then sets. */
static const char *event_word(unsigned int index)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (*mrl_event_def__at(i)->syscall && !index--)
            return mrl_event_def__at(i)->name;
    return mrl_set_name(index);
}

static const char *any_event_word(unsigned int index)
{
    return index < mrl_event_def__count() ? mrl_event_def__at(index)->name : NULL;
}

static const char *extra_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    return index < count ? extras[index].name : NULL;
}

static const char *rung_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);

    if (!index)
        return "auto";
    return index <= count ? rungs[index - 1].name : NULL;
}

/* A format that is not lines belongs to --record. */
static const char *format_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!formats[i].binary && !index--)
            return formats[i].name;
    return NULL;
}

/* One that is not lines may have a module of its own. */
static const char *output_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if ((!formats[i].binary || mrl_grpc_module__is_format(formats[i].name)) && !index--)
            return formats[i].name;
    return NULL;
}

static const char *dialect_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_dialect *const *dialects = mrl_dialect__all(&count);

    return index < count ? dialects[index]->name : NULL;
}

/* -- the table -------------------------------------------------------------------------------- */

static const struct mrl_value_kind kinds[] = {
    { .name = "SCOPE", .form = MRL_VALUE_MANY },
    { .name = "EVENTS", .form = MRL_VALUE_MANY, .separator = ',', .word = event_word },
    { .name = "EXTRAS",
      .form = MRL_VALUE_COMMAS,
      .separator = ',',
      .word = extra_word,
      .closed = true },
    { .name = "RUNG", .word = rung_word, .closed = true },
    { .name = "DIALECT", .word = dialect_word, .closed = true },
    { .name = "PROFILE", .word = mrl_profile__name, .closed = true },
    { .name = "FORMAT[:DEST]", .form = MRL_VALUE_MANY, .separator = ':', .word = output_word },
    { .name = "FORMAT", .word = format_word, .closed = true },
    { .name = "SIZE", .type = MRL_VALUE_NUMBER, .pattern = "^[0-9]+[KMG]?$" },
    { .name = "N", .type = MRL_VALUE_NUMBER, .pattern = "^[0-9]+$" },
    { .name = "TIME", .pattern = "^[0-9]+(ns|us|ms|s|m|h)$" },
    { .name = "FILE", .is_path = true },
    { .name = "[NAME]", .word = any_event_word },
};

static const struct mrl_value_kind choice = { .name = "a|b|c", .closed = true };
static const struct mrl_value_kind text = { .name = "TEXT" };
static const struct mrl_value_kind on_off = { .name = "", .type = MRL_VALUE_SWITCH };

static const struct mrl_value_kind *find(const char *name)
{
    for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return strchr(name, '|') ? &choice : &text;
}

const struct mrl_value_kind *mrl_value__kind(const struct mrl_option *row)
{
    return row->value ? find(row->value) : &on_off;
}

/* The word at `index` of "a|b|c". */
static bool choice_word(const char *choices, unsigned int index, char ret_word[MRL_WORD_BYTES])
{
    for (; index && *choices; index--) {
        choices += strcspn(choices, "|");
        choices += *choices == '|';
    }
    snprintf(ret_word, MRL_WORD_BYTES, "%.*s", (int)strcspn(choices, "|"), choices);
    return *choices;
}

static bool word_of(const char *name, unsigned int index, char ret_word[MRL_WORD_BYTES])
{
    const struct mrl_value_kind *kind = find(name);
    const char *word;

    if (kind == &choice)
        return choice_word(name, index, ret_word);
    word = kind->word ? kind->word(index) : NULL;
    if (word)
        snprintf(ret_word, MRL_WORD_BYTES, "%s", word);
    return word;
}

bool mrl_value__word(const struct mrl_option *row,
                     unsigned int index,
                     char ret_word[MRL_WORD_BYTES])
{
    return row->value && word_of(row->value, index, ret_word);
}

bool mrl_value__operand_word(const char *operands,
                             unsigned int index,
                             char ret_word[MRL_WORD_BYTES])
{
    return !strchr(operands, '|') && word_of(operands, index, ret_word);
}
