// SPDX-License-Identifier: Apache-2.0
/* What --help prints. */
#include "command/options/usage.h"

#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 28, HELP_WIDTH = 96 };

/* Writes a word behind what stands in the line, or below: code points, not bytes, have a width. */
static void put_word(const char *word, size_t size, int *column)
{
    int width = 0;

    for (size_t i = 0; i < size; i++)
        width += (word[i] & 0xc0) != 0x80;
    if (*column > HELP_COLUMN && *column + 1 + width > HELP_WIDTH) {
        printf("\n%*s", HELP_COLUMN, "");
        *column = HELP_COLUMN;
    }
    printf(" %.*s", (int)size, word);
    *column += 1 + width;
}

static void put_words(const char *text, int *column)
{
    for (size_t size; *text; text += size + (text[size] == ' ')) {
        size = strcspn(text, " ");
        put_word(text, size, column);
    }
}

/* What the value may be, unless its name spells it out. */
static void put_choices(const struct mrl_option *row, const char *value, int *column)
{
    char text[64];

    if (!value || !mrl_option__word(row, 0) || strchr(value, '|'))
        return;
    put_words("Known:", column);
    for (unsigned int i = 0; mrl_option__word(row, i); i++) {
        snprintf(text, sizeof(text), "%s%c", mrl_option__word(row, i),
                 mrl_option__word(row, i + 1) ? ',' : '.');
        put_words(text, column);
    }
}

/* Behind `column` columns of text: what it means. */
static void explain(int column, const char *doc, const struct mrl_option *row, const char *value)
{
    if (column >= HELP_COLUMN)
        putchar('\n');
    printf("%*s", column < HELP_COLUMN ? HELP_COLUMN - column : HELP_COLUMN, "");
    column = HELP_COLUMN;
    put_words(doc, &column);
    if (row)
        put_choices(row, value, &column);
    if (row && row->preset) {
        char text[64];

        snprintf(text, sizeof(text), "[%s]", row->preset);
        put_words(text, &column);
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

void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    printf("Usage: mrelease %s [OPTION…]%s%s\n\n%s\n\n", verb->name, *verb->operands ? " " : "",
           verb->operands, verb->doc);
    for (unsigned int i = 0; i < rows->count; i++)
        print_row(rows->at[i]);
    if (verb->more_help)
        verb->more_help();
}
