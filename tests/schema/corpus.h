/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of tests/schema/corpus and tests/golden, one dialect after another. */
#ifndef MRL_TESTS_CORPUS_H
#define MRL_TESTS_CORPUS_H

#include <stddef.h>

#include "command/schema/check.h"

enum { CORPUS_LINES_MAX = 128 };

/** Lines of one dialect, without newlines. */
struct corpus {
    const struct mrl_dialect *dialect;
    struct mrl_check *check;
    char *lines[CORPUS_LINES_MAX];
    unsigned int count;
};

/** Reads all that there is in a dialect; fails the test where that is nothing. */
void corpus__init(struct corpus *corpus, const struct mrl_dialect *dialect);

void corpus__done(struct corpus *corpus);

#endif
