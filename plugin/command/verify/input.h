/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The bytes of a file, whatever compressed it: told by its first bytes, not by its name. All is
 * streamed: neither a long file nor one that unpacks to a thousand times its size costs memory.
 */
#ifndef MRL_COMMAND_VERIFY_INPUT_H
#define MRL_COMMAND_VERIFY_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

struct mrl_input;

/**
 * Opens `path`; "-" is standard input. `*ret_input` is new. Errors: -ENOMEM, and those of open().
 */
int mrl_input__open(const char *path, struct mrl_input **ret_input);

/**
 * Fills up to `size` bytes and returns how many; 0 at the end; -EBADMSG, where what was compressed
 * is cut off or damaged, and errors of read(): then mrl_input__fault() says what is wrong.
 */
ssize_t mrl_input__read(struct mrl_input *input, char *bytes, size_t size);

/** What was wrong, as one line; borrowed. */
const char *mrl_input__fault(const struct mrl_input *input);

/** How far the file itself, compressed or not, has been read. */
uint64_t mrl_input__position(const struct mrl_input *input);

/** NULL is allowed. */
void mrl_input__close(struct mrl_input *input);

#endif
