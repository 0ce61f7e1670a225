/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the events of a run, told at its end. */
#ifndef MRL_COMMAND_RUN_TOTALS_H
#define MRL_COMMAND_RUN_TOTALS_H

#include <mrelease/metrics.h>
#include <stdbool.h>

/** Says the totals so far; of a plugin that was stopped and read empty, and of its pipeline that
 * ended, they are final. Any thread. */
void mrl_totals__say(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline);

/**
 * Checks that every event is accounted for at every output, and says where not. Returns the number
 * of violations.
 */
unsigned int mrl_totals__check(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline);

/**
 * Says what each output of a pipeline that ended has lost. Returns whether those that keep what
 * they are given (mrl_sink_ops.keeps) have all of it.
 */
bool mrl_totals__are_kept(const struct mrl_pipeline *pipeline);

#endif
