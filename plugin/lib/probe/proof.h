/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of our own, which show that attached probes really see what they claim to. */
#ifndef MRL_PROBE_PROOF_H
#define MRL_PROBE_PROOF_H

#include <abi/record.h>
#include <stdbool.h>
#include <stdint.h>

/** The arguments of a proof call, native or 32-bit: with them no kernel does anything, and other
 * sensors take it for what it is. `cookie`: what the prover knows it by, or 0. */
void mrl_proof__make(bool compat, uint64_t cookie, uint64_t ret_args[MRL_ARGS_MAX]);

/**
 * Makes each system call of the set `events` (bits of table indices) once, with arguments with
 * which no kernel does anything, and `cookie` in the sixth, which the kernel ignores and the probes
 * recognise; where this machine takes 32-bit calls from us, once more as such, with the halves
 * of `cookie` in the fifth and sixth; and where it takes x32 numbers, once more with these. The
 * calls are made in a short-lived child, so that this process's own memory locks stay as they are.
 * Blocks until the child is gone. Returns how often each call was made, 1 to 3. Errors: -errno of
 * the failed clone, -ECHILD the child was killed.
 */
int mrl_proof__call(uint32_t events, uint64_t cookie);

/** Whether system calls have x32 numbers as well (x86-64). False only where the kernel says ENOSYS:
 * a filter that refuses them to us does not refuse them to others. Blocks for a short-lived child.
 */
bool mrl_proof__may_have_x32(void);

#endif
