// SPDX-License-Identifier: Apache-2.0
/* Error texts, and the nearest known word for a wrong one. */
#include <errno.h>
#include <limits.h>
#include <mrelease/error.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/distance.h"
#include "base/tame.h"

#undef mrl_error__set /* of who reads the code, and not its functions */
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

/* The index of the one that was probably meant; -1: none is so near. An unfinished word means the
 * shortest that begins with it; else the one with the fewest changes. */
static int nearest(const char *word, const char *const *words, unsigned int count)
{
    unsigned int best = UINT_MAX, size = (unsigned int)strnlen(word, MRL_LONGEST_WORD);
    int guess = -1;

    for (unsigned int i = 0; i < count; i++) {
        bool begins = size > 2 && !strncmp(words[i], word, size);
        unsigned int steps = mrl_word__distance(word, words[i]);
        unsigned int rank = begins ? steps : steps + MRL_LONGEST_WORD;

        if (rank < best) {
            best = rank;
            guess = begins || steps <= size / 2 ? (int)i : -1;
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
    const int guess = nearest(word, words, count);
    char known[384] = "";
    size_t used = 0;

    if (guess >= 0)
        return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': did you mean '%s'?", what, word,
                              words[guess]);
    for (unsigned int i = 0; i < count; i++) {
        /* What is cut is cut between two words, and said. */
        if (used + strlen(words[i]) + sizeof(", and more") > sizeof(known)) {
            snprintf(known + used, sizeof(known) - used, " and more");
            break;
        }
        used +=
            (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", words[i]);
    }
    return mrl_error__set(error, -EINVAL, "unknown %s '%.64s': known are %s", what, word, known);
}
