/* SPDX-License-Identifier: Apache-2.0 */
/* What SIGHUP did, in one line. */
#ifndef MRL_COMMAND_SESSION_REOPENING_H
#define MRL_COMMAND_SESSION_REOPENING_H

#include <mrelease/pipeline.h>
#include <stddef.h>

enum { MRL_REOPENING_BYTES = 1000 };

/** Whether an output was asked to reopen and did not come to it yet. Any thread. */
bool mrl_reopening__waits(const struct mrl_pipeline *pipeline);

/** Writes what became of each output: "reopened: json:a; not moved: json:b; json (stdout) stays".
 * A long line is cut off. Returns `line`. */
const char *mrl_reopening__line(const struct mrl_pipeline *pipeline,
                                char line[MRL_REOPENING_BYTES]);

#endif
