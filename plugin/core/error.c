// SPDX-License-Identifier: Apache-2.0
/* Error texts, and the nearest known word for a wrong one. */
#include <errno.h>
#include <mrelease/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

int mrl_error__set(struct mrl_error *error, int code, const char *format, ...)
{
    va_list arguments;

    if (error) {
        va_start(arguments, format);
        vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return code;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
    unsigned int ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance, one row at a time; words are cut at LONGEST_WORD. */
static unsigned int distance(const char *from, const char *to)
{
    unsigned int row[LONGEST_WORD + 1];
    size_t from_size = strnlen(from, LONGEST_WORD), to_size = strnlen(to, LONGEST_WORD);

    for (unsigned int j = 0; j <= to_size; j++)
        row[j] = j;
    for (unsigned int i = 1; i <= from_size; i++) {
        unsigned int diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= to_size; j++) {
            unsigned int above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (from[i - 1] != to[j - 1]));
            diagonal = above;
        }
    }
    return row[to_size];
}

/* What an unfinished word means: the shortest that begins with it. */
static const char *finished(const char *word, const char *const *words, unsigned int count)
{
    size_t size = strlen(word);
    const char *best = NULL;

    for (unsigned int i = 0; size > 2 && i < count; i++)
        if (!strncmp(words[i], word, size) && (!best || strlen(words[i]) < strlen(best)))
            best = words[i];
    return best;
}

static const char *nearest(const char *word, const char *const *words, unsigned int count)
{
    const char *begun = finished(word, words, count), *best = NULL;
    unsigned int best_steps = (unsigned int)strnlen(word, LONGEST_WORD) / 2 + 1;

    for (unsigned int i = 0; !begun && i < count; i++) {
        unsigned int steps = distance(word, words[i]);

        if (steps < best_steps) {
            best_steps = steps;
            best = words[i];
        }
    }
    return begun ? begun : best;
}

int mrl_error__unknown(struct mrl_error *error,
                       const char *what,
                       const char *word,
                       const char *const *words,
                       unsigned int count)
{
    const char *near = nearest(word, words, count);
    char known[384] = "";
    size_t used = 0;

    if (near)
        return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': did you mean '%s'?", what, word,
                              near);
    for (unsigned int i = 0; i < count && used < sizeof(known); i++)
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", words[i]);
    return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': known are %s", what, word, known);
}
