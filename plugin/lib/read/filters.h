/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters of the configurations of which records may still be in the rings. A record names the
 * configuration that judged it, so the reader asks that one's filter, however long ago it was
 * swapped. One thread reads, another adds.
 */
#ifndef MRL_READ_FILTERS_H
#define MRL_READ_FILTERS_H

#include <abi/record.h>
#include <pthread.h>
#include <stdatomic.h>

#include "event/batch.h"
#include "filter/filter.h"
#include "probe/rings.h"

enum { MRL_FILTERS_HELD = MRL_BATCH_POLICIES /* events of any of them may be in one batch */ };

/** A filter, and from which generation of the configuration on it holds. */
struct mrl_held_filter {
    uint32_t from;
    const struct mrl_filter *filter;
    struct mrl_filter *owned;          /* the same; NULL: borrowed */
    unsigned long end[MRL_LANE_COUNT]; /* of its last record in each ring, once that is known */
    bool ended;
};

struct mrl_filters {
    pthread_mutex_t lock;                          /* of the next two */
    struct mrl_held_filter held[MRL_FILTERS_HELD]; /* the oldest first */
    atomic_uint count;
    uint32_t generation; /* of the last that was asked for, by the reader alone */
    const struct mrl_filter *found;
};

/** `first` is borrowed. */
void mrl_filters__init(struct mrl_filters *filters, const struct mrl_filter *first);

/** Zeroed filters are allowed. */
void mrl_filters__done(struct mrl_filters *filters);

/** Adds the filter of the generation that comes next, before any record of it can; steals it.
 * -EAGAIN: so many are held by records that nobody has read. */
int mrl_filters__add(struct mrl_filters *filters,
                     uint32_t from,
                     struct mrl_filter *filter,
                     struct mrl_error *error);

/** That generation never came: takes the last one back, which is the caller's again. */
void mrl_filters__take_back(struct mrl_filters *filters);

/** No more records will come of the filters before the last one: they end where the rings do. */
void mrl_filters__end(struct mrl_filters *filters, const struct mrl_ring rings[MRL_LANE_COUNT]);

/** The one that holds for records from now on. Any thread that adds. */
const struct mrl_filter *mrl_filters__last(struct mrl_filters *filters);

/** The reader: the one of a generation; of an unknown one, the first. */
const struct mrl_filter *mrl_filters__of(struct mrl_filters *filters, uint32_t generation);

/** The reader: frees the filters whose last record it has read. */
void mrl_filters__drop_read(struct mrl_filters *filters,
                            const struct mrl_ring rings[MRL_LANE_COUNT]);

#endif
