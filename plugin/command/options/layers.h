/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a run's settings: a profile, a configuration file, the command line. */
#ifndef MRL_COMMAND_OPTIONS_LAYERS_H
#define MRL_COMMAND_OPTIONS_LAYERS_H

#include "command/options/settings.h"

/**
 * As mrl_arguments__parse(), for a verb that takes --config, --profile and --print-config too. The
 * targets borrow from `settings`, which is freed after their last use, whatever this returns.
 */
int mrl_layers__parse(const struct mrl_verb *verb,
                      int argc,
                      char **argv,
                      const struct mrl_option_group *groups,
                      unsigned int group_count,
                      struct mrl_settings *settings,
                      int *ret_status);

#endif
