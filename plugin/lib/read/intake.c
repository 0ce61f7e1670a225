// SPDX-License-Identifier: Apache-2.0
/* From records to events: losses, decoding, the reader's share of the filter, the counts. */
#include "read/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/decode.h"

enum {
    FILTERED_ROUND = 4096, /* refused records, after which one look at a ring ends */
};

int mrl_intake__init(struct mrl_intake *intake,
                     struct mrl_host *host,
                     const struct mrl_filter *filter,
                     const struct mrl_kernel_counters *counters,
                     uint32_t events)
{
    *intake = (struct mrl_intake){ .host = host };
    mrl_filters__init(&intake->filters, filter);
    intake->skipped = calloc((size_t)counters->cpus * MRL_LANE_COUNT, sizeof(*intake->skipped));
    return intake->skipped ? mrl_kernel_losses__init(&intake->losses, host, counters, events)
                           : -ENOMEM;
}

int mrl_intake__name(struct mrl_intake *intake,
                     const struct mrl_names_asking *asking,
                     uint64_t wait_ns)
{
    int err = mrl_known_names__new(asking, &intake->held.names);

    if (err)
        return err;
    intake->held.wait_ns = (int64_t)wait_ns;
    intake->host->named = mrl_known_names__named;
    intake->host->names = intake->held.names;
    return 0;
}

int mrl_intake__tell_names(struct mrl_intake *intake, const struct mrl_container_names *names)
{
    int err;

    if (!intake->held.names)
        return -EOPNOTSUPP;
    err = mrl_known_names__tell(intake->held.names, names);
    return err < 0 ? err : err || atomic_load(&intake->held.count);
}

void mrl_intake__hear_changes(struct mrl_intake *intake, int map_fd)
{
    /* Once: where there is no thread, the first event of a container asks. */
    if (!intake->held.names || intake->hears)
        return;
    intake->hears = true;
    mrl_changes__start(map_fd, mrl_known_names__see, intake->held.names, &intake->changes);
}

void mrl_intake__end_changes(struct mrl_intake *intake)
{
    mrl_changes__stop(intake->changes);
    intake->changes = NULL;
    intake->hears = true;
}

bool mrl_intake__names(const struct mrl_intake *intake, struct mrl_names_status *ret_status)
{
    struct mrl_names_counts counts;

    if (!intake->held.names)
        return false;
    counts = mrl_known_names__counts(intake->held.names);
    *ret_status = (struct mrl_names_status){ .asked = counts.asked,
                                             .waited_ns = intake->held.waited_ns,
                                             .waiting = intake->held.count };
    memcpy(ret_status->answers, counts.answers, sizeof(counts.answers));
    for (unsigned int i = 0; i < MRL_NAMES_RESULTS; i++)
        ret_status->events[i] = intake->by_names[i];
    for (unsigned int i = 0; i < MRL_NAMES_WAITS; i++)
        ret_status->waits[i] = intake->held.waits[i];
    return true;
}

void mrl_intake__done(struct mrl_intake *intake)
{
    mrl_intake__end_changes(intake);
    mrl_held__done(&intake->held);
    mrl_known_names__free(intake->held.names);
    intake->held.names = NULL;
    mrl_filters__done(&intake->filters);
    mrl_kernel_losses__done(&intake->losses);
    free(intake->skipped);
    intake->skipped = NULL;
}

bool mrl_intake__begin(struct mrl_intake *intake, struct mrl_batch *batch, size_t limit)
{
    intake->batch = batch;
    intake->limit = limit;
    intake->filtered_now = 0;
    return mrl_batch__has_room(batch, limit);
}

/* One writer: no need for a locked instruction. */
static void count_one(atomic_ullong *counter)
{
    unsigned long long count = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, count + 1, memory_order_relaxed);
}

/* What is filtered or held takes no number. The events behind it get lower ones: a number that is
 * missing must mean a loss, and nothing else. NULL: of a CPU that cannot be. */
static uint64_t *skipped_of(const struct mrl_intake *intake, const struct mrl_record *record)
{
    return record->cpu < intake->losses.from.cpus
               ? &intake->skipped[record->cpu * MRL_LANE_COUNT + record->lane]
               : NULL;
}

/* An event that was held gets the number behind the last one that was handed out: lines are
 * numbered in the order in which they stand. */
static uint64_t number_of(struct mrl_intake *intake, const struct mrl_record *record, bool was_held)
{
    uint64_t *skipped = skipped_of(intake, record);

    if (!skipped)
        return record->seq;
    if (!was_held)
        return record->seq - *skipped;
    return mrl_kernel_losses__next(&intake->losses, record) - (*skipped)--;
}

static void count_names(struct mrl_intake *intake, const struct mrl_event *event)
{
    if (event->lookup > MRL_LOOKUP_KNOWN)
        count_one(&intake->unidentified[event->def->index]);
    if (!intake->host->named || !event->container_id.size)
        return;
    count_one(&intake->by_names[event->names_result]);
    if (event->names_result != MRL_NAMES_KNOWN)
        count_one(&intake->unnamed[event->def->index]);
}

