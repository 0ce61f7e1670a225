/* SPDX-License-Identifier: Apache-2.0 */
/* Records as a busy host makes them, decoded: what the encode group works on. */
#ifndef MRL_BENCH_RECORDS_H
#define MRL_BENCH_RECORDS_H

#include <abi/record.h>

#include "enrich/host.h"
#include "event/batch.h"

/** A record with all that may follow it. */
struct bench_record {
    struct mrl_record record;
    struct mrl_target target;
    char exe[64];
};

/**
 * Makes the record of a call: arguments, times and results differ from one `index` to the next, and
 * callers come `tasks` in turn.
 */
void bench_record__make(struct bench_record *record,
                        enum mrl_event_index event,
                        unsigned int index,
                        unsigned int tasks);

/**
 * Fills a batch with `MRL_BATCH_EVENTS` or fewer events of one kind, the first of which has this
 * index; returns their number.
 */
unsigned int bench_batch__fill(struct mrl_batch *batch,
                               struct mrl_host *host,
                               enum mrl_event_index event,
                               unsigned int tasks,
                               unsigned int first);

/** Gives every event of a batch an executable. */
void bench_batch__execute(struct mrl_batch *batch);

/** Puts every event of a batch into a container. */
void bench_batch__contain(struct mrl_batch *batch);

/** Empties a batch. */
void bench_batch__clear(struct mrl_batch *batch);

#endif
