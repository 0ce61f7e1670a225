/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the path of an output, where others may have put something. For the sinks of files. */
#ifndef MRL_SINKS_OPENING_H
#define MRL_SINKS_OPENING_H

#include <mrelease/error.h>
#include <stdbool.h>

#include <sys/types.h>

/** How a file is made. */
struct mrl_opening {
    unsigned int mode; /* 0: 0640, less the umask; else just these permissions */
    gid_t group;       /* (gid_t)-1: that of the process */
    bool waits;        /* for the reader of a FIFO; else there must be one */
};

/**
 * Opens to append; what is not there is made. A symbolic link is refused; and so, in a directory
 * where others may make files, is what another user made there, or a file with a second name:
 * whoever put it there would choose what is written to. It is refused before a FIFO is waited for.
 * Whether the file is new is in `*ret_created`. Errors, with a line: -errno of open(2); -EACCES
 * another's.
 */
int mrl_opening__open(const struct mrl_opening *how,
                      const char *path,
                      bool *ret_created,
                      struct mrl_error *error);

/** The group called `name`; "": -1, that of the process. Error: -EINVAL, with a line that names the
 * `destination` that wants it. */
int mrl_opening__find_group(const char *name,
                            const char *destination,
                            gid_t *ret_group,
                            struct mrl_error *error);

#endif
