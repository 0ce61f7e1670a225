// SPDX-License-Identifier: Apache-2.0
/* Losses of the kernel's side, told in the stream. */
#include "read/kernel_losses.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "event/lost.h"

static struct mrl_stream *stream_of(const struct mrl_kernel_losses *losses,
                                    unsigned int cpu,
                                    unsigned int lane)
{
    return &losses->streams[cpu * MRL_LANE_COUNT + lane];
}

static struct mrl_event_counters *counters_of(const struct mrl_kernel_losses *losses,
                                              unsigned int event)
{
    return &losses->counters[event * losses->from.cpus];
}

int mrl_kernel_losses__init(struct mrl_kernel_losses *losses,
                            const struct mrl_host *host,
                            const struct mrl_kernel_counters *from,
                            uint32_t events)
{
    *losses = (struct mrl_kernel_losses){
        .host = host,
        .from = *from,
        .events = events,
        .start_ns = (uint64_t)mrl_clock__boot_ns(),
        .streams = calloc((size_t)from->cpus * MRL_LANE_COUNT, sizeof(*losses->streams)),
        .counters = calloc((size_t)from->cpus * MRL_EVENT_COUNT, sizeof(*losses->counters)),
        .told =
            calloc((size_t)from->cpus * MRL_EVENT_COUNT * MRL_CAUSE_COUNT, sizeof(*losses->told)),
    };
    if (!losses->streams || !losses->counters || !losses->told) {
        mrl_kernel_losses__done(losses);
        return -ENOMEM;
    }
    for (unsigned int i = 0; i < from->cpus * MRL_LANE_COUNT; i++)
        losses->streams[i].last_ns = losses->start_ns;
    return 0;
}

void mrl_kernel_losses__done(struct mrl_kernel_losses *losses)
{
    free(losses->streams);
    free(losses->counters);
    free(losses->told);
    *losses = (struct mrl_kernel_losses){ 0 };
}

static void tell(const struct mrl_kernel_losses *losses,
                 unsigned int event,
                 enum mrl_cause cause,
                 uint64_t count,
                 uint64_t from_ns,
                 uint64_t to_ns,
                 struct mrl_batch *batch)
{
    struct mrl_lost lost = {
        .event = mrl_event_def__at(event),
        .count = count,
        .cause = cause,
        .from_ns = mrl_host__epoch(losses->host, from_ns),
        .to_ns = mrl_host__epoch(losses->host, to_ns),
    };

    if (!count)
        return;
    if (losses->from.blame && mrl_cause_def__of(cause)->leaves_hole)
        losses->from.blame(losses->from.culprits, mrl_event_def__at(event)->lane, &lost);
    mrl_lost__append(&lost, batch);
}

/* A failure leaves the last values: what they lack is told later, or shown missing by the totals.
 */
static void read_counters(struct mrl_kernel_losses *losses, unsigned int event)
{
    losses->from.read(losses->from.context, event, counters_of(losses, event), losses->from.cpus);
}

static bool is_of(const struct mrl_kernel_losses *losses, unsigned int event, unsigned int lane)
{
    return (losses->events & (1U << event)) && mrl_event_def__at(event)->lane == lane;
}

/* Takes up to `wanted` of what the counters know and nobody was told. */
static uint64_t take_untold(struct mrl_kernel_losses *losses,
                            enum mrl_cause cause,
                            unsigned int event,
                            unsigned int cpu,
                            uint64_t wanted)
{
    uint64_t *told = &losses->told[(cause * MRL_EVENT_COUNT + event) * losses->from.cpus + cpu];
    /* The counter goes on in the kernel and never back; `told` follows it. No more is told than it
     * knows, so that the losses in the stream add up to the counters at the end. */
    uint64_t untold =
        *mrl_counter__at(&counters_of(losses, event)[cpu], mrl_cause_def__of(cause)->in_kernel) -
        *told;
    uint64_t taken = untold < wanted ? untold : wanted;

    *told += taken;
    return taken;
}

/* The first round takes the counters as they were last read. In a lasting flood each batch has
 * many gaps, and the counters are ahead of the records. Only the second round reads them anew. */