/* Keeps the last event, or takes it back when the filter refuses it. */
static void filter_last(struct mrl_intake *intake,
                        const struct mrl_record *record,
                        size_t used,
                        bool was_held)
{
    struct mrl_batch *batch = intake->batch;
    struct mrl_event *event = &batch->events[batch->count - 1];
    const struct mrl_filter *filter;
    uint64_t *skipped = skipped_of(intake, record), policies;

    count_names(intake, event);
    filter = mrl_filters__of(&intake->filters, event->generation);
    policies = mrl_filter__match(filter, event);
    if (policies) {
        mrl_policies__count(filter->names, policies);
        mrl_batch__match(batch, filter->names, policies);
        event->seq = number_of(intake, record, was_held);
        ((struct mrl_record *)event->raw)->seq = event->seq; /* the batch's copy */
        count_one(&intake->decoded[record->event]);
        return;
    }
    mrl_batch__take_back(batch, used);
    count_one(&intake->filtered[record->event]);
    if (skipped && !was_held)
        ++*skipped;
    intake->filtered_now++;
}

/* -- waiting for names ------------------------------------------------------------------------ */

/* Whether a record waits. Only one that can be decoded does: what is wrong is told at once.
 * `ret_more`: another one may be taken. */
static bool hold(struct mrl_intake *intake,
                 const struct mrl_record *record,
                 size_t size,
                 bool *ret_more)
{
    struct mrl_raw raw = { .record = NULL };
    struct mrl_membership container;
    struct mrl_known_name *owner;
    uint64_t *skipped;
    int more;

    if (!intake->held.wait_ns)
        return false;
    container = mrl_host__container(intake->host, record->cgroup_id);
    owner = mrl_held__owner(&intake->held, &container);
    if (!owner || size > MRL_RECORD_BYTES_MAX || mrl_decode__check(record, size, &raw))
        return false;
    more = mrl_held__put(&intake->held, owner, record, size);
    if (more < 0)
        return false;
    skipped = skipped_of(intake, record);
    if (skipped)
        ++*skipped;
    *ret_more = more;
    return true;
}

bool mrl_intake__let_go(struct mrl_intake *intake, int64_t now_ns)
{
    struct mrl_held *held = &intake->held;
    struct mrl_held_record *record = NULL, *before = NULL;
    size_t limit =
        intake->limit < MRL_HELD_BATCH_SHARE ? intake->limit : (size_t)MRL_HELD_BATCH_SHARE;
    int64_t left_ns = now_ns == INT64_MAX ? mrl_clock__ns(CLOCK_MONOTONIC) : now_ns;

    if (held->names && mrl_known_names__has_news(held->names))
        mrl_known_names__take(held->names);
    while (held->list && mrl_batch__has_room(intake->batch, limit) &&
           (record = mrl_held__next(held, before, now_ns))) {
        size_t used = intake->batch->arena.used;

        before = record == held->list ? NULL : record->prev;
        if (!mrl_decode__append(record->bytes, record->size, intake->host, intake->batch))
            filter_last(intake, (const void *)record->bytes, used, true);
        mrl_held__remove(held, record, left_ns);
    }
    return record && held->list;
}

/* What the probes say of a cgroup, in front of the first record of it. It is no event: nothing
 * counts it, and it has no number. */
static bool is_cgroup(const struct mrl_record *record, size_t size)
{
    return size >= sizeof(struct mrl_cgroup_names) && record->event == MRL_RECORD_CGROUP;
}

bool mrl_intake__take(void *context, const void *data, size_t size)
{
    struct mrl_intake *intake = context;
    const struct mrl_record *record = data;
    bool known = size >= sizeof(*record) && record->event < MRL_EVENT_COUNT;
    bool more = true;
    size_t used;

    if (is_cgroup(record, size)) {
        if (intake->host->describe)
            intake->host->describe(intake->host->containers, data, size);
        return true; /* it takes no room, and leaves as much as there was */
    }
    intake->untold = true;
    intake->records++;
    if (known)
        mrl_kernel_losses__see(&intake->losses, record, intake->batch);
    if (known && hold(intake, record, size, &more))
        return more && mrl_batch__has_room(intake->batch, intake->limit);
    /* Only now: see() may have put an events_lost there, which must stay when the event is taken
     * back. */
    used = intake->batch->arena.used;
    if (!mrl_decode__append(data, size, intake->host, intake->batch)) {
        filter_last(intake, record, used, false);
    } else if (known) {
        count_one(&intake->malformed[record->event]);
        mrl_kernel_losses__see_malformed(&intake->losses, record->event, intake->batch);
    }
    return mrl_batch__has_room(intake->batch, intake->limit) &&
           intake->filtered_now < FILTERED_ROUND;
}

void mrl_intake__tell_losses(struct mrl_intake *intake)
{
    if (!intake->untold)
        return;
    intake->untold = false;
    mrl_kernel_losses__tell_rest(&intake->losses, intake->batch);
}

void mrl_intake__add_counts(const struct mrl_intake *intake,
                            unsigned int event,
                            struct mrl_event_counts *counts)
{
    counts->decoded = intake->decoded[event];
    counts->malformed = intake->malformed[event];
    counts->filtered_late = intake->filtered[event];
    counts->unidentified = intake->unidentified[event];
    counts->unnamed = intake->unnamed[event];
}
