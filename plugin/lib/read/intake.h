/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading end of the ring buffers, without the rings: records go in one after the other, events
 * come out in a batch. What the reader's own filter refuses leaves no gap in the numbers; what the
 * probes lost is told in its place. One thread, but for counts().
 */
#ifndef MRL_READ_INTAKE_H
#define MRL_READ_INTAKE_H

#include <mrelease/plugin.h>
#include <stdatomic.h>

#include "probe/changes.h"
#include "read/filters.h"
#include "read/held.h"
#include "read/kernel_losses.h"

struct mrl_intake {
    struct mrl_host *host;
    struct mrl_filters filters;
    struct mrl_kernel_losses losses;
    struct mrl_batch *batch; /* being filled, and up to how many events */
    size_t limit;
    unsigned int filtered_now; /* in this round */
    size_t records;            /* read since it was last cleared, those that were filtered too */
    bool untold;               /* records were read since the losses were last told */
    uint64_t *skipped; /* per CPU and lane: the numbers of what was filtered here, or is held */
    struct mrl_held held;
    struct mrl_changes *changes;            /* NULL: nobody hears of them */
    bool hears;                             /* or did */
    atomic_ullong decoded[MRL_EVENT_COUNT]; /* written by the reader alone */
    atomic_ullong malformed[MRL_EVENT_COUNT];
    atomic_ullong filtered[MRL_EVENT_COUNT]; /* here; the kernel counts its own */
    atomic_ullong unidentified[MRL_EVENT_COUNT];
    atomic_ullong unnamed[MRL_EVENT_COUNT];
    atomic_ullong by_names[MRL_NAMES_RESULTS]; /* of all events in containers that have an id */
};

/** Begins with nothing read; all but `counters` is borrowed. `filter` is the first of its filters.
 * `events`: those that may come or be lost. Error: -ENOMEM; done() is due either way. */
int mrl_intake__init(struct mrl_intake *intake,
                     struct mrl_host *host,
                     const struct mrl_filter *filter,
                     const struct mrl_kernel_counters *counters,
                     uint32_t events);

/** Gives the containers of the host names, for which records wait so long. Before the first record.
 * Error: -ENOMEM. */
int mrl_intake__name(struct mrl_intake *intake,
                     const struct mrl_names_asking *asking,
                     uint64_t wait_ns);

/** As mrl_plugin__tell_names(), but wakes nobody: 1 where somebody waits for that. Any thread. */
int mrl_intake__tell_names(struct mrl_intake *intake, const struct mrl_container_names *names);

/** Asks for the names of containers when they are made, as the ring behind this map tells; on a
 * thread of its own, which is started once. Where names are off it does nothing. */
void mrl_intake__hear_changes(struct mrl_intake *intake, int map_fd);

/** Nobody is asked from there any more. */
void mrl_intake__end_changes(struct mrl_intake *intake);

/** As mrl_plugin__names(). */
bool mrl_intake__names(const struct mrl_intake *intake, struct mrl_names_status *ret_status);

/** A zeroed intake is allowed. */
void mrl_intake__done(struct mrl_intake *intake);

/** The next records are for `batch`, which is borrowed, up to `limit` events of it. Returns whether
 * it has room for one. */
bool mrl_intake__begin(struct mrl_intake *intake, struct mrl_batch *batch, size_t limit);

/**
 * Takes a record, of any bytes and aligned to 8. `intake` is a struct mrl_intake: this is
 * what mrl_ring__read() calls. Returns false when this record was taken and no more should be: the
 * batch is full, or so many were filtered that the caller should look at its other work.
 */
bool mrl_intake__take(void *intake, const void *record, size_t size);

/** Takes in names that were told, and appends what waited for them, or long enough at `now_ns`
 * (INT64_MAX: nothing waits any longer), to the batch of begin(), up to MRL_HELD_BATCH_SHARE of
 * its events: those behind are of whoever did not wait. Comes before new records are read: those of
 * a container keep their order. Returns whether more of them may go on. */
bool mrl_intake__let_go(struct mrl_intake *intake, int64_t now_ns);

/** There is nothing left to read: what was lost and not told yet is appended to the batch, once
 * after each time that records were read. */
void mrl_intake__tell_losses(struct mrl_intake *intake);

/** Sets those of the counts of an event that the intake keeps. Any thread. */
void mrl_intake__add_counts(const struct mrl_intake *intake,
                            unsigned int event,
                            struct mrl_event_counts *counts);

#endif
