/* SPDX-License-Identifier: Apache-2.0 */
/* --names: the side program that asks runtimes, between the plugin, which wants to know, and it. */
#ifndef MRL_COMMAND_RUN_NAMES_H
#define MRL_COMMAND_RUN_NAMES_H

#include <mrelease/mrelease.h>

#include "command/run/session_options.h"
#include "command/run/sides.h"

/** Whether a run asks runtimes: a replay shows what was recorded. */
bool mrl_run_names__are_wanted(const struct mrl_session_options *options);

/** Has the plugin that will be opened ask, and `sides` hear the answers; before either is opened.
 */
void mrl_run_names__join(struct mrl_run_sides *run,
                         struct mrl_session_options *options,
                         struct mrl_sides_options *sides);

/** Starts the side program. Errors: of its open(), with a line. */
int mrl_run_names__open(struct mrl_run_sides *run,
                        const struct mrl_session_options *options,
                        struct mrl_error *error);

/** Ends it. */
void mrl_run_names__close(struct mrl_run_sides *run);

#endif
