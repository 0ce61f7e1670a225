// SPDX-License-Identifier: Apache-2.0
/* Shares of a queue: two tables of fixed size, seeded as the kernel's are. */
#include "deliver/shares.h"

#include <abi/share.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/random.h>

#include "base/clock.h"

enum { FIRSTS = 8192, OWNERS = 1024, WINDOW_NS = 100 * 1000 * 1000, STALE_WINDOWS = 10 };

/* Of an owner and an event: its two buckets, and how many of its lines were dropped in a window. */
struct owner {
    uint64_t common, last;
    uint32_t window, dropped;
};

struct mrl_shares_tables {
    uint64_t firsts[FIRSTS];
    struct owner owners[OWNERS];
};

/* -- who calls -------------------------------------------------------------------------------- */

struct mrl_share mrl_share__of(const struct mrl_event *event)
{
    const struct mrl_record *record = event->raw;

    if (!record)
        return (struct mrl_share){ 0 };
    if (record->flags & MRL_RECORD_SHARE)
        return record->share;
    return (struct mrl_share){ .owner_uid = record->uid };
}

static unsigned int place_of(uint32_t uid)
{
    return (unsigned int)(mrl_mix(0, uid) % MRL_OWNERS);
}

void mrl_callers__note(struct mrl_callers *callers,
                       const struct mrl_share *share,
                       const struct mrl_event *event)
{
    const struct mrl_record *record = event->raw;
    struct mrl_caller *caller = &callers->of[place_of(share->owner_uid)];

    if (!record)
        return;
    caller->is_known = true;
    caller->uid = share->owner_uid;
    caller->latest.cgroup_id = record->cgroup_id;
    memcpy(caller->latest.comm, record->comm, sizeof(record->comm));
}

/* -- shares ----------------------------------------------------------------------------------- */

int mrl_shares__init(struct mrl_shares *shares)
{
    *shares = (struct mrl_shares){ .tables = calloc(1, sizeof(*shares->tables)) };
    if (!shares->tables)
        return -ENOMEM;
    if (getrandom(&shares->seed, sizeof(shares->seed), GRND_NONBLOCK) < 0)
        shares->seed = (uint64_t)mrl_clock__ns(CLOCK_MONOTONIC);
    return 0;
}

void mrl_shares__done(struct mrl_shares *shares)
{
    free(shares->tables);
    *shares = (struct mrl_shares){ 0 };
}

static int64_t now_of(struct mrl_shares *shares)
{
    if (!shares->now_ns)
        shares->now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    return shares->now_ns;
}

/* Each event has buckets of its own, since a call may have two lines. */
static struct owner *owner_of(struct mrl_shares *shares, const struct mrl_line *line)
{
    uint64_t seed = mrl_mix(shares->seed, line->event);

    return &shares->tables->owners[mrl_owner__hash(line->share.owner_uid, seed) % OWNERS];
}

static bool take_token(struct mrl_shares *shares, uint64_t *bucket)
{
    uint64_t next = mrl_bucket__take(*bucket, (uint64_t)now_of(shares));

    *bucket = next ? next : *bucket;
    return next;
}

bool mrl_shares__admit(struct mrl_shares *shares, const struct mrl_line *line, bool last)
{
    unsigned int lane = mrl_event_def__at(line->event)->lane;
    struct owner *owner = owner_of(shares, line);
    uint64_t hash = mrl_share__hash(&line->share, mrl_mix(shares->seed, line->event));
    uint64_t *known = &shares->tables->firsts[hash % FIRSTS];
    bool first, is_in;

    if (lane != MRL_LANE_RARE)
        return lane == MRL_LANE_NONE;
    first = line->share.release == MRL_RELEASE_UNSEEN ||
            (line->share.release != MRL_RELEASE_NONE && *known != hash);
    is_in = last ? first && take_token(shares, &owner->last)
                 : first || take_token(shares, &owner->common);
    if (is_in && line->share.release > MRL_RELEASE_UNSEEN)
        *known = hash;
    return is_in;
}

/* -- who lost most ---------------------------------------------------------------------------- */

/* What was long ago says nothing of what is lost now. */
static void begin_window(struct mrl_shares *shares)
{
    bool is_stale = now_of(shares) - shares->window_ns > (int64_t)STALE_WINDOWS * WINDOW_NS;

    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
        shares->of[event].is_known = !is_stale && shares->of[event].is_worst_known;
        shares->of[event].uid = shares->of[event].worst_uid;
        shares->of[event].is_worst_known = false;
        shares->of[event].most = 0;
    }
    shares->window_ns = now_of(shares);
    shares->window++;
}

void mrl_shares__blame(struct mrl_shares *shares, const struct mrl_line *line)
{
    struct owner *owner = owner_of(shares, line);

    shares->has_news = true;
    if (now_of(shares) - shares->window_ns > WINDOW_NS)
        begin_window(shares);
    if (owner->window != shares->window) {
        owner->window = shares->window;
        owner->dropped = 0;
    }
    if (++owner->dropped <= shares->of[line->event].most)
        return;
    shares->of[line->event].most = owner->dropped;
    shares->of[line->event].worst_uid = line->share.owner_uid;
    shares->of[line->event].is_worst_known = true;
}

static struct mrl_blame blame_of(const struct mrl_shares *shares, unsigned int event)
{
    uint32_t uid = shares->of[event].is_known ? shares->of[event].uid : shares->of[event].worst_uid;
    const struct mrl_caller *caller = shares->callers ? &shares->callers->of[place_of(uid)] : NULL;

    if (!shares->of[event].is_known && !shares->of[event].is_worst_known)
        return (struct mrl_blame){ .is_known = false };
    if (!caller || !caller->is_known || caller->uid != uid)
        return (struct mrl_blame){ .is_known = false };
    return (struct mrl_blame){ .is_known = true, .uid = uid, .latest = caller->latest };
}

bool mrl_shares__name(struct mrl_shares *shares, struct mrl_blame by[MRL_EVENT_COUNT])
{
    if (!shares->has_news)
        return false;
    shares->has_news = false;
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        by[event] = blame_of(shares, event);
    return true;
}
