/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers at random from a fixed seed, so that a failure can be repeated. */
#ifndef MRL_SCHEMA_CHANCE_H
#define MRL_SCHEMA_CHANCE_H

#include <stddef.h>
#include <stdint.h>

static uint64_t random_state = 0x9e3779b97f4a7c15;

static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline size_t random_below(size_t bound)
{
    return bound ? random_bits() % bound : 0;
}

#endif
