/* SPDX-License-Identifier: Apache-2.0 */
/* What prepare() read: secrets, and whom to trust. Nothing that a server says may repeat them. */
#ifndef MRL_SIDE_HTTP_FILES_H
#define MRL_SIDE_HTTP_FILES_H

#include "sinks/http/options.h"

struct mrl_http_files {
    char *bytes; /* all of them */
    size_t size;
    size_t sizes[MRL_HTTP_FILES]; /* 0: it was not given */
    char *texts[MRL_HTTP_FILES];  /* a NUL ends each */
};

/** Reads them; -1: there are none. Errors: -EINVAL, -ENOMEM. */
int mrl_http_files__read(int fd, struct mrl_http_files *ret_files);

/** Overwrites and frees. Zeroed is allowed. */
void mrl_http_files__done(struct mrl_http_files *files);

/** As mrl_http__quote(). */
const char *mrl_http_files__quote(const struct mrl_http_files *files,
                                  const char *user,
                                  const char *bytes,
                                  size_t size,
                                  char line[200]);

#endif
