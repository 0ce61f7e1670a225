/* SPDX-License-Identifier: Apache-2.0 */
/* The help text of a verb, from its option rows. */
#ifndef MRL_HOST_USAGE_H
#define MRL_HOST_USAGE_H

#include "host/arguments.h"

/** Prints it to standard output: usage, what the verb does, and each option with what it takes. */
void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows);

#endif
