// SPDX-License-Identifier: Apache-2.0
/* Batches and their pool. */
#include "event/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "event/named.h"

struct mrl_pool *mrl_pool__new(unsigned int max)
{
    struct mrl_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->max = max;
    pool->owned = 1;
    return pool;
}

static void pool_free(struct mrl_pool *pool)
{
    struct mrl_batch *batch;

    while ((batch = pool->free)) {
        pool->free = batch->next;
        free(batch);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void mrl_pool__unref(struct mrl_pool *pool)
{
    bool last;

    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    /* The pool outlives its owner while batches are out: whoever holds one may give it back at any
     * later time, on any thread, and the last one frees the pool. */
    pool->owned = 0;
    last = !pool->out;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
}

struct mrl_batch *mrl_pool__get(struct mrl_pool *pool)
{
    struct mrl_batch *batch;
    uint64_t serial;

    pthread_mutex_lock(&pool->lock);
    batch = pool->free;
    if (batch) {
        pool->free = batch->next;
    } else if (pool->made < pool->max) {
        /* Not zeroed: it is large, and each event is written before it is read. */
        batch = malloc(sizeof(*batch));
        pool->made += batch ? 1 : 0;
    }
    pool->out += batch ? 1 : 0;
    serial = ++pool->serial;
    pthread_mutex_unlock(&pool->lock);
    if (!batch)
        return NULL;
    batch->pool = pool;
    batch->count = batch->policies_count = 0;
    batch->arena =
        (struct mrl_arena){ .bytes = batch->bytes, .size = MRL_BATCH_BYTES, .serial = serial };
    return batch;
}

void mrl_batch__unref(struct mrl_batch *batch)
{
    struct mrl_pool *pool;
    bool last;

    if (!batch)
        return;
    pool = batch->pool;
    for (unsigned int i = 0; i < batch->policies_count; i++)
        mrl_policies__unref(batch->policies[i]);
    pthread_mutex_lock(&pool->lock);
    /* In front: it is the next to be used, while it may still be in the caches. */
    batch->next = pool->free;
    pool->free = batch;
    pool->out--;
    /* Decided with the lock, acted upon without it: the mutex goes with the pool. */
    last = !pool->owned && !pool->out;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        pool_free(pool);
}

static void keep(struct mrl_batch *batch, const struct mrl_policies *policies)
{
    unsigned int i = batch->policies_count;

    while (i && batch->policies[i - 1] != policies)
        i--;
    if (i)
        return;
    assert(batch->policies_count < MRL_BATCH_POLICIES);
    batch->policies[batch->policies_count++] = mrl_policies__ref(policies);
}

void mrl_batch__match(struct mrl_batch *batch,
                      const struct mrl_policies *policies,
                      uint64_t matched)
{
    struct mrl_event *event = &batch->events[batch->count - 1];

    struct mrl_record *record = (struct mrl_record *)event->raw; /* the batch's copy */

    if (policies)
        keep(batch, policies);
    event->all_policies = policies;
    event->policies = matched;
    if (record->flags & MRL_RECORD_JUDGED)
        ((struct mrl_judgement *)(record + 1))->policies = matched;
}

void mrl_batch__take_back(struct mrl_batch *batch, size_t used)
{
    mrl_named__take_back(&batch->events[--batch->count], batch->bytes + used);
    batch->arena.used = used;
}

size_t mrl_batch__count(const struct mrl_batch *batch)
{
    return batch->count;
}

const struct mrl_event *mrl_batch__at(const struct mrl_batch *batch, size_t index)
{
    return &batch->events[index];
}
