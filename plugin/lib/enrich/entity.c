// SPDX-License-Identifier: Apache-2.0
/* Tracee's entity ids: a hash of a task's number and start time. */
#include "enrich/entity.h"

#include <endian.h>
#include <murmurhash.h>
#include <string.h>

#define TRACEE_SEED 0x18273645

uint32_t mrl_entity_hash(uint32_t id, uint64_t time_ns)
{
    uint32_t be_id = htobe32(id), hash;
    uint64_t be_time = htobe64(time_ns);
    char key[sizeof(be_id) + sizeof(be_time)];

    memcpy(key, &be_id, sizeof(be_id));
    memcpy(key + sizeof(be_id), &be_time, sizeof(be_time));
    lmmh_x86_32(key, sizeof(key), TRACEE_SEED, &hash);
    return hash;
}
