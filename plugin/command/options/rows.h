/* SPDX-License-Identifier: Apache-2.0 */
/* The option rows of a verb, of all its groups. */
#ifndef MRL_COMMAND_OPTIONS_ROWS_H
#define MRL_COMMAND_OPTIONS_ROWS_H

#include "command/command.h"

enum { MRL_ROWS_MAX = 48 };

/** The rows of all groups of a verb, numbered. Zeroed is empty. */
struct mrl_rows {
    const struct mrl_option *at[MRL_ROWS_MAX];
    void *targets[MRL_ROWS_MAX];
    bool is_key[MRL_ROWS_MAX]; /* may stand in a configuration file */
    unsigned int count;
};

/** Appends one; the table is large enough for every verb. */
void mrl_rows__add(struct mrl_rows *rows, const struct mrl_option *row, void *target, bool is_key);

/** Appends all rows of groups, as keys, and presets their targets: mrl_options__preset(). */
void mrl_rows__add_groups(struct mrl_rows *rows,
                          const struct mrl_option_group *groups,
                          unsigned int group_count);

#endif
