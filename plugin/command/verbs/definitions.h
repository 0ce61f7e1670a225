/* SPDX-License-Identifier: Apache-2.0 */
/* Printers of the event table, on standard output: all events, or `only` one (NULL: all). */
#ifndef MRL_COMMAND_VERBS_DEFINITIONS_H
#define MRL_COMMAND_VERBS_DEFINITIONS_H

#include <mrelease/event.h>

void mrl_definitions__table(const struct mrl_event_def *only);
void mrl_definitions__json(const struct mrl_event_def *only);
void mrl_definitions__markdown(const struct mrl_event_def *only);

#endif
