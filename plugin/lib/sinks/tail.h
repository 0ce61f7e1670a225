/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at the end of a file of lines that an earlier run left: half a line, or a time. */
#ifndef MRL_SINKS_TAIL_H
#define MRL_SINKS_TAIL_H

#include <mrelease/error.h>
#include <stdint.h>

#include <sys/stat.h>

/** Mends the end of the file `fd`, which is `file` and should be at `path`: half a line of ours is
 * cut off, and what others left is ended, so that no line of ours joins it. Says so in `note`. */
void mrl_tail__repair(int fd, const char *path, const struct stat *file, struct mrl_error *note);

/** The time of the last line of ours in a file, ns since the epoch; 0: there is none. */
uint64_t mrl_tail__time_ns(const char *path);

#endif
