/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: which paths are in reach of this thread, and of those that it starts. */
#ifndef MRL_SIDE_LANDLOCK_H
#define MRL_SIDE_LANDLOCK_H

#include "side/common/profile.h"

/** From now on only `sandbox->paths` are in reach; without MRL_CALLS_NET no TCP port, and no
 * abstract socket of others is. Returns 0, or -errno: -EOPNOTSUPP the kernel has no Landlock, or it
 * is off. */
int mrl_landlock__enter(const struct mrl_sandbox *sandbox);

/** The version that this kernel has; 0: none. */
int mrl_landlock__version(void);

#endif
