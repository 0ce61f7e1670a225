/* SPDX-License-Identifier: Apache-2.0 */
/* Side programs that a service manager starts, one for each connection to a socket in the file
 * system. */
#ifndef MRL_SIDE_COMMON_JOIN_H
#define MRL_SIDE_COMMON_JOIN_H

#include <stdbool.h>

/** Whether there is a socket at `path`. */
bool mrl_join__is_socket(const char *path);

/** Connects to it; blocks for up to two seconds while too many others want to. Who listens there
 * must be root, or the user of this process, or events would go to a stranger. Returns a socket, or
 * -errno: as connect(); -EACCES a stranger listens. */
int mrl_join__connect(const char *path);

#endif
