/* SPDX-License-Identifier: Apache-2.0 */
/* What is served: a table of paths, and what stands there. Knows nothing of HTTP's bytes. */
#ifndef MRL_METRICS_PAGES_H
#define MRL_METRICS_PAGES_H

#include <stddef.h>

#include "side/common/service.h"

/** Whose names the metrics have; set before the first page. */
extern enum mrl_metrics_names mrl_page_names;

/** An answer; borrowed until the next mrl_page__get(). */
struct mrl_page {
    unsigned int status; /* of HTTP */
    const char *type;    /* Content-Type */
    const char *bytes;
    size_t size;
};

/**
 * What stands at `path`, for a client that sent the header `accept` (NULL: none). Asks the main
 * process, and waits for it up to two seconds; what it said is good for a tenth of a second, so
 * that clients cannot make it work. One thread.
 */
void mrl_page__get(const char *path, const char *accept, struct mrl_page *ret_page);

/** A page that says one line. */
void mrl_page__say(unsigned int status, const char *line, struct mrl_page *ret_page);

#endif
