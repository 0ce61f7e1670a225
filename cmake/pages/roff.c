// SPDX-License-Identifier: Apache-2.0
/* Texts in manual pages. */
#include "roff.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 78 };

/* What roff would take for something else, or old printers have no sign for. */
static const struct {
    const char *text, *roff;
} escapes[] = {
    { "\\", "\\e" },  { "-", "\\-" },   { "'", "\\(aq" }, { "`", "\\(ga" },
    { "^", "\\(ha" }, { "~", "\\(ti" }, { "…", "..." },   { "µ", "\\(mc" },
};

/* Prints one character, which may be of several bytes, and returns what follows it. */
static const char *put_character(const char *text)
{
    for (unsigned int i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        size_t size = strlen(escapes[i].text);

        if (!strncmp(text, escapes[i].text, size)) {
            fputs(escapes[i].roff, stdout);
            return text + size;
        }
    }
    putchar(*text);
    return text + 1;
}

static void put(const char *text, size_t size)
{
    const char *end = text + size;

    if (size && *text == '.')
        fputs("\\&", stdout);
    while (text < end)
        text = put_character(text);
}

void mrl_roff__word(const char *text)
{
    put(text, strlen(text));
}

void mrl_roff__text(const char *text)
{
    size_t used = 0;

    while (*text) {
        size_t size = strcspn(text, " ");

        if (used && used + 1 + size > LINE_BYTES) {
            putchar('\n');
            used = 0;
        }
        if (used)
            putchar(' ');
        put(text, size);
        used += size + 1;
        if (text[size] && size > 1 && text[size - 1] == '.') {
            putchar('\n');
            used = 0;
        }
        text += size + strspn(text + size, " ");
    }
    putchar('\n');
}
