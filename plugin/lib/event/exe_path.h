/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of executables, which records hold as their components. */
#ifndef MRL_EVENT_EXE_PATH_H
#define MRL_EVENT_EXE_PATH_H

#include <mrelease/event.h>

#include "base/arena.h"

/**
 * The path of components that come innermost first with a NUL after each, taken from `arena`; it
 * begins with "..." where outer ones were `cut`. Empty for no components, or without room.
 */
struct mrl_text mrl_exe_path__of(struct mrl_arena *arena, struct mrl_text steps, bool cut);

#endif
