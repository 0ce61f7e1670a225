/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: where records come from. A source turns them into events in a batch; it is owned by one
 * plugin and called by that plugin's thread, but for interrupt().
 */
#ifndef MRL_CORE_SOURCE_H
#define MRL_CORE_SOURCE_H

#include <mrelease/plugin.h>

#include "core/batch.h"

struct mrl_filter;
struct mrl_source;
struct mrl_cpus;

/** The options of a plugin after they were checked. */
struct mrl_source_options {
    uint32_t events;                            /* from the start */
    uint32_t may_watch;                         /* these, and those that may be enabled later */
    uint32_t needs;                             /* set of MRL_NEED_… */
    const struct mrl_filter *filter;            /* outlives the source */
    const char *rung;                           /* a rung's name; NULL: choose */
    const char *coverage;                       /* "compat", "native" or "all" */
    uint64_t rare_ring_bytes, mlock_ring_bytes; /* powers of two of pages */
    void (*log)(void *log_context, enum mrl_log_level level, const char *text);
    void *log_context;
    const struct mrl_cpus *cpus; /* NULL: per-CPU counters cannot be added up */
    bool caller_exe;             /* records hold the path of the caller's executable */
    const char *replay;          /* a path or "-"; NULL: live */
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
    /** Watches these events from now on, and no others. Any thread. NULL: they are what they are.
     * -errno with a line in `error`; then nothing has changed. */
    int (*watch)(struct mrl_source *source, uint32_t events, struct mrl_error *error);
    /** The rung in use. */
    const char *(*rung)(const struct mrl_source *source);
    /** How far it is, in ten thousandths; NULL: it has no end. */
    unsigned int (*progress)(const struct mrl_source *source);
    /** One line about the last read() that failed; NULL: its errno says it all. */
    const char *(*problem)(const struct mrl_source *source);
};

extern const struct mrl_source_ops mrl_live_source, mrl_replay_source;

/** Formats a line for the log; does nothing without one. */
__attribute__((format(printf, 3, 4))) void mrl_source_options__log(
    const struct mrl_source_options *options, enum mrl_log_level level, const char *format, ...);

#endif
