/* SPDX-License-Identifier: Apache-2.0 */
/* How far the kernel's counters of pages can be off. */
#ifndef MRL_EVENT_PAGES_H
#define MRL_EVENT_PAGES_H

#include "event/host.h"
#include "event/raw.h"

/**
 * Pages that one counter of the target may be off by; 0 where the probes added up all parts. Since
 * 6.2 each CPU keeps up to a batch of each counter to itself (lib/percpu_counter.c: 32 pages or
 * twice the CPUs, whichever is more). Before, each thread keeps what its last 64 faults changed
 * (mm/memory.c), and a fault may map 16 pages.
 */
static inline uint64_t mrl_pages__bound(const struct mrl_raw *raw)
{
    uint64_t cpus = raw->host->facts.cpus, batch = cpus > 16 ? cpus * 2 : 32;

    if (raw->look->flags & MRL_TARGET_EXACT_RSS)
        return 0;
    if (raw->look->flags & MRL_TARGET_PER_TASK)
        return (uint64_t)64 * 16 * raw->look->threads;
    return batch * cpus;
}

#endif
