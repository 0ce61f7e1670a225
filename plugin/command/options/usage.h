/* SPDX-License-Identifier: Apache-2.0 */
/* The help text of a verb, from its option rows. */
#ifndef MRL_COMMAND_OPTIONS_USAGE_H
#define MRL_COMMAND_OPTIONS_USAGE_H

#include "command/options/arguments.h"

/** Prints it to standard output: usage, what the verb does, and each option with what it takes. */
void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows);

#endif
