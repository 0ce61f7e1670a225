/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of executables, which records hold as their components. */
#ifndef MRL_CORE_STEPS_H
#define MRL_CORE_STEPS_H

#include <mrelease/event.h>

#include "core/arena.h"

/**
 * The path of components that come innermost first with a NUL after each, taken from `arena`; it
 * begins with "..." where outer ones were `cut`. Empty for no components, or without room.
 */
struct mrl_text mrl_steps__path(struct mrl_arena *arena, struct mrl_text steps, bool cut);

#endif
