/* SPDX-License-Identifier: Apache-2.0 */
/* Tracee's entity ids, computed here without the library that the program uses. */
#ifndef MRL_LIVE_MURMUR_H
#define MRL_LIVE_MURMUR_H

#include <stdint.h>

/** The id of task `host_id` that started at `start_ns` since the epoch, as Tracee v0.23 has it. */
uint32_t murmur__entity(uint32_t host_id, uint64_t start_ns);

#endif
