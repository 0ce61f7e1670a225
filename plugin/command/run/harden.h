/* SPDX-License-Identifier: Apache-2.0 */
/* What the program gives up once its probes are proven and its outputs are open. */
#ifndef MRL_COMMAND_RUN_HARDEN_H
#define MRL_COMMAND_RUN_HARDEN_H

#include "command/run/session_options.h"

/**
 * Enters the sandbox that leaves a run what it needs, before it has threads of its own. What stays,
 * and what the kernel lacks, is one line of the log each. Errors, with a line: -EOPNOTSUPP,
 * something is missing and --sandbox require wants all of it; -errno of mrl_sandbox__enter().
 */
int mrl_harden__enter(const struct mrl_session_options *options,
                      struct mrl_plugin *plugin,
                      struct mrl_error *error);

/** Whether the sandbox, and nothing else, hides the directory of `path`, as it does of those that
 * were not there at the start. Always false where the kernel lacks Landlock. */
bool mrl_harden__hides(const char *path);

/**
 * A clause for behind the error `err` of an output that came after the start: whether the sandbox,
 * or a right that was given up, is what refused it. "" when it is neither. Static.
 */
const char *mrl_harden__hint(const struct mrl_session_options *options,
                             const struct mrl_output_spec *spec,
                             int err);

/** The capabilities that a run with this rung keeps, a bit for each, where its events may be
 * switched. */
uint64_t mrl_harden__switching(const char *rung);

#endif
