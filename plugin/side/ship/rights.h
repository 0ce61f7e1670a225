/* SPDX-License-Identifier: Apache-2.0 */
/* What a program that connects keeps in its sandbox: sockets, and the files that say what names of
 * hosts mean. */
#ifndef MRL_SIDE_SHIP_RIGHTS_H
#define MRL_SIDE_SHIP_RIGHTS_H

#include <mrelease/encode.h>

#include "side/common/profile.h"

/**
 * Makes libraries read what they read once, and fills in what has to stay. Before there are other
 * threads. mrl_sandbox__done() frees. Returns 0, or -errno.
 */
int mrl_ship__keep_rights(struct mrl_sandbox *ret_sandbox);

/** This host, as it was when rights were given up. Static. One thread asks first. */
const struct mrl_host_identity *mrl_ship__host(void);

#endif
