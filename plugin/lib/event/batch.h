/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: the memory of the events that were read together. A batch comes from a pool, holds
 * copies of the records and everything computed from them, and returns to the pool when its last
 * reference goes, from whichever thread that happens on.
 */
#ifndef MRL_EVENT_BATCH_H
#define MRL_EVENT_BATCH_H

#include <abi/record.h>
#include <mrelease/event.h>
#include <pthread.h>

#include "base/arena.h"
#include "event/policies.h"

enum {
    MRL_BATCH_EVENTS = 256,
    MRL_BATCH_BYTES = 192 * 1024,
    MRL_BATCH_EVENT_ROOM = 12 * 1024,      /* what one event may take: record, values, texts */
    MRL_BATCH_SPARE = MRL_EVENT_COUNT + 2, /* the losses before the last event, told beside it */
    MRL_BATCH_POLICIES = 16,               /* configurations of which it holds events */
};

enum { MRL_RUN_BYTES = 16 + 1 + 16 + 1 /* BOOT-RUN and a NUL */ };

struct mrl_pool;

struct mrl_batch {
    struct mrl_pool *pool;
    struct mrl_batch *next; /* in the pool's free list */
    size_t count;
    struct mrl_host_facts host; /* of the records in it */
    char run[MRL_RUN_BYTES];    /* likewise */
    struct mrl_policies
        *policies[MRL_BATCH_POLICIES]; /* that its events are of; a reference each */
    unsigned int policies_count;
    struct mrl_arena arena;
    struct mrl_event events[MRL_BATCH_EVENTS + MRL_BATCH_SPARE];
    _Alignas(8) char bytes[MRL_BATCH_BYTES];
};

/** Shared by its owner and by each batch that is out; goes when all are gone. */
struct mrl_pool {
    pthread_mutex_t lock;
    struct mrl_batch *free;
    unsigned int made, out, max;
    uint64_t serial; /* of the batch that was handed out last */
    int owned;
};

/** A pool of at most `max` batches, made as they are needed. New; NULL without memory. */
struct mrl_pool *mrl_pool__new(unsigned int max);

/** The owner lets go. NULL is allowed. */
void mrl_pool__unref(struct mrl_pool *pool);

/** An empty batch; new reference. NULL when `max` are out, or without memory. Any thread. */
struct mrl_batch *mrl_pool__get(struct mrl_pool *pool);

/** Whether one more event fits, whatever it is. */
static inline bool mrl_batch__has_room(const struct mrl_batch *batch, size_t max_events)
{
    return batch->count < max_events && batch->arena.used + MRL_BATCH_EVENT_ROOM <= MRL_BATCH_BYTES;
}

/** The last event, which has a record, is wanted by these of the policies of its configuration.
 * They are kept for as long as the batch is; NULL: the one policy that has no name. */
void mrl_batch__match(struct mrl_batch *batch,
                      const struct mrl_policies *policies,
                      uint64_t matched);

/** Takes the last event back; `used` is what the arena held before it. */
void mrl_batch__take_back(struct mrl_batch *batch, size_t used);

#endif
