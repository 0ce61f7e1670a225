/* SPDX-License-Identifier: Apache-2.0 */
/* System calls by number, through the native and the 32-bit entry, and ways to be in their way. */
#ifndef MRL_LIVE_TRIGGER_H
#define MRL_LIVE_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

/** A number with this bit is that of the same call in the table of x32, where the kernel has one.
 */
#define X32_BIT 0x40000000L

/** Whether it has. */
bool trigger__has_x32(void);

/** The result of the call, -errno included. */
int64_t trigger__native(long number, uint64_t arg0, uint64_t arg1, uint64_t arg2);

/** Whether this machine has the 32-bit entry, int $0x80. */
bool trigger__has_compat(void);

/** The result of a call through int $0x80; -ENOSYS where there is none. */
int64_t trigger__compat(long number, uint32_t arg0, uint32_t arg1, uint32_t arg2);

/**
 * From now on the calling task's calls of these numbers end with -`result`, which may be 0, because
 * seccomp is asked before the kernel looks at them. One way only.
 */
bool trigger__block(long number, long other_number, int result);

/** The same, but the call kills the process; or sends it SIGSYS. */
bool trigger__block_deadly(long number, bool by_signal);

/** From now on a call that is not of the native architecture, x32 among them, kills the process. */
bool trigger__block_foreign(void);

#endif
