/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of a proof call, for whoever makes one: the program as well, which has the library
 * as a shared one. */
#ifndef MRL_PROBE_PROOF_ARGS_H
#define MRL_PROBE_PROOF_ARGS_H

#include <abi/record.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * With them no kernel does anything: -1 is no pidfd, no flags and no range to any of the calls;
 * munlockall asks for nothing. Of 32 bits: an address in the last page, which is no pidfd, nor
 * flags of mlockall; 0 bytes, which the calls take for nothing to do, or no flags; and flags that
 * mlock2 has not. The mark tells other sensors what this is: see programs/proof.h, which knows
 * these arguments. `cookie`: what the prover knows the call by, or 0.
 */
static inline void mrl_proof__make(bool compat, uint64_t cookie, uint64_t ret_args[MRL_ARGS_MAX])
{
    const uint64_t native[MRL_ARGS_MAX] = { UINT64_MAX, UINT64_MAX,     UINT64_MAX,
                                            UINT64_MAX, MRL_PROOF_MARK, cookie };
    const uint64_t narrow[MRL_ARGS_MAX] = { MRL_PROOF_ADDRESS, 0,
                                            UINT32_MAX,        (uint32_t)MRL_PROOF_MARK,
                                            cookie >> 32,      (uint32_t)cookie };

    memcpy(ret_args, compat ? narrow : native, sizeof(native));
}

#endif
