/* SPDX-License-Identifier: Apache-2.0 */
/* What prepare() read: secrets, and whom to trust. Nothing that a server says may repeat them. */
#ifndef MRL_SIDE_SHIP_FILES_H
#define MRL_SIDE_SHIP_FILES_H

#include "sinks/files.h"

struct mrl_files {
    char *bytes; /* all of them */
    size_t size;
    size_t sizes[MRL_FILES]; /* 0: it was not given */
    char *texts[MRL_FILES];  /* a NUL ends each */
};

/** Reads them; -1: there are none. Errors: -EINVAL, -ENOMEM. */
int mrl_files__read(int fd, struct mrl_files *ret_files);

/** Overwrites and frees. Zeroed is allowed. */
void mrl_files__done(struct mrl_files *files);

/** Copies `size` bytes that a server sent as a line of text, without secrets and without what is no
 * text. `also`: a further secret; "": none. Returns `line`. */
const char *mrl_files__quote(const struct mrl_files *files,
                             const char *also,
                             const char *bytes,
                             size_t size,
                             char line[200]);

#endif
