/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes could not hand over: seen as gaps in the numbers of the records, counted by the
 * probes' own counters, and told by events_lost events in place of the gap.
 *
 * The counters are read only when a number is missing, and once in a while when it is quiet. Told
 * is what they say, never what the numbers suggest: of several events of one lane the numbers do
 * not tell which is missing.
 */
#ifndef MRL_READ_KERNEL_LOSSES_H
#define MRL_READ_KERNEL_LOSSES_H

#include "event/batch.h"
#include "event/host.h"

/** Records of one CPU and lane. */
struct mrl_stream {
    uint64_t next;    /* number of the next record */
    uint64_t last_ns; /* exit time of the last one, CLOCK_BOOTTIME */
};

/** Where the probes' counters are read. */
struct mrl_kernel_counters {
    /** Those of an event, one for each of the `cpus`. A failure, -errno, leaves `ret_each`. */
    int (*read)(const void *context,
                unsigned int event,
                struct mrl_event_counters *ret_each,
                unsigned int cpus);
    const void *context;
    /** Adds to a loss in a lane who caused it, where that is known. NULL: it never is. */
    void (*blame)(void *culprits, unsigned int lane, struct mrl_lost *lost);
    void *culprits;
    unsigned int cpus; /* that this kernel may have */
};

struct mrl_kernel_losses {
    const struct mrl_host *host;
    struct mrl_kernel_counters from;
    uint32_t events; /* those that may be lost */
    uint64_t start_ns;
    struct mrl_stream *streams;          /* [cpu][lane] */
    struct mrl_event_counters *counters; /* [event][cpu], as they were last read */
    uint64_t *told;                      /* [cause][event][cpu] */
};

/** Begins to watch; `host` and what the counters point to are borrowed. Error: -ENOMEM. */
int mrl_kernel_losses__init(struct mrl_kernel_losses *losses,
                            const struct mrl_host *host,
                            const struct mrl_kernel_counters *from,
                            uint32_t events);

/** Zeroed losses are allowed. */
void mrl_kernel_losses__done(struct mrl_kernel_losses *losses);

/** A record was read: when some are missing before it, they are appended to `batch`. */
void mrl_kernel_losses__see(struct mrl_kernel_losses *losses,
                            const struct mrl_record *record,
                            struct mrl_batch *batch);

/** The number behind the last record that was seen of a CPU and lane. */
static inline uint64_t mrl_kernel_losses__next(const struct mrl_kernel_losses *losses,
                                               const struct mrl_record *record)
{
    return losses->streams[record->cpu * MRL_LANE_COUNT + record->lane].next;
}

/** Tells of a record that was read and could not be decoded. */
void mrl_kernel_losses__see_malformed(struct mrl_kernel_losses *losses,
                                      unsigned int event,
                                      struct mrl_batch *batch);

/** Nothing is left to read: appends all that was lost and not told yet. */
void mrl_kernel_losses__tell_rest(struct mrl_kernel_losses *losses, struct mrl_batch *batch);

#endif
