/* SPDX-License-Identifier: Apache-2.0 */
/* How far a session is with what has an end: a capture, and what is left in the rings. */
#ifndef MRL_COMMAND_RUN_BAR_H
#define MRL_COMMAND_RUN_BAR_H

#include "command/run/session_options.h"

/** Begins to show how far a replay is; nothing where `options` say so, where a table is on the
 * terminal, or where events are of the probes. The thread that reads, as for all here. */
void mrl_bar__begin_replay(const struct mrl_session_options *options);

/** So many events of the replay were delivered. */
void mrl_bar__replayed(struct mrl_plugin *plugin, uint64_t delivered);

/** The probes are gone: begins to show how much of what they left is read, unless a replay is
 * shown. */
void mrl_bar__begin_drain(const struct mrl_session_options *options, struct mrl_plugin *plugin);

#endif
