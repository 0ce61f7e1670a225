/* SPDX-License-Identifier: Apache-2.0 */
/* The words of --log-level. */
#ifndef MRL_COMMAND_RUN_LOG_LEVEL_H
#define MRL_COMMAND_RUN_LOG_LEVEL_H

#include <mrelease/plugin.h>

/** The word of a level. Static. */
const char *mrl_log_level__name(enum mrl_log_level level);

#endif
