/* SPDX-License-Identifier: Apache-2.0 */
/* How far two words are from each other. */
#ifndef MRL_BASE_DISTANCE_H
#define MRL_BASE_DISTANCE_H

#include <string.h>

enum { MRL_LONGEST_WORD = 64 };

/** How many letters to change, add, remove, or exchange with the next one. Words are cut at
 * MRL_LONGEST_WORD. */
static inline unsigned int mrl_word__distance(const char *from, const char *to)
{
    unsigned int rows[3][MRL_LONGEST_WORD + 1]; /* of one letter less each */
    unsigned int *before = rows[0], *last = rows[1], *row = rows[2];
    size_t from_size = strnlen(from, MRL_LONGEST_WORD), to_size = strnlen(to, MRL_LONGEST_WORD);

    for (unsigned int j = 0; j <= to_size; j++)
        row[j] = j;
    for (unsigned int i = 1; i <= from_size; i++) {
        unsigned int *const oldest = before;

        before = last, last = row, row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= to_size; j++) {
            unsigned int changed = last[j - 1] + (from[i - 1] != to[j - 1]);

            row[j] = (last[j] < row[j - 1] ? last[j] : row[j - 1]) + 1;
            row[j] = row[j] < changed ? row[j] : changed;
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return row[to_size];
}

#endif
