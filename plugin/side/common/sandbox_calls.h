/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of a sandbox, as a seccomp filter. */
#ifndef MRL_SIDE_SANDBOX_CALLS_H
#define MRL_SIDE_SANDBOX_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/** Refuses all other calls than those of these groups, in every thread, for good. Wants
 * no_new_privs. Returns 0, or -errno: -EOPNOTSUPP the kernel has no such filters. */
int mrl_sandbox_calls__refuse_others(uint32_t calls);

/** Whether this kernel has such filters. */
bool mrl_sandbox_calls__are_known(void);

/** Whether a system call of this machine is on the lists of these groups, whatever its arguments
 * must be. */
bool mrl_sandbox_calls__list(uint32_t calls, int number);

#endif
