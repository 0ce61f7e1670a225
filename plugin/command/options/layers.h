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

/**
 * Reads the file of `before` again, into `settings`, and applies it to `groups` together with the
 * command line and the profile; says nothing. `settings` is freed as above. Error, with a line: as
 * of mrl_config__read(); -EINVAL, a value.
 */
int mrl_layers__read_again(const struct mrl_settings *before,
                           const struct mrl_option_group *groups,
                           unsigned int group_count,
                           struct mrl_settings *settings,
                           struct mrl_error *error);

/** The same for a file alone, of which nobody said anything before. */
int mrl_layers__read_file(const char *path,
                          const struct mrl_option_group *groups,
                          unsigned int group_count,
                          struct mrl_settings *settings,
                          struct mrl_error *error);

/** Calls `differs` for each row of which two of these do not say the same. */
void mrl_layers__compare(const struct mrl_settings *one,
                         const struct mrl_settings *other,
                         const struct mrl_option_group *groups,
                         unsigned int group_count,
                         void (*differs)(void *context, const struct mrl_option *row),
                         void *context);

#endif
