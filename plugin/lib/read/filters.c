// SPDX-License-Identifier: Apache-2.0
/* Filters by the generation of the configuration. */
#include "read/filters.h"

#include <errno.h>
#include <string.h>

void mrl_filters__init(struct mrl_filters *filters, const struct mrl_filter *first)
{
    *filters = (struct mrl_filters){ .held = { { .filter = first } }, .count = 1, .found = first };
    pthread_mutex_init(&filters->lock, NULL);
}

void mrl_filters__done(struct mrl_filters *filters)
{
    if (!filters->count)
        return;
    for (unsigned int i = 0; i < filters->count; i++)
        mrl_filter__free(filters->held[i].owned);
    pthread_mutex_destroy(&filters->lock);
    filters->count = 0;
}

int mrl_filters__add(struct mrl_filters *filters,
                     uint32_t from,
                     struct mrl_filter *filter,
                     struct mrl_error *error)
{
    int err = 0;

    pthread_mutex_lock(&filters->lock);
    if (filters->count == MRL_FILTERS_HELD)
        err = mrl_error__set(error, -EAGAIN, "%d filters are held by events that nobody has read",
                             MRL_FILTERS_HELD);
    else
        filters->held[filters->count++] =
            (struct mrl_held_filter){ .from = from, .filter = filter, .owned = filter };
    pthread_mutex_unlock(&filters->lock);
    return err;
}

void mrl_filters__take_back(struct mrl_filters *filters)
{
    pthread_mutex_lock(&filters->lock);
    filters->count--;
    pthread_mutex_unlock(&filters->lock);
}

void mrl_filters__end(struct mrl_filters *filters, const struct mrl_ring rings[MRL_LANE_COUNT])
{
    pthread_mutex_lock(&filters->lock);
    for (unsigned int i = 0; i + 1 < filters->count; i++) {
        struct mrl_held_filter *held = &filters->held[i];

        for (int lane = 0; !held->ended && lane < MRL_LANE_COUNT; lane++)
            held->end[lane] = mrl_ring__end(&rings[lane]);
        held->ended = true;
    }
    pthread_mutex_unlock(&filters->lock);
}

const struct mrl_filter *mrl_filters__last(struct mrl_filters *filters)
{
    const struct mrl_filter *last;

    pthread_mutex_lock(&filters->lock);
    last = filters->held[filters->count - 1].filter;
    pthread_mutex_unlock(&filters->lock);
    return last;
}

const struct mrl_filter *mrl_filters__of(struct mrl_filters *filters, uint32_t generation)
{
    unsigned int i;

    /* Nearly all records are of the same one as those before them. */
    if (generation == filters->generation)
        return filters->found;
    pthread_mutex_lock(&filters->lock);
    i = filters->count - 1;
    while (i && filters->held[i].from > generation)
        i--;
    filters->found = filters->held[i].filter;
    filters->generation = generation;
    pthread_mutex_unlock(&filters->lock);
    return filters->found;
}

static bool is_read(const struct mrl_held_filter *held, const struct mrl_ring rings[MRL_LANE_COUNT])
{
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        if (rings[lane].at < held->end[lane])
            return false;
    return held->ended;
}

void mrl_filters__drop_read(struct mrl_filters *filters,
                            const struct mrl_ring rings[MRL_LANE_COUNT])
{
    if (filters->count == 1)
        return;
    pthread_mutex_lock(&filters->lock);
    while (filters->count > 1 && is_read(&filters->held[0], rings)) {
        /* What was found last may be the one that goes. */
        filters->generation = filters->held[1].from;
        filters->found = filters->held[1].filter;
        mrl_filter__free(filters->held[0].owned);
        memmove(filters->held, filters->held + 1, --filters->count * sizeof(*filters->held));
    }
    pthread_mutex_unlock(&filters->lock);
}
