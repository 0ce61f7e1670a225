/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fair loss: who still gets room when the rare ring fills up (docs/limits.md). Anybody can make
 * calls by the million, failing ones and successful ones; so room is a share of each owner, and of
 * each target once. Asked only above seven eighths of the ring: below, everybody has room.
 *
 *   to 15/16   a first release of a target by this owner, or a token of the owner
 *   above      a first release whose owner has a token of a second bucket, for these alone
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
#include "abi/share.h"
#include "lib/settings.h"
#include "lib/task.h"
#include "lib/types.h"

enum {
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

static __always_inline bool take_token(__u64 *full_ns)
{
    __u64 now = bpf_ktime_get_boot_ns(), was, next;

    for (int i = 0; i < MRL_TOKEN_TRIES; i++) {
        was = *full_ns;
        next = mrl_bucket__take(was, now);
        if (!next)
            return false;
        if (__sync_val_compare_and_swap(full_ns, was, next) == was)
            return true;
    }
    return false;
}

/* Whether a call has room, with `used` bytes of the rare ring taken. A release that another one
 * overwrote in the table is a first one again. */
__noinline int has_share(__u64 used, __u32 owner, __u32 release)
{
    const struct mrl_share share = { .owner_uid = owner, .release = release };
    __u64 hash = mrl_share__hash(&share, settings.seed);
    __u32 at = mrl_owner__hash(owner, settings.seed) & (settings.owners - 1);
    __u32 place = hash & (settings.firsts - 1);
    struct tokens *tokens = bpf_map_lookup_elem(&owners, &at);
    __u64 *known = release > MRL_RELEASE_UNSEEN ? bpf_map_lookup_elem(&firsts, &place) : NULL;
    bool first, has_room;

    if (!tokens)
        return 0;
    first = release == MRL_RELEASE_UNSEEN || (known && *known != hash);
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
