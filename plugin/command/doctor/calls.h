/* SPDX-License-Identifier: Apache-2.0 */
/* Real calls of a child, one per way into the kernel, that the probes either see or do not. */
#ifndef MRL_COMMAND_DOCTOR_CALLS_H
#define MRL_COMMAND_DOCTOR_CALLS_H

#include "command/doctor/doctor.h"

/**
 * Calls process_mrelease with an impossible pidfd from a child, in one way. Returns the child's
 * process id in `*ret_child`, and whether this machine let it call so. Blocks until it is gone.
 */
bool mrl_way__call(enum mrl_way way, pid_t *ret_child);

#endif
