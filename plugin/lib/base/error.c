// SPDX-License-Identifier: Apache-2.0
/* Error texts, and the nearest known word for a wrong one. */
#include <errno.h>
#include <limits.h>
#include <mrelease/error.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/tame.h"

enum { LONGEST_WORD = 64 };

int mrl_error__set(struct mrl_error *error, int code, const char *format, ...)
{
    va_list arguments;

    if (error) {
        va_start(arguments, format);
        vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
        mrl_tame(error->text); /* what was typed may hold anything, and is shown */
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

struct guess {
    const char *word; /* NULL only when there are no words */
    bool likely;      /* so near that it was probably meant */
};

/* An unfinished word means the shortest that begins with it; else the one with the fewest changes.
 */
static struct guess nearest(const char *word, const char *const *words, unsigned int count)
{
    unsigned int best = UINT_MAX, size = (unsigned int)strnlen(word, LONGEST_WORD);
    struct guess guess = { NULL, false };

    for (unsigned int i = 0; i < count; i++) {
        bool begins = size > 2 && !strncmp(words[i], word, size);
        unsigned int steps = distance(word, words[i]);
        unsigned int rank = begins ? steps : steps + LONGEST_WORD;

        if (rank < best) {
            best = rank;
            guess = (struct guess){ words[i], begins || steps <= size / 2 };
        }
    }
    return guess;
}

int mrl_error__unknown(struct mrl_error *error,
                       const char *what,
                       const char *word,
                       const char *const *words,
                       unsigned int count)
{
    struct guess guess = nearest(word, words, count);
    char known[384] = "";
    size_t used = 0;

    if (guess.likely)
        return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': did you mean '%s'?", what, word,
                              guess.word);
    for (unsigned int i = 0; i < count; i++) {
        /* What is cut is cut between two words, and said. */
        if (used + strlen(words[i]) + sizeof(", and more") > sizeof(known)) {
            snprintf(known + used, sizeof(known) - used, " and more");
            break;
        }
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", words[i]);
    }
    return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': the nearest is '%s'; known are %s",
                          what, word, guess.word ? guess.word : "", known);
}
