/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: where records come from. A source turns them into events in a batch; it is owned by one
 * plugin and called by that plugin's thread, but for interrupt().
 */
#ifndef MRL_READ_SOURCE_H
#define MRL_READ_SOURCE_H

#include <mrelease/plugin.h>

#include "enrich/known_names.h"
#include "event/batch.h"
#include "probe/options.h"

struct mrl_source;

/** The options of a plugin after they were checked. */
struct mrl_source_options {
    struct mrl_probe_options probes;
    const char *replay; /* a path or "-"; NULL: live */
    bool states;        /* of a replay: sensor_state is wanted, whatever the filter names */
    bool names;         /* containers have some, and this is who is asked */
    struct mrl_names_asking asking;
    uint64_t names_wait_ns;
    /** Told within read() that the wall clock was set, by so many ns. NULL: nobody is. */
    void (*clock_set)(void *context, int64_t step_ns);
    void *context;
};

struct mrl_source_ops {
    /** Opens; `*ret_source` is new. -errno with a line in `error`. May block. */
    int (*open)(const struct mrl_source_options *options,
                struct mrl_error *error,
                struct mrl_source **ret_source);
    /**
     * Waits up to `timeout_ms` and appends events to an empty batch. Returns their number, 0 on
     * time-out, interruption, or when stopped and empty; -EIO; -ENODATA at the end of a replay.
     */
    int (*read)(struct mrl_source *source, int timeout_ms, struct mrl_batch *batch);
    /** Ends a wait, now or the next. Any thread; async-signal-safe. */
    void (*interrupt)(struct mrl_source *source);
    /** No new records from here on; those that exist can be read. Idempotent. */
    void (*stop)(struct mrl_source *source);
    /** Stops and frees. NULL is allowed. */
    void (*close)(struct mrl_source *source);
    int (*counts)(struct mrl_source *source,
                  unsigned int event,
                  struct mrl_event_counts *ret_counts);
    /** Watches these events from now on, and no others; under this filter, which it steals (NULL:
     * under that of now). Any thread. NULL: they cannot be changed. -errno with a line in `error`;
     * then nothing has changed, and the filter is the caller's. */
    int (*configure)(struct mrl_source *source,
                     uint32_t events,
                     struct mrl_filter *filter,
                     struct mrl_error *error);
    /** As mrl_plugin__tell_names(). NULL: nobody is to tell any. */
    int (*tell_names)(struct mrl_source *source, const struct mrl_container_names *names);
    /** As mrl_plugin__names(). NULL: they are off. */
    bool (*names)(const struct mrl_source *source, struct mrl_names_status *ret_status);
    /** As mrl_probes__find_unseen(); any thread. NULL: there are no probes. */
    uint32_t (*find_unseen)(struct mrl_source *source);
    /** How full its rings are; any thread. Returns how many there are. NULL: none. */
    unsigned int (*rings)(const struct mrl_source *source, struct mrl_ring_fill ret_fills[2]);
    /** The rung in use. */
    const char *(*rung)(const struct mrl_source *source);
    /** As mrl_plugin__unproven(); NULL: nothing had to be proven. */
    const char *(*unproven)(const struct mrl_source *source);
    /** How far it is, in ten thousandths; NULL: it has no end. */
    unsigned int (*progress)(const struct mrl_source *source);
    /** One line about the last read() that failed; NULL: its errno says it all. */
    const char *(*problem)(const struct mrl_source *source);
};

extern const struct mrl_source_ops mrl_live_source, mrl_replay_source;

#endif
