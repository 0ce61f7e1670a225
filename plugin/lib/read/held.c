// SPDX-License-Identifier: Apache-2.0
/* A bounded list of records that wait. */
#include "read/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"

static const unsigned int bounds_ms[MRL_WAIT_BUCKETS - 1] = { 1, 2, 5, 10, 20, 50 };

struct mrl_known_name *mrl_held__owner(const struct mrl_held *held,
                                       const struct mrl_membership *container)
{
    struct mrl_known_name *owner;

    if (!held->wait_ns || !container->id.size || container->is_claim)
        return NULL;
    owner = mrl_known_names__look(held->names, container);
    if (!owner)
        return NULL;
    return mrl_known_name__is_pending(owner) || mrl_known_name__hold(owner, 0) ? owner : NULL;
}

int mrl_held__put(struct mrl_held *held,
                  struct mrl_known_name *owner,
                  const void *record,
                  size_t size)
{
    struct mrl_held_record *copy = malloc(sizeof(*copy) + size);

    if (!copy)
        return -ENOMEM;
    copy->owner = owner;
    copy->since_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    copy->size = size;
    memcpy(copy->bytes, record, size);
    DL_APPEND(held->list, copy);
    mrl_known_name__hold(owner, 1);
    held->bytes += size;
    held->count++;
    if (held->count < MRL_HELD_MAX && held->bytes + MRL_RECORD_BYTES_MAX <= MRL_HELD_BYTES)
        return 1;
    held->overdue = held->count / MRL_HELD_OVERDUE_SHARE + 1;
    return 0;
}

/* Whoever came later waits for longer: those of one container leave in their order. */
static bool is_due(const struct mrl_held *held,
                   const struct mrl_held_record *record,
                   int64_t now_ns)
{
    return now_ns == INT64_MAX || now_ns - record->since_ns >= held->wait_ns;
}

static bool may_leave(const struct mrl_held *held,
                      const struct mrl_held_record *record,
                      int64_t now_ns)
{
    return !mrl_known_name__is_pending(record->owner) || is_due(held, record, now_ns);
}

struct mrl_held_record *mrl_held__next(struct mrl_held *held,
                                       const struct mrl_held_record *after,
                                       int64_t now_ns)
{
    const uint64_t changes = mrl_known_names__changes(held->names);
    struct mrl_held_record *record = after ? after->next : held->list;

    if (held->overdue)
        return held->list;
    if (held->seen == changes)
        return record && is_due(held, record, now_ns) ? record : NULL;
    while (record && !may_leave(held, record, now_ns))
        record = record->next;
    if (!record)
        held->seen = changes;
    return record;
}

/* One writer. */
static void add(atomic_ullong *counter, unsigned long long change)
{
    unsigned long long count = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, count + change, memory_order_relaxed);
}

void mrl_held__remove(struct mrl_held *held, struct mrl_held_record *record, int64_t now_ns)
{
    int64_t waited_ns = now_ns - record->since_ns;
    unsigned int bucket = 0;

    while (bucket < MRL_WAIT_BUCKETS - 1 && waited_ns > bounds_ms[bucket] * INT64_C(1000000))
        bucket++;
    add(&held->waits[bucket], 1);
    add(&held->waited_ns, (unsigned long long)(waited_ns > 0 ? waited_ns : 0));
    DL_DELETE(held->list, record);
    mrl_known_name__hold(record->owner, -1);
    held->bytes -= record->size;
    held->count--;
    held->overdue -= held->overdue ? 1 : 0;
    free(record);
}

int mrl_held__due_ms(const struct mrl_held *held)
{
    int64_t left_ns;

    if (!held->list)
        return -1;
    left_ns = held->list->since_ns + held->wait_ns - mrl_clock__ns(CLOCK_MONOTONIC);
    return left_ns <= 0 ? 0 : (int)((left_ns + 999999) / 1000000);
}

void mrl_held__done(struct mrl_held *held)
{
    struct mrl_held_record *record, *next;

    DL_FOREACH_SAFE(held->list, record, next)
    {
        DL_DELETE(held->list, record);
        free(record);
    }
    held->count = 0;
}
