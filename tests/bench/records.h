/* SPDX-License-Identifier: Apache-2.0 */
/* Records as a busy host makes them, decoded: what the encode group works on. */
#ifndef MRL_BENCH_RECORDS_H
#define MRL_BENCH_RECORDS_H

#include <abi/record.h>

#include "core/batch.h"
#include "enrich/host.h"

/** A record with all that may follow it. */
struct bench_record {
    struct mrl_record record;
    struct mrl_target target;
    char exe[64];
};

/**
 * Makes a record of the event: numbers, times and names that differ from one `index` to the next,
 * as those of different callers do.
 */
void bench_record__make(struct bench_record *record,
                        enum mrl_event_index event,
                        unsigned int index);

/** Fills a batch with `MRL_BATCH_EVENTS` or fewer events of one kind; returns their number. */
unsigned int bench_batch__fill(struct mrl_batch *batch,
                               struct mrl_host *host,
                               enum mrl_event_index event);

/** Puts every event of a batch into a container. */
void bench_batch__contain(struct mrl_batch *batch);

/** Empties a batch. */
void bench_batch__clear(struct mrl_batch *batch);

#endif
