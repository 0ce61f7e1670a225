/* SPDX-License-Identifier: Apache-2.0 */
/** The lines of a file, each in place, in one buffer of constant size. */
#ifndef MRL_COMMAND_VERIFY_READER_H
#define MRL_COMMAND_VERIFY_READER_H

#include <stdbool.h>

#include "command/verify/input.h"

/** Bytes of the longest line; none of ours is longer. */
enum { MRL_READER_LINE_MAX = 64 * 1024 };

struct mrl_reader;

/** As mrl_input__open(); `*ret_reader` is new. */
int mrl_reader__open(const char *path, struct mrl_reader **ret_reader);

/** A line as it was found. */
struct mrl_span {
    const char *bytes; /* until the next call; bytes[size] is a newline */
    size_t size;
    const char *fault; /* what is wrong with it as a line, NULL: nothing */
};

/** Returns whether there was one. */
bool mrl_reader__next(struct mrl_reader *reader, struct mrl_span *ret_span);

/** Why the file could not be read to its end, as one line; NULL: it could. Borrowed. */
const char *mrl_reader__fault(const struct mrl_reader *reader);

/** How far the file itself has been read. */
uint64_t mrl_reader__position(const struct mrl_reader *reader);

/** NULL is allowed. */
void mrl_reader__close(struct mrl_reader *reader);

#endif
