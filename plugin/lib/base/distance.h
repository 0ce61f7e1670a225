/* SPDX-License-Identifier: Apache-2.0 */
/* How far two words are from each other. */
#ifndef MRL_BASE_DISTANCE_H
#define MRL_BASE_DISTANCE_H

#include <string.h>

enum { MRL_LONGEST_WORD = 64 };

/** Levenshtein's distance, letters to change, add or remove, one row at a time. Words are cut at
 * MRL_LONGEST_WORD. */
static inline unsigned int mrl_word__distance(const char *from, const char *to)
{
    unsigned int row[MRL_LONGEST_WORD + 1];
    size_t from_size = strnlen(from, MRL_LONGEST_WORD), to_size = strnlen(to, MRL_LONGEST_WORD);

    for (unsigned int j = 0; j <= to_size; j++)
        row[j] = j;
    for (unsigned int i = 1; i <= from_size; i++) {
        unsigned int diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= to_size; j++) {
            unsigned int above = row[j], changed = diagonal + (from[i - 1] != to[j - 1]);
            unsigned int least = (above < row[j - 1] ? above : row[j - 1]) + 1;

            row[j] = least < changed ? least : changed;
            diagonal = above;
        }
    }
    return row[to_size];
}

#endif
