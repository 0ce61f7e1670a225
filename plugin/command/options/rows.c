// SPDX-License-Identifier: Apache-2.0
/* The option rows of a verb. */
#include "command/options/rows.h"

#include <assert.h>

void mrl_rows__add(struct mrl_rows *rows, const struct mrl_option *row, void *target, bool is_key)
{
    assert(rows->count < MRL_ROWS_MAX);
    rows->at[rows->count] = row;
    rows->targets[rows->count] = target;
    rows->is_key[rows->count++] = is_key;
}

void mrl_rows__add_groups(struct mrl_rows *rows,
                          const struct mrl_option_group *groups,
                          unsigned int group_count)
{
    for (unsigned int g = 0; g < group_count; g++) {
        mrl_options__preset(groups[g].rows, groups[g].count, groups[g].target);
        for (unsigned int i = 0; i < groups[g].count; i++)
            mrl_rows__add(rows, &groups[g].rows[i], groups[g].target, true);
    }
}
