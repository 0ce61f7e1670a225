/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of our own, which show that attached probes really see what they claim to. */
#ifndef MRL_PROBE_PROOF_H
#define MRL_PROBE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

/** The ways into the kernel that are proven, each by itself. */
enum mrl_proof_way { MRL_PROOF_NATIVE, MRL_PROOF_COMPAT, MRL_PROOF_X32, MRL_PROOF_WAY_COUNT };

/** "native", "compat" (32-bit calls), "x32". Static. */
const char *mrl_proof_way__name(enum mrl_proof_way way);

/** What came of a proof call. */
enum mrl_proof_outcome {
    MRL_PROOF_MADE,
    MRL_PROOF_CLOSED,  /* this machine has no such way */
    MRL_PROOF_REFUSED, /* a seccomp filter refuses the call to this process, or all of that way */
};

/**
 * Makes the system call at table index `event`, with arguments with which no kernel does anything,
 * and `cookie` in the sixth, which the kernel ignores and the probes recognise; of a 32-bit call
 * its halves in the fifth and sixth. The call is made in a short-lived child, so that this
 * process's own memory locks stay as they are. Blocks until the child is gone. Returns enum
 * mrl_proof_outcome, -errno of the failed clone, or -ECHILD: something else
 * killed the child.
 */
int mrl_proof__call(unsigned int event, enum mrl_proof_way way, uint64_t cookie);

/** Whether system calls have x32 numbers as well (x86-64). False only where the kernel says ENOSYS:
 * a filter that refuses them to us does not refuse them to others. Blocks for a short-lived child.
 */
bool mrl_proof__may_have_x32(void);

/** Whether a seccomp filter is on this thread, or hides whether it is. */
bool mrl_proof__is_filtered(void);

#endif
