/* SPDX-License-Identifier: Apache-2.0 */
/* For doctor: what runtimes there are, and whether they answer. */
#ifndef MRL_SIDE_NAMES_LOOK_H
#define MRL_SIDE_NAMES_LOOK_H

#include "side/common/names/service.h"

/** Prints a line for each interface: RUNTIME, PATH, INTERFACE, STATE, VERSION, containers that it
 * lists, microseconds of one lookup, and why it is of no use; with a tab between two. Returns an
 * exit status. */
int mrl_names__look(const struct mrl_names_options *options);

#endif
