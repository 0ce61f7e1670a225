/* SPDX-License-Identifier: Apache-2.0 */
/* A command line, taken apart by the rows of its verb. */
#ifndef MRL_COMMAND_OPTIONS_ARGUMENTS_H
#define MRL_COMMAND_OPTIONS_ARGUMENTS_H

#include "command/options/rows.h"

/** Takes one option of a command line. `value` is NULL for a switch. */
typedef int (*mrl_take_fn)(void *context,
                           unsigned int row,
                           const char *value,
                           struct mrl_error *error);

/**
 * Gives every option to `take`, in their order, and answers --help. Returns as
 * mrl_arguments__parse().
 */
int mrl_arguments__each(const struct mrl_verb *verb,
                        struct mrl_rows *rows,
                        int argc,
                        char **argv,
                        mrl_take_fn take,
                        void *context,
                        int *ret_status);

/** What --help prints, given the rows of a verb. */
typedef void (*mrl_help_fn)(const struct mrl_verb *verb, const struct mrl_rows *rows);

/**
 * Prints the help of one verb in the way of `print`; NULL is the way of --help. The manual and the
 * completion see the rows of a verb so, without a second list of them.
 */
void mrl_arguments__help(const struct mrl_verb *verb, mrl_help_fn print);

#endif
