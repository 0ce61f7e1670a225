/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded heap that is emptied at once: the memory behind the events of a batch. */
#ifndef MRL_BASE_ARENA_H
#define MRL_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct mrl_arena {
    char *bytes; /* borrowed */
    size_t size;
    size_t used;
    uint64_t serial; /* no other one of the same owner had it; 0: nothing in it is shared */
};

/** `size` bytes, aligned to 8, or NULL when the arena is full. */
static inline void *mrl_arena__take(struct mrl_arena *arena, size_t size)
{
    size_t start = (arena->used + 7) & ~(size_t)7;

    if (size > arena->size || start > arena->size - size)
        return NULL;
    arena->used = start + size;
    return arena->bytes + start;
}

#endif
