// SPDX-License-Identifier: Apache-2.0
/* Who caused most of a loss: the owner whose count grew most since the last look. */
#include "probe/culprits.h"

#include <string.h>

#include "base/clock.h"
#include "event/lost.h"

enum { READ_EVERY_MS = 100 };

static bool is_due(int64_t *last_ns, int64_t every_ms)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    if (*last_ns && now_ns - *last_ns < every_ms * INT64_C(1000000))
        return false;
    *last_ns = now_ns;
    return true;
}

/* The kernel forgets owners: one that comes back begins at 0. */
static uint64_t grown(const struct mrl_culprits *culprits,
                      const struct mrl_culprit_key *key,
                      uint64_t count)
{
    for (unsigned int i = 0; i < culprits->count; i++)
        if (!memcmp(&culprits->keys[i], key, sizeof(*key)))
            return count < culprits->culprits[i].count ? count
                                                       : count - culprits->culprits[i].count;
    return count;
}

void mrl_culprits__see(struct mrl_culprits *culprits,
                       const struct mrl_culprit_key *keys,
                       const struct mrl_culprit *now,
                       unsigned int count)
{
    uint64_t most[MRL_LANE_COUNT] = { 0 };

    for (unsigned int i = 0; i < count; i++) {
        unsigned int lane = keys[i].lane;
        uint64_t growth = lane < MRL_LANE_COUNT ? grown(culprits, &keys[i], now[i].count) : 0;

        if (lane >= MRL_LANE_COUNT || growth <= most[lane])
            continue;
        most[lane] = growth;
        culprits->is_known[lane] = true;
        culprits->worst_key[lane] = keys[i];
        culprits->worst[lane] = now[i];
    }
    memcpy(culprits->keys, keys, count * sizeof(*keys));
    memcpy(culprits->culprits, now, count * sizeof(*now));
    culprits->count = count;
}

/* A system call: not for each of the many gaps of a flood. */
static void look(struct mrl_culprits *culprits)
{
    struct mrl_culprit_key keys[MRL_CULPRITS_MAX];
    struct mrl_culprit now[MRL_CULPRITS_MAX];
    unsigned int count;

    if (!is_due(&culprits->read_ns, READ_EVERY_MS) ||
        mrl_probes__read_culprits(culprits->probes, keys, now, &count))
        return;
    mrl_culprits__see(culprits, keys, now, count);
}

void mrl_culprits__blame(void *context, unsigned int lane, struct mrl_lost *lost)
{
    struct mrl_culprits *culprits = context;
    char text[MRL_LOST_WHO_BYTES];

    look(culprits);
    if (!culprits->is_known[lane])
        return;
    lost->by = (struct mrl_blame){ .is_known = true,
                                   .uid = culprits->worst_key[lane].uid,
                                   .latest = culprits->worst[lane] };
    if (is_due(&culprits->logged_ns, MRL_LOST_LOG_MS))
        mrl_probe_options__log(culprits->options, MRL_LOG_WARNING, "%s", mrl_lost__who(lost, text));
}
