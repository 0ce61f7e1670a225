// SPDX-License-Identifier: Apache-2.0
/* MurmurHash3, x86, 32 bits (the public-domain algorithm by Austin Appleby), for 12-byte keys. */
#include "murmur.h"

enum { KEY_WORDS = 3 };

#define SEED        0x18273645U
#define ROUNDING_NS 10000000U

static uint32_t rotate(uint32_t value, unsigned int bits)
{
    return value << bits | value >> (32 - bits);
}

static uint32_t finish(uint32_t hash)
{
    hash ^= KEY_WORDS * 4;
    hash ^= hash >> 16;
    hash *= 0x85ebca6bU;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

uint32_t murmur__entity(uint32_t host_id, uint64_t start_ns)
{
    uint64_t time = start_ns - start_ns % ROUNDING_NS;
    /* Big-endian bytes of the id and of the time, read as little-endian words. */
    uint32_t key[KEY_WORDS] = { __builtin_bswap32(host_id),
                                __builtin_bswap32((uint32_t)(time >> 32)),
                                __builtin_bswap32((uint32_t)time) };
    uint32_t hash = SEED;

    for (int i = 0; i < KEY_WORDS; i++) {
        hash ^= rotate(key[i] * 0xcc9e2d51U, 15) * 0x1b873593U;
        hash = rotate(hash, 13) * 5 + 0xe6546b64U;
    }
    return finish(hash);
}
