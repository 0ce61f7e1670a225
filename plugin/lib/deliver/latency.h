/* SPDX-License-Identifier: Apache-2.0 */
/* How late events are: from the exit of their call until they were handed to the outputs. */
#ifndef MRL_DELIVER_LATENCY_H
#define MRL_DELIVER_LATENCY_H

#include <mrelease/event.h>
#include <mrelease/pipeline.h>
#include <stdatomic.h>

/** Zeroed is empty. One thread counts. */
struct mrl_latencies {
    atomic_ullong buckets[MRL_LATENCY_BUCKETS];
    atomic_ullong sum_ns;
};

/** Counts the first `count` events of a batch, all of which were handed over just now. What the
 * sensor says of itself, and of losses, is left out. */
void mrl_latencies__count(struct mrl_latencies *latencies,
                          const struct mrl_batch *batch,
                          size_t count);

/** Any thread. */
void mrl_latencies__read(const struct mrl_latencies *latencies, struct mrl_latency *ret_latency);

/** The upper bound of a bucket in seconds, as Prometheus writes it. Static. */
const char *mrl_latency__bound(unsigned int bucket);

#endif
