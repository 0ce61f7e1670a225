/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the state of a call lies between its entry and its exit: a slot of a table that was there
 * before the call was (docs/adr/0008). An idle task holds nothing. A slot is found by the task's
 * number, in one of a few places, and belongs to one task at a time.
 *
 * A call that finds none is remembered by a mark alone, and reported at its exit without what its
 * entry could have told. Some slots are for exits alone, two for each CPU, so that one that is
 * being reported nearly always has a place to be put together in.
 */
#ifndef MRL_LIB_SLOTS_H
#define MRL_LIB_SLOTS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "settings.h"

enum {
    MRL_SLOT_WAYS = 4,
};

/* Beside the number of the task in `owner`, while a program works on the slot. Only then nobody may
 * take it away. */
#define MRL_SLOT_BUSY (1ULL << 32)

/* A call that lasts longer may lose its slot to another, when there is no free one. It may be one
 * whose exit was missed, and whose task is gone. */
#define MRL_STALE_NS 30000000000ULL

/* Nobody outside can choose numbers that meet. */
static __always_inline __u32 task_hash(__u32 tid)
{
    __u64 hash = (tid ^ settings.seed) * 0x9e3779b97f4a7c15ULL;

    return hash >> 32;
}

/*
 * A table of settings.`map` slots, a power of two or none, and spare ones behind. `state` has an
 * `owner` and a `record`. Each function returns the number of a slot that is busy for the task, or
 * -1. They are global functions, which the verifier looks at by themselves: in each program it
 * would follow every way through them.
 */
#define MRL_SLOTS(map, state)                                                                \
    struct {                                                                                 \
        __uint(type, BPF_MAP_TYPE_ARRAY);                                                    \
        __uint(max_entries, 1); /* set before the load */                                    \
        __type(key, __u32);                                                                  \
        __type(value, struct state);                                                         \
    } map SEC(".maps");                                                                      \
                                                                                             \
    /* That of the task's call in flight. */                                                 \
    __noinline int map##__own(__u32 tid)                                                     \
    {                                                                                        \
        __u32 first = task_hash(tid);                                                        \
                                                                                             \
        for (__u32 i = 0; i < MRL_SLOT_WAYS; i++) {                                          \
            __u32 at = (first + i) & (settings.map - 1);                                     \
            struct state *slot = bpf_map_lookup_elem(&map, &at);                             \
                                                                                             \
            if (slot && slot->owner == tid &&                                                \
                __sync_val_compare_and_swap(&slot->owner, tid, tid | MRL_SLOT_BUSY) == tid)  \
                return at;                                                                   \
        }                                                                                    \
        return -1;                                                                           \
    }                                                                                        \
                                                                                             \
    /* A free one, or a stale one. */                                                        \
    __noinline int map##__claim(__u32 tid)                                                   \
    {                                                                                        \
        __u64 mine = tid | MRL_SLOT_BUSY, now, owner;                                        \
        __u32 first = task_hash(tid);                                                        \
                                                                                             \
        for (__u32 i = 0; i < MRL_SLOT_WAYS; i++) {                                          \
            __u32 at = (first + i) & (settings.map - 1);                                     \
            struct state *slot = bpf_map_lookup_elem(&map, &at);                             \
                                                                                             \
            if (slot && !slot->owner && !__sync_val_compare_and_swap(&slot->owner, 0, mine)) \
                return at;                                                                   \
        }                                                                                    \
        now = bpf_ktime_get_boot_ns();                                                       \
        for (__u32 i = 0; i < MRL_SLOT_WAYS; i++) {                                          \
            __u32 at = (first + i) & (settings.map - 1);                                     \
            struct state *slot = bpf_map_lookup_elem(&map, &at);                             \
                                                                                             \
            if (!slot)                                                                       \
                return -1;                                                                   \
            owner = slot->owner;                                                             \
            if (!(owner & MRL_SLOT_BUSY) && slot->record.entry_ns + MRL_STALE_NS < now &&    \
                __sync_val_compare_and_swap(&slot->owner, owner, mine) == owner)             \
                return at;                                                                   \
        }                                                                                    \
        return -1;                                                                           \
    }                                                                                        \
                                                                                             \
    /* One for as long as an exit is reported. */                                            \
    __noinline int map##__spare(__u32 tid)                                                   \
    {                                                                                        \
        __u32 first = settings.map + bpf_get_smp_processor_id() * MRL_SPARES_PER_CPU;        \
                                                                                             \
        for (__u32 i = 0; i < MRL_SPARES_PER_CPU; i++) {                                     \
            __u32 at = first + i;                                                            \
            struct state *slot = bpf_map_lookup_elem(&map, &at);                             \
                                                                                             \
            if (slot && !__sync_val_compare_and_swap(&slot->owner, 0, tid | MRL_SLOT_BUSY))  \
                return at;                                                                   \
        }                                                                                    \
        return -1;                                                                           \
    }

/* A store that no earlier one is moved behind: whoever finds the slot free finds it finished with.
 */
static __always_inline void set_owner(__u64 *owner, __u64 to)
{
    __sync_lock_test_and_set(owner, to);
}

#endif
