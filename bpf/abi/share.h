/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shares: what decides who still has room where there is little left (docs/limits.md). The ring of
 * the rare events and the queue of an output go by the same rules, each with tables of its own.
 * Compiled by both sides.
 */
#ifndef MRL_ABI_SHARE_H
#define MRL_ABI_SHARE_H

#include <linux/types.h>

enum {
    MRL_TOKEN_NS = 1000000, /* an owner gets a thousand a second */
    MRL_TOKENS = 64,        /* and may have so many at once */
    MRL_RELEASE_NONE = 0,   /* mrl_share.release: the call released nothing */
    MRL_RELEASE_UNSEEN = 1, /* it did, and nobody looked at its target: always a first one */
};

/** Whose call it is, and what it released. 8 bytes. */
struct mrl_share {
    __u32 owner_uid; /* in the initial user namespace: programs/fair.h */
    __u32 release;   /* MRL_RELEASE_…, or a number that the target has alone, but for chance */
};

static inline __u64 mrl_mix(__u64 hash, __u64 value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

/** The number of a target, which started at a time in CLOCK_BOOTTIME. */
static inline __u32 mrl_release_of(__u32 host_pid, __u64 start_ns)
{
    __u32 number = (__u32)mrl_mix(mrl_mix(0, host_pid), start_ns);

    /* No bit of it may be fixed: that would halve the tables that are hashed by it. */
    return number > MRL_RELEASE_UNSEEN ? number : number + MRL_RELEASE_UNSEEN + 1;
}

/** Of an owner and a release; nobody outside knows the seed, and so what meets in a table. Mixed
 * twice: after once, numbers at certain distances meet more often than by chance, whatever the seed
 * is. */
static inline __u64 mrl_share__hash(const struct mrl_share *share, __u64 seed)
{
    return mrl_mix(mrl_mix(seed, share->owner_uid | (__u64)share->release << 32), 0);
}

/** Of an owner alone. */
static inline __u64 mrl_owner__hash(__u32 owner_uid, __u64 seed)
{
    const struct mrl_share share = { .owner_uid = owner_uid, .release = MRL_RELEASE_NONE };

    return mrl_share__hash(&share, seed);
}

/** A bucket of tokens is the time at which it will be full again: what it is after one was taken;
 * 0: it is empty. */
static inline __u64 mrl_bucket__take(__u64 full_ns, __u64 now_ns)
{
    __u64 next_ns = (full_ns > now_ns ? full_ns : now_ns) + MRL_TOKEN_NS;

    return next_ns - now_ns > (__u64)MRL_TOKENS * MRL_TOKEN_NS ? 0 : next_ns;
}

#endif
