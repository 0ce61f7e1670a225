/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that options name: never the secret itself, which the list of processes would show. */
#ifndef MRL_SINKS_SECRET_H
#define MRL_SINKS_SECRET_H

#include <mrelease/error.h>
#include <stdbool.h>
#include <stddef.h>

struct mrl_secret {
    char *bytes; /* a NUL stands behind them; NULL: none */
    size_t size;
};

/**
 * Reads what `path` names: a file; "$NAME", what the environment holds there; "$NAME/REST", a file
 * below the directory that it holds ("$CREDENTIALS_DIRECTORY/token"). At most `most` bytes.
 * `ret_secret` is new. Errors, with a line: -errno of open(2) and read(2); -ENOENT no such name;
 * -EFBIG; -EINVAL what is there is no file and would be waited for.
 */
int mrl_secret__read(const char *path,
                     size_t most,
                     struct mrl_secret *ret_secret,
                     struct mrl_error *error);

/** Overwrites and frees. Zeroed is allowed. */
void mrl_secret__done(struct mrl_secret *secret);

/** Whether `path` is a file that every user may read. */
bool mrl_secret__is_public(const char *path);

/** Puts the path of the file that `path` means; "" where it means none. Returns `text`. */
const char *mrl_secret__file(const char *path, char *text, size_t size);

#endif
