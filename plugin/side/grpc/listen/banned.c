// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/banned.h"

#include <string.h>

/* NULL: it was never banned, or that is forgotten. */
static struct mrl_ban *find(struct mrl_banned *banned, const struct mrl_peer_id *id)
{
    for (unsigned int i = 0; i < MRL_BANNED_MAX; i++)
        if (banned->rows[i].ban_ms && !memcmp(&banned->rows[i].id, id, sizeof(*id)))
            return &banned->rows[i];
    return NULL;
}

/* The one that ends first, or has ended. */
static struct mrl_ban *first_to_end(struct mrl_banned *banned)
{
    struct mrl_ban *first = &banned->rows[0];

    for (unsigned int i = 1; i < MRL_BANNED_MAX; i++)
        if (banned->rows[i].until_ms < first->until_ms)
            first = &banned->rows[i];
    return first;
}

void mrl_banned__add(struct mrl_banned *banned, const struct mrl_peer_id *id, int64_t now_ms)
{
    struct mrl_ban *row = find(banned, id);

    if (!mrl_peer_id__is_one(id))
        return;
    if (row && row->until_ms > now_ms)
        return; /* for a connection that it had before */
    if (row && row->until_ms + MRL_BAN_FORGET_MS > now_ms) {
        row->ban_ms = 2 * row->ban_ms < MRL_BAN_MOST_MS ? 2 * row->ban_ms : MRL_BAN_MOST_MS;
    } else {
        row = row ? row : first_to_end(banned);
        *row = (struct mrl_ban){ .id = *id, .ban_ms = MRL_BAN_MS };
    }
    row->until_ms = now_ms + row->ban_ms;
}

bool mrl_banned__has(struct mrl_banned *banned, const struct mrl_peer_id *id, int64_t now_ms)
{
    const struct mrl_ban *row = find(banned, id);

    return row && row->until_ms > now_ms;
}
