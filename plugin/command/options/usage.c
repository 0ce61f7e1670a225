// SPDX-License-Identifier: Apache-2.0
/* What --help prints. */
#include "command/options/usage.h"

#include <stdio.h>
#include <string.h>

#include "command/options/wrap.h"

enum { HELP_COLUMN = 28 };

/* What the value may be, unless its name spells it out. */
static void put_choices(struct mrl_wrap *wrap, const struct mrl_option *row, const char *value)
{
    char text[64];

    if (!value || !mrl_option__word(row, 0) || strchr(value, '|'))
        return;
    mrl_wrap__put(wrap, "Known:");
    for (unsigned int i = 0; mrl_option__word(row, i); i++) {
        snprintf(text, sizeof(text), "%s%c", mrl_option__word(row, i),
                 mrl_option__word(row, i + 1) ? ',' : '.');
        mrl_wrap__put(wrap, text);
    }
}

/* Behind `column` columns of text: what it means. */
static void explain(int column, const char *doc, const struct mrl_option *row, const char *value)
{
    /* Words stand one further than the first column, behind their blank. */
    struct mrl_wrap wrap = { stdout, mrl_wrap__columns(), HELP_COLUMN + 1, HELP_COLUMN };

    if (column >= HELP_COLUMN)
        putchar('\n');
    printf("%*s", column < HELP_COLUMN ? HELP_COLUMN - column : HELP_COLUMN, "");
    mrl_wrap__put(&wrap, doc);
    if (row)
        put_choices(&wrap, row, value);
    if (row && row->preset) {
        char text[64];

        snprintf(text, sizeof(text), "[%s]", row->preset);
        mrl_wrap__put(&wrap, text);
    }
    putchar('\n');
}

static void print_row(const struct mrl_option *row)
{
    char room[MRL_OPTION_VALUE_BYTES];
    const char *value = mrl_option__value(row, room);

    explain(printf("  %c%c%c --%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
                   row->letter ? ',' : ' ', row->name, value ? " " : "", value ? value : ""),
            row->doc, row, value);
}

void mrl_usage__print_text(const char *text, const char *doc)
{
    explain(printf("  %s", text), doc, NULL, NULL);
}

void mrl_usage__print_setting(const struct mrl_option *row)
{
    char room[MRL_OPTION_VALUE_BYTES];
    const char *value = mrl_option__value(row, room);

    explain(printf("      %s=%s", row->name, value ? value : "true|false"), row->doc, row,
            value ? value : "|");
}

void mrl_usage__print_paragraph(const char *text)
{
    struct mrl_wrap wrap = { stdout, mrl_wrap__columns(), 0, 0 };

    mrl_wrap__put(&wrap, text);
    fputs("\n\n", stdout);
}

void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    struct mrl_wrap wrap = { stdout, mrl_wrap__columns(), 4, 0 };

    wrap.column = printf("Usage: mrelease %s [OPTION...]", verb->name);
    mrl_wrap__put(&wrap, verb->operands);
    fputs("\n\n", stdout);
    mrl_usage__print_paragraph(verb->doc);
    for (unsigned int i = 0; i < rows->count; i++)
        print_row(rows->at[i]);
    if (verb->more_help)
        verb->more_help();
}
