/* SPDX-License-Identifier: Apache-2.0 */
/* tracee.pid: for scripts that wait until Tracee watches. */
#ifndef MRL_COMMAND_SESSION_PIDFILE_H
#define MRL_COMMAND_SESSION_PIDFILE_H

#include <mrelease/error.h>
#include <stdbool.h>

/** Zeroed is none. */
struct mrl_pidfile {
    const char *directory; /* NULL: none */
    int fd;                /* of it */
    bool is_written;
};

/** Opens the directory, which is made where it is missing; before rights are given up. NULL is
 * allowed. Errors, with a line: as open() and mkdir(); -EACCES it is another user's. */
int mrl_pidfile__open(struct mrl_pidfile *file, const char *directory, struct mrl_error *error);

/** Writes it, with mode 0640, in place of one that is there. Error, with a line: as open() and
 * write(). */
int mrl_pidfile__write(struct mrl_pidfile *file, struct mrl_error *error);

/** Removes it. */
void mrl_pidfile__remove(struct mrl_pidfile *file);

#endif
