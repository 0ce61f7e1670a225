/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a row that is broken where the terminal ends. */
#ifndef MRL_ENCODE_TABLE_WRAPPED_H
#define MRL_ENCODE_TABLE_WRAPPED_H

#include "encode/writer.h"

/** Ends a line, without the blanks at its end, and begins the next with `indent` of them. */
void mrl_wrapped__break(struct mrl_writer *writer, unsigned int indent);

/**
 * Writes the bytes from `at` to `end`, whose first line begins at column `indent`, as the others
 * do: broken between words, and within what is wider than a line. `indent` is less than `width`.
 */
void mrl_wrapped__put(struct mrl_writer *writer,
                      const char *at,
                      const char *end,
                      unsigned int indent,
                      unsigned int width);

#endif
