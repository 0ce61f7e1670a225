/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of our own, which show that attached probes really see what they claim to. */
#ifndef MRL_PROBE_PROOF_H
#define MRL_PROBE_PROOF_H

#include <stdint.h>

/**
 * Makes each system call of the set `events` (bits of table indices) once, with arguments with
 * which no kernel does anything, and `cookie` in the sixth, which the kernel ignores and the probes
 * recognise; and where this machine takes 32-bit calls from us, once more as such, with the halves
 * of `cookie` in the fifth and sixth. The calls are made in a short-lived child, so that this
 * process's own memory locks stay as they are. Blocks until the child is gone. Returns how often
 * each call was made, 1 or 2. Errors: -errno of the failed clone, -ECHILD the child was killed.
 */
int mrl_proof__call(uint32_t events, uint64_t cookie);

#endif
