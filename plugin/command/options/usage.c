// SPDX-License-Identifier: Apache-2.0
/* What --help prints. */
#include "command/options/usage.h"

#include <stdio.h>
#include <string.h>

#include "command/options/value.h"

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

/* What the value may be, unless it is spelled out already. */
static void put_choices(const struct mrl_option *row, int *column)
{
    char word[MRL_WORD_BYTES], next[MRL_WORD_BYTES], text[MRL_WORD_BYTES + 1];

    if (!mrl_value__word(row, 0, word) || strchr(row->value, '|'))
        return;
    put_words("Known:", column);
    for (unsigned int i = 0; mrl_value__word(row, i, word); i++) {
        snprintf(text, sizeof(text), "%s%c", word, mrl_value__word(row, i + 1, next) ? ',' : '.');
        put_words(text, column);
    }
}

static void print_row(const struct mrl_option *row)
{
    int column = printf("  %c%c%c --%s%s%s", row->letter ? '-' : ' ',
                        row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                        row->value ? " " : "", row->value ? row->value : "");

    if (column >= HELP_COLUMN)
        putchar('\n');
    printf("%*s", column < HELP_COLUMN ? HELP_COLUMN - column : HELP_COLUMN, "");
    column = HELP_COLUMN;
    put_words(row->doc, &column);
    put_choices(row, &column);
    if (row->preset) {
        char text[64];

        snprintf(text, sizeof(text), "[%s]", row->preset);
        put_words(text, &column);
    }
    putchar('\n');
}

void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    printf("Usage: mrelease %s [OPTION…]%s%s\n\n%s\n\n", verb->name, *verb->operands ? " " : "",
           verb->operands, verb->doc);
    for (unsigned int i = 0; i < rows->count; i++)
        print_row(rows->at[i]);
}
