// SPDX-License-Identifier: Apache-2.0
/* Chunks that the main process sends: each gets its verdict when all of its items are dealt with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/ship/ship.h"

/* The items of a chunk. Error: -EPROTO: one is shorter than its head. */
static int read_items(const struct mrl_ship_chunk *chunk, struct mrl_item *items)
{
    const char *at = chunk->bytes + chunk->count * sizeof(uint32_t);

    for (uint32_t i = 0; i < chunk->count; i++) {
        uint32_t size;

        memcpy(&size, chunk->bytes + i * sizeof(size), sizeof(size));
        if (size < sizeof(items[i].head))
            return -EPROTO;
        memcpy(&items[i].head, at, sizeof(items[i].head));
        if (items[i].head.event >= mrl_event_def__count())
            return -EPROTO;
        items[i].bytes = at + sizeof(items[i].head);
        items[i].size = size - (uint32_t)sizeof(items[i].head);
        at += size;
    }
    return 0;
}

/* Verdicts in runs of one kind. */
static void judge(const struct mrl_ship *ship, const struct mrl_ship_chunk *chunk, size_t first)
{
    static struct mrl_side_verdict runs[MRL_SIDE_ITEMS_MAX];
    uint32_t count = 0;

    for (size_t i = first; i < first + chunk->count; i++) {
        int err = ship->refused[i] ? MRL_SIDE_REFUSED : ship->dealt[i] ? 0 : -ECANCELED;

        if (!count || runs[count - 1].err != err)
            runs[count++] = (struct mrl_side_verdict){ 0, err };
        runs[count - 1].count++;
    }
    mrl_side__judge(chunk->id, runs, count);
}

/* As many of those that wait as one delivery takes. */
static unsigned int take_waiting(struct mrl_ship *ship, struct mrl_ship_chunk *ret_chunks)
{
    unsigned int count = 0;
    size_t items = 0;

    pthread_mutex_lock(&ship->lock);
    while (ship->used && items + ship->chunks[ship->first].count <= MRL_SHIP_ITEMS) {
        items += ship->chunks[ship->first].count;
        ret_chunks[count++] = ship->chunks[ship->first];
        ship->first = (ship->first + 1) % MRL_SHIP_CHUNKS;
        ship->used--;
    }
    pthread_mutex_unlock(&ship->lock);
    return count;
}

void mrl_ship__from_memory(struct mrl_ship *ship)
{
    struct mrl_ship_chunk chunks[MRL_SHIP_CHUNKS];

    while (!mrl_ship__is_over(ship)) {
        unsigned int count = take_waiting(ship, chunks);
        size_t items = 0;
        int err = 0;

        for (unsigned int i = 0; !err && i < count; i++) {
            err = read_items(&chunks[i], ship->items + items);
            items += chunks[i].count;
        }
        if (err)
            _exit(EXIT_FAILURE); /* as for every rule that the main process breaks */
        mrl_shipper__deliver(&ship->shipper, ship->items, items, ship->dealt, ship->refused);
        for (unsigned int i = 0, first = 0; i < count; first += chunks[i++].count) {
            judge(ship, &chunks[i], first);
            free(chunks[i].bytes);
        }
        if (!count)
            mrl_ship__await(ship, 1000);
    }
}
