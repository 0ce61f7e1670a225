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

/* What is lost with a number: the hole shows where, and the counters say of which event. */
static const struct numbered {
    enum mrl_cause cause;
    size_t offset; /* of its counter */
} numbered[] = {
    { MRL_CAUSE_RING_FULL, offsetof(struct mrl_event_counters, refused) },
    { MRL_CAUSE_SUPPRESSED, offsetof(struct mrl_event_counters, suppressed) },
};

enum { NUMBERED = sizeof(numbered) / sizeof(numbered[0]) };

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
        .told = calloc((size_t)from->cpus * MRL_EVENT_COUNT * NUMBERED, sizeof(*losses->told)),
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
    if (losses->from.blame && (cause == MRL_CAUSE_RING_FULL || cause == MRL_CAUSE_SUPPRESSED))
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
                            unsigned int which,
                            unsigned int event,
                            unsigned int cpu,
                            uint64_t wanted)
{
    const char *counters = (const char *)&counters_of(losses, event)[cpu];
    uint64_t *told = &losses->told[(which * MRL_EVENT_COUNT + event) * losses->from.cpus + cpu];
    uint64_t count, untold, taken;

    memcpy(&count, counters + numbered[which].offset, sizeof(count));
    /* The counter goes on in the kernel and never back; `told` follows it. No more is told than it
     * knows, so that the losses in the stream add up to the counters at the end. */
    untold = count - *told;
    taken = untold < wanted ? untold : wanted;
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
    uint64_t counts[MRL_EVENT_COUNT][NUMBERED] = { 0 };

    for (int round = 0; round < 2 && missing; round++) {
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
            if (!is_of(losses, event, record->lane))
                continue;
            /* A system call per event: only when the values at hand do not explain the hole. */
            if (round)
                read_counters(losses, event);
            for (unsigned int which = 0; which < NUMBERED; which++) {
                uint64_t taken = take_untold(losses, which, event, record->cpu, missing);

                counts[event][which] += taken;
                missing -= taken;
            }
        }
    }
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        for (unsigned int which = 0; which < NUMBERED; which++)
            tell(losses, event, numbered[which].cause, counts[event][which], stream->last_ns,
                 record->exit_ns, batch);
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

/* The rest of one event and cause, of all CPUs; from the oldest of the last records before it. */
static void tell_untold(struct mrl_kernel_losses *losses,
                        unsigned int which,
                        unsigned int event,
                        uint64_t now,
                        struct mrl_batch *batch)
{
    unsigned int lane = mrl_event_def__at(event)->lane;
    uint64_t count = 0, from = now;

    for (unsigned int cpu = 0; cpu < losses->from.cpus; cpu++) {
        /* No record followed these, so that no hole in the numbers has shown them. */
        uint64_t taken = take_untold(losses, which, event, cpu, UINT64_MAX);

        if (taken && stream_of(losses, cpu, lane)->last_ns < from)
            from = stream_of(losses, cpu, lane)->last_ns;
        count += taken;
    }
    tell(losses, event, numbered[which].cause, count, from, now, batch);
}

static void tell_rest_of(struct mrl_kernel_losses *losses,
                         unsigned int event,
                         uint64_t now,
                         struct mrl_batch *batch)
{
    uint64_t no_memory = 0, exit_missed = 0;

    read_counters(losses, event);
    for (unsigned int cpu = 0; cpu < losses->from.cpus; cpu++) {
        no_memory += counters_of(losses, event)[cpu].no_memory;
        exit_missed += counters_of(losses, event)[cpu].exit_missed;
    }
    for (unsigned int which = 0; which < NUMBERED; which++)
        tell_untold(losses, which, event, now, batch);
    tell(losses, event, MRL_CAUSE_NO_MEMORY, no_memory - losses->told_no_memory[event],
         losses->start_ns, now, batch);
    losses->told_no_memory[event] = no_memory;
    tell(losses, event, MRL_CAUSE_EXIT_MISSED, exit_missed - losses->told_exit_missed[event],
         losses->start_ns, now, batch);
    losses->told_exit_missed[event] = exit_missed;
}

void mrl_kernel_losses__tell_rest(struct mrl_kernel_losses *losses, struct mrl_batch *batch)
{
    uint64_t now = (uint64_t)mrl_clock__boot_ns();

    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        if ((losses->events & (1U << event)) && mrl_event_def__at(event)->lane < MRL_LANE_COUNT)
            tell_rest_of(losses, event, now, batch);
}