static void tell_gap(struct mrl_kernel_losses *losses,
                     const struct mrl_record *record,
                     uint64_t missing,
                     struct mrl_batch *batch)
{
    const struct mrl_stream *stream = stream_of(losses, record->cpu, record->lane);
    uint64_t counts[MRL_EVENT_COUNT][MRL_CAUSE_COUNT] = { 0 }, taken;

    for (int round = 0; round < 2 && missing; round++) {
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
            if (!is_of(losses, event, record->lane))
                continue;
            /* A system call per event: only when the values at hand do not explain the hole. */
            if (round)
                read_counters(losses, event);
            for (enum mrl_cause cause = 0; cause < MRL_CAUSE_COUNT; cause++) {
                if (!mrl_cause_def__of(cause)->leaves_hole)
                    continue;
                taken = take_untold(losses, cause, event, record->cpu, missing);
                counts[event][cause] += taken;
                missing -= taken;
            }
        }
    }
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        for (enum mrl_cause cause = 0; cause < MRL_CAUSE_COUNT; cause++)
            tell(losses, event, cause, counts[event][cause], stream->last_ns, record->exit_ns,
                 batch);
}

void mrl_kernel_losses__see(struct mrl_kernel_losses *losses,
                            const struct mrl_record *record,
                            struct mrl_batch *batch)
{
    struct mrl_stream *stream;

    if (record->cpu >= losses->from.cpus || record->lane >= MRL_LANE_COUNT)
        return;
    stream = stream_of(losses, record->cpu, record->lane);
    if (record->seq > stream->next)
        tell_gap(losses, record, record->seq - stream->next, batch);
    if (record->seq < stream->next)
        return;
    /* Each CPU numbers its records of a lane by itself, without a lock shared with others. So a
     * hole is looked for per CPU and lane. */
    stream->next = record->seq + 1;
    stream->last_ns = record->exit_ns;
}

void mrl_kernel_losses__see_malformed(struct mrl_kernel_losses *losses,
                                      unsigned int event,
                                      struct mrl_batch *batch)
{
    uint64_t now = (uint64_t)mrl_clock__boot_ns();

    tell(losses, event, MRL_CAUSE_MALFORMED, 1, now, now, batch);
}

/* The rest of one event and cause, of all CPUs: no hole in the numbers has shown it. Where one
 * would, from the oldest of the last records before it. */
static void tell_untold(struct mrl_kernel_losses *losses,
                        enum mrl_cause cause,
                        unsigned int event,
                        uint64_t now,
                        struct mrl_batch *batch)
{
    bool leaves_hole = mrl_cause_def__of(cause)->leaves_hole;
    unsigned int lane = mrl_event_def__at(event)->lane;
    uint64_t count = 0, from = leaves_hole ? now : losses->start_ns;

    for (unsigned int cpu = 0; cpu < losses->from.cpus; cpu++) {
        uint64_t taken = take_untold(losses, cause, event, cpu, UINT64_MAX);

        if (taken && stream_of(losses, cpu, lane)->last_ns < from)
            from = stream_of(losses, cpu, lane)->last_ns;
        count += taken;
    }
    tell(losses, event, cause, count, from, now, batch);
}

static void tell_rest_of(struct mrl_kernel_losses *losses,
                         unsigned int event,
                         uint64_t now,
                         struct mrl_batch *batch)
{
    read_counters(losses, event);
    for (enum mrl_cause cause = 0; cause < MRL_CAUSE_COUNT; cause++)
        if (mrl_cause_def__of(cause)->in_kernel != MRL_UNCOUNTED)
            tell_untold(losses, cause, event, now, batch);
}

void mrl_kernel_losses__tell_rest(struct mrl_kernel_losses *losses, struct mrl_batch *batch)
{
    uint64_t now = (uint64_t)mrl_clock__boot_ns();

    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        if ((losses->events & (1U << event)) && mrl_event_def__at(event)->lane < MRL_LANE_COUNT)
            tell_rest_of(losses, event, now, batch);
}
