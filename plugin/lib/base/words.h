/* SPDX-License-Identifier: Apache-2.0 */
/* A word that somebody wrote, among those that are known. */
#ifndef MRL_BASE_WORDS_H
#define MRL_BASE_WORDS_H

#include <errno.h>
#include <mrelease/error.h>
#include <string.h>

enum { MRL_WORDS_MAX = 32 };

/** The index of `word`, where `word_at` gives the words by their index, and NULL behind the last of
 * MRL_WORDS_MAX at most. Error: -EINVAL, with a line that names the nearest `what`. */
static inline int mrl_words__find(const char *what,
                                  const char *word,
                                  const char *(*word_at)(unsigned int index),
                                  struct mrl_error *error)
{
    const char *known[MRL_WORDS_MAX];
    unsigned int count = 0;

    for (; count < MRL_WORDS_MAX && (known[count] = word_at(count)); count++)
        if (!strcmp(known[count], word))
            return (int)count;
    return mrl_error__unknown(error, what, word, known, count);
}

#endif
