/* SPDX-License-Identifier: Apache-2.0 */
/* What is done now and then and may take a while, on a thread of its own: proving the probes anew,
 * looking for policies that were exchanged, and writing the file of --metrics-file. */
#ifndef MRL_COMMAND_RUN_CHORES_H
#define MRL_COMMAND_RUN_CHORES_H

#include "command/run/sides.h"

/** Starts the thread, where there is something to do. After the sandbox. One run at a time. */
void mrl_chores__start(struct mrl_run_sides *run, const struct mrl_session_options *options);

/** Ends it, after the file was written once more. Harmless where there is none. */
void mrl_chores__stop(void);

#endif
