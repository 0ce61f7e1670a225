// SPDX-License-Identifier: Apache-2.0
/*
 * In the hot path: the clock is asked once per batch, and what a batch adds up to is added to what
 * others read once per batch. An event costs a subtraction and, since those of a batch are about as
 * late as each other, two comparisons.
 */
#include "deliver/latency.h"

#include <time.h>

#include "base/clock.h"
#include "event/batch.h"

enum { LAST = MRL_LATENCY_BUCKETS - 1 };

/* Bounds of the buckets, but for the last, which has none; and how Prometheus writes them. */
static const struct {
    uint64_t most_ns;
    const char *text;
} bounds[LAST] = {
    { 25000, "0.000025" }, { 50000, "0.00005" },    { 100000, "0.0001" },  { 250000, "0.00025" },
    { 500000, "0.0005" },  { 1000000, "0.001" },    { 2500000, "0.0025" }, { 5000000, "0.005" },
    { 10000000, "0.01" },  { 25000000, "0.025" },   { 50000000, "0.05" },  { 100000000, "0.1" },
    { 250000000, "0.25" }, { 500000000, "0.5" },    { 1000000000, "1.0" }, { 2500000000, "2.5" },
    { 5000000000, "5.0" }, { 10000000000, "10.0" },
};

const char *mrl_latency__bound(unsigned int bucket)
{
    return bucket < LAST ? bounds[bucket].text : "+Inf";
}

/* Only one thread writes: no locked instruction. */
static void add(atomic_ullong *to, uint64_t more)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void mrl_latencies__read(const struct mrl_latencies *latencies, struct mrl_latency *ret_latency)
{
    *ret_latency = (struct mrl_latency){ .sum_ns = latencies->sum_ns };
    for (unsigned int i = 0; i < MRL_LATENCY_BUCKETS; i++) {
        ret_latency->buckets[i] = latencies->buckets[i];
        ret_latency->count += ret_latency->buckets[i];
    }
}

static unsigned int find(unsigned int bucket, uint64_t late_ns)
{
    while (bucket && late_ns <= bounds[bucket - 1].most_ns)
        bucket--;
    while (bucket < LAST && late_ns > bounds[bucket].most_ns)
        bucket++;
    return bucket;
}

void mrl_latencies__count(struct mrl_latencies *latencies,
                          const struct mrl_batch *batch,
                          size_t count)
{
    const uint64_t now_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    uint32_t more[MRL_LATENCY_BUCKETS] = { 0 };
    unsigned int bucket = 0;
    uint64_t sum_ns = 0;

    for (size_t i = 0; i < count; i++) {
        const struct mrl_event *event = &batch->events[i];
        uint64_t late_ns;

        if (event->lost || event->state)
            continue;
        late_ns = now_ns > event->exit_ns ? now_ns - event->exit_ns : 0;
        bucket = find(bucket, late_ns);
        more[bucket]++;
        sum_ns += late_ns;
    }
    for (unsigned int i = 0; i < MRL_LATENCY_BUCKETS; i++)
        if (more[i])
            add(&latencies->buckets[i], more[i]);
    add(&latencies->sum_ns, sum_ns);
}
