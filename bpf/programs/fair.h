/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fair loss: who still gets room when the rare ring fills up (docs/limits.md). Anybody can make
 * calls by the million, failing ones and successful ones; so room is a share of each owner, and of
 * each target once. Asked only above seven eighths of the ring: below, everybody has room.
 *
 *   to 15/16   a first release of a target by this owner, or a token of the owner
 *   above      a first release whose owner has a token of a second bucket, which nothing else
 * spends
 *
 * All tables have a fixed size, and hashes are seeded: nothing is allocated, and nobody outside can
 * choose what meets.
 */
#ifndef MRL_PROGRAMS_FAIR_H
#define MRL_PROGRAMS_FAIR_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "lib/settings.h"
#include "lib/slots.h"
#include "lib/task.h"
#include "lib/types.h"

enum {
    MRL_TOKEN_NS = 1000000, /* an owner gets a thousand a second */
    MRL_TOKENS = 64,        /* and may have so many at once */
    MRL_TOKEN_TRIES = 4,
    MRL_USER_NS_LEVELS = 33, /* kernel/user_namespace.c lets no more nest */
};

/* Of releases that were let through: a hash of the target and the owner each. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* settings.firsts */
    __type(key, __u32);
    __type(value, __u64);
} firsts SEC(".maps");

/* Two buckets of an owner: the times at which they will be full again. */
struct tokens {
    __u64 common;
    __u64 last;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* settings.owners */
    __type(key, __u32);
    __type(value, struct tokens);
} owners SEC(".maps");

/* Who lost what. The kernel forgets the one that was quiet the longest: what cannot be attributed
 * is the difference to the counters. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, MRL_CULPRITS_MAX);
    __type(key, struct mrl_culprit_key);
    __type(value, struct mrl_culprit);
} culprits SEC(".maps");

/*
 * Whose calls these are: the uid where it is one of the initial user namespace; else the uid there
 * that owns the outermost namespace below it, since within that one anybody may have any uid.
 */
__noinline int owner_uid(void)
{
    const struct cred *cred = bpf_get_current_task_btf()->cred;
    struct user_namespace *inner = cred->user_ns, *outer = inner->parent;

    if (!outer)
        return cred->uid.val;
    for (int i = 0; i < MRL_USER_NS_LEVELS; i++) {
        struct user_namespace *further = BPF_CORE_READ(outer, parent);

        if (!further)
            break;
        inner = outer;
        outer = further;
    }
    return BPF_CORE_READ(inner, owner.val);
}

static __always_inline __u64 mix(__u64 hash, __u64 value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

static __always_inline __u64 hash_of_release(__u32 uid, __u32 target_pid, __u64 target_start_ns)
{
    return mix(mix(settings.seed, uid | (__u64)target_pid << 32), target_start_ns);
}

/* Where it is known that such a release was let through. What another overwrote is first again. */
static __always_inline __u64 *place_of_release(__u64 hash)
{
    __u32 at = hash & (settings.firsts - 1);

    return bpf_map_lookup_elem(&firsts, &at);
}

static __always_inline bool take_token(__u64 *full_ns)
{
    __u64 now = bpf_ktime_get_boot_ns(), was, next;

    for (int i = 0; i < MRL_TOKEN_TRIES; i++) {
        was = *full_ns;
        next = (was > now ? was : now) + MRL_TOKEN_NS;
        if (next - now > (__u64)MRL_TOKENS * MRL_TOKEN_NS)
            return false;
        if (__sync_val_compare_and_swap(full_ns, was, next) == was)
            return true;
    }
    return false;
}

/*
 * Whether a call has room, with `used` bytes of the rare ring taken. `target_pid` 0: it released
 * nothing. Where targets are not looked at, every release counts as a first one.
 */
__noinline int has_share(__u64 used, int released, __u32 target_pid, __u64 target_start_ns)
{
    __u32 uid = owner_uid(), at = task_hash(uid) & (settings.owners - 1);
    struct tokens *tokens = bpf_map_lookup_elem(&owners, &at);
    __u64 hash = hash_of_release(uid, target_pid, target_start_ns);
    __u64 *known = released && target_pid ? place_of_release(hash) : NULL;
    bool first, has_room;

    if (!tokens)
        return 0;
    first = released && (!settings.target_calls || (known && *known != hash));
    has_room = used < settings.nearly_full ? first || take_token(&tokens->common)
                                           : first && take_token(&tokens->last);
    if (known && has_room)
        *known = hash;
    return has_room;
}

/* Only where something is lost: then it may cost. */
__noinline int blame(__u32 lane, __u64 cgroup_id)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct mrl_culprit_key key = { .uid = owner_uid(), .lane = lane };
    struct mrl_culprit *culprit = bpf_map_lookup_elem(&culprits, &key);

    if (!culprit) {
        struct mrl_culprit none = { 0 };

        bpf_map_update_elem(&culprits, &key, &none, BPF_NOEXIST);
        culprit = bpf_map_lookup_elem(&culprits, &key);
    }
    if (!culprit)
        return 0;
    __sync_fetch_and_add(&culprit->count, 1);
    culprit->cgroup_id = cgroup_id;
    copy_name(culprit->comm, task->comm);
    return 0;
}

#endif
