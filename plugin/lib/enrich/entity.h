/* SPDX-License-Identifier: Apache-2.0 */
/* Tracee's entity ids. */
#ifndef MRL_ENRICH_ENTITY_H
#define MRL_ENRICH_ENTITY_H

#include <stdint.h>

/** MurmurHash3 x86-32 with Tracee's seed over the big-endian pair: HashU32AndU64 of Tracee. */
uint32_t mrl_entity_hash(uint32_t id, uint64_t time_ns);

/**
 * Entity id of a task that started at `start_ns` (epoch), cut down to a multiple of `rounding_ns`;
 * 0 for no task (events that name none have no start time).
 */
static inline uint32_t mrl_entity_id(uint32_t host_pid, uint64_t start_ns, uint64_t rounding_ns)
{
    return start_ns ? mrl_entity_hash(host_pid, start_ns - start_ns % rounding_ns) : 0;
}

#endif
