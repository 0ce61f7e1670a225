// SPDX-License-Identifier: Apache-2.0
/* From records to events: losses, decoding, the reader's share of the filter, the counts. */
#include "read/intake.h"

#include <errno.h>
#include <stdlib.h>

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

void mrl_intake__done(struct mrl_intake *intake)
{
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

/* Keeps the last event, or takes it back when the filter refuses it. The events behind it then
 * get lower numbers: a number that is missing must mean a loss, and nothing else. */
static void filter_last(struct mrl_intake *intake, const struct mrl_record *record, size_t used)
{
    struct mrl_batch *batch = intake->batch;
    struct mrl_event *event = &batch->events[batch->count - 1];
    const struct mrl_filter *filter;
    uint64_t none = 0, *skipped = &none, policies;

    if (event->lookup > MRL_LOOKUP_KNOWN)
        count_one(&intake->unidentified[record->event]);
    if (record->cpu < intake->losses.from.cpus)
        skipped = &intake->skipped[record->cpu * MRL_LANE_COUNT + record->lane];
    filter = mrl_filters__of(&intake->filters, event->generation);
    policies = mrl_filter__match(filter, event);
    if (policies) {
        mrl_policies__count(filter->names, policies);
        mrl_batch__match(batch, filter->names, policies);
        event->seq -= *skipped;
        ((struct mrl_record *)event->raw)->seq = event->seq; /* the batch's copy */
        count_one(&intake->decoded[record->event]);
        return;
    }
    mrl_batch__take_back(batch, used);
    count_one(&intake->filtered[record->event]);
    ++*skipped;
    intake->filtered_now++;
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
    /* Only now: see() may have put an events_lost there, which must stay when the event is taken
     * back. */
    used = intake->batch->arena.used;
    if (!mrl_decode__append(data, size, intake->host, intake->batch)) {
        filter_last(intake, record, used);
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
}
