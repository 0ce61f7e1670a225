/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is broken between words, so that it fits a terminal. */
#ifndef MRL_COMMAND_OPTIONS_WRAP_H
#define MRL_COMMAND_OPTIONS_WRAP_H

#include <stdio.h>

struct mrl_wrap {
    FILE *to;
    int width;  /* columns of a line; 0: it is never broken */
    int indent; /* columns before each further line */
    int column; /* columns of the present line that are taken */
};

/** Puts the words of a text, which single blanks divide, behind what stands in the line, a blank
 * before each but the first of a line. A character is one column. */
void mrl_wrap__put(struct mrl_wrap *wrap, const char *text);

/** The columns of standard output, where it is a terminal; else 80. */
int mrl_wrap__columns(void);

#endif
