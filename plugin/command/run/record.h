/* SPDX-License-Identifier: Apache-2.0 */
/* --record: an output of records, for replay. */
#ifndef MRL_COMMAND_RUN_RECORD_H
#define MRL_COMMAND_RUN_RECORD_H

#include "command/run/outputs.h"

/**
 * Adds a capture as an output. `text` (borrowed) is [SETTING,…:]FILE, with the settings of
 * --output. Error: -EINVAL.
 */
int mrl_record__add(struct mrl_outputs *outputs, const char *text, struct mrl_error *error);

/** Adds json to standard output, unless there is an output that is no recording. Idempotent. */
int mrl_record__add_default(struct mrl_outputs *outputs, struct mrl_error *error);

#endif
