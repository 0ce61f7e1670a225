/* SPDX-License-Identifier: Apache-2.0 */
/* How a run is, as JSON: what 'mrelease ctl status' shows. */
#ifndef MRL_COMMAND_SESSION_STATUS_H
#define MRL_COMMAND_SESSION_STATUS_H

#include <stddef.h>
#include <time.h>

#include "command/run/sides.h"

/** Where a status comes from. */
struct mrl_status_source {
    struct mrl_run_sides *run;
    const char *coverage;
    time_t since; /* when it began to watch */
};

/** Writes an object of at most `size` bytes with the NUL. Any thread. Errors: -ENODEV the probes
 * are not there; -ENOSPC; -ENOMEM; of mrl_metrics__collect(). */
int mrl_status__write(const struct mrl_status_source *source, char *text, size_t size);

#endif
