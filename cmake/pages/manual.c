// SPDX-License-Identifier: Apache-2.0
/* What the manual pages say of verbs, options, profiles and keys, as roff. */
#include <stdio.h>
#include <string.h>

#include "command/options/arguments.h"
#include "command/options/config.h"
#include "command/options/profile.h"
#include "command/run/outputs.h"
#include "pages.h"
#include "roff.h"

/* -- rows ------------------------------------------------------------------------------------- */

/* The words that a value may be, unless the row's value shows them already. */
static void print_words(const struct mrl_option *row)
{
    char room[MRL_OPTION_VALUE_BYTES];

    if (!mrl_option__word(row, 0) || strchr(mrl_option__value(row, room), '|'))
        return;
    printf("Known are\n");
    for (unsigned int i = 0; mrl_option__word(row, i); i++) {
        printf(".BR ");
        mrl_roff__word(mrl_option__word(row, i));
        printf(" %s\n", mrl_option__word(row, i + 1) ? "," : ".");
    }
}

static void print_description(const struct mrl_option *row)
{
    mrl_roff__text(row->doc);
    print_words(row);
    if (row->preset) {
        printf("The default is\n.BR ");
        mrl_roff__word(row->preset);
        printf(" .\n");
    }
}

static void print_option(const struct mrl_option *row)
{
    char room[MRL_OPTION_VALUE_BYTES];
    const char *value = mrl_option__value(row, room);

    printf(".TP\n");
    if (row->letter)
        printf("\\fB\\-%c\\fR, ", row->letter);
    printf("\\fB\\-\\-");
    mrl_roff__word(row->name);
    printf("\\fR");
    if (value) {
        printf(" \\fI");
        mrl_roff__word(value);
        printf("\\fR");
    }
    putchar('\n');
    print_description(row);
}

static void print_verb(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    printf(".SS %s\n\\fBmrelease %s\\fR [\\fIOPTION\\fR ...]", verb->name, verb->name);
    if (*verb->operands) {
        printf(" \\fI");
        mrl_roff__word(verb->operands);
        printf("\\fR");
    }
    printf("\n.PP\n");
    mrl_roff__text(verb->doc);
    for (unsigned int i = 0; i < rows->count; i++)
        if (strcmp(rows->at[i]->name, "help") != 0)
            print_option(rows->at[i]);
}

/* -- mrelease(1) ------------------------------------------------------------------------------ */

static void print_settings(const struct mrl_option *rows, unsigned int count)
{
    char room[MRL_OPTION_VALUE_BYTES];

    for (unsigned int i = 0; i < count; i++) {
        const char *value = mrl_option__value(&rows[i], room);

        printf(".TP\n\\fB");
        mrl_roff__word(rows[i].name);
        printf("=\\fR\\fI");
        mrl_roff__word(value ? value : "true|false");
        printf("\\fR\n");
        print_description(&rows[i]);
    }
}

static void print_sink(const struct mrl_sink_ops *sink)
{
    char usage[MRL_SINK_USAGE_BYTES];

    printf(".TP\n\\fB");
    mrl_roff__word(mrl_outputs__usage(sink, usage));
    printf("\\fR\n");
    mrl_roff__text(sink->doc);
    if (!sink->option_count)
        return;
    printf(".RS\n");
    print_settings(sink->options, sink->option_count);
    printf(".RE\n");
}

void mrl_pages__destinations(void)
{
    const struct mrl_sink_ops *const *sinks;
    const struct mrl_option *rows;
    unsigned int count;

    sinks = mrl_sink__all(&count);
    for (unsigned int i = 0; i < count; i++)
        if (!sinks[i]->option)
            print_sink(sinks[i]);
    rows = mrl_output_spec__rows(&count);
    printf(".PP\nEvery output takes\n");
    print_settings(rows, count);
}

void mrl_pages__profiles(void)
{
    const char *name;

    for (unsigned int i = 0; (name = mrl_profile__name(i)); i++) {
        const struct mrl_profile *profile = mrl_profile__find(name, NULL);

        printf(".TP\n.B ");
        mrl_roff__word(name);
        putchar('\n');
        mrl_roff__text(profile->doc);
        for (unsigned int j = 0; profile->settings[j].name; j++) {
            printf("%s\\fB\\-\\-", j ? "" : "It is\n");
            mrl_roff__word(profile->settings[j].name);
            putchar(' ');
            mrl_roff__word(profile->settings[j].value);
            printf("\\fR%s\n", profile->settings[j + 1].name ? "," : ".");
        }
    }
}

void mrl_pages__verbs(void)
{
    unsigned int count;
    const struct mrl_verb *const *verbs = mrl_verb__all(&count);

    for (unsigned int i = 0; i < count; i++)
        mrl_arguments__help(verbs[i], print_verb);
}

/* -- mrelease.yaml(5) ------------------------------------------------------------------------- */

static void print_key(const struct mrl_option *row)
{
    char room[MRL_OPTION_VALUE_BYTES];
    const char *value = mrl_option__value(row, room);

    printf(".TP\n\\fB");
    mrl_roff__word(row->name);
    printf(":\\fR \\fI");
    mrl_roff__word(value ? value : "true|false");
    printf("\\fR\n");
    print_description(row);
    if (row->type == MRL_OPTION_SET)
        puts("A list.");
    else if (row->many)
        puts("One, or a sequence of several.");
}

static void print_keys(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    (void)verb;
    for (unsigned int i = 0; i < rows->count; i++)
        if (rows->is_key[i])
            print_key(rows->at[i]);
}

void mrl_pages__keys(void)
{
    mrl_arguments__help(&mrl_verb_run, print_keys);
}
