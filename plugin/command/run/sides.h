/* SPDX-License-Identifier: Apache-2.0 */
/* The side programs of a run: what they may ask of it. */
#ifndef MRL_COMMAND_RUN_SIDES_H
#define MRL_COMMAND_RUN_SIDES_H

#include <mrelease/mrelease.h>
#include <pthread.h>
#include <stdatomic.h>

#include "command/run/health.h"
#include "command/run/session_options.h"
#include "side/common/names/bridge.h"

/** What side programs use of a run. */
struct mrl_run_sides {
    struct mrl_sides *sides; /* NULL: no output has a side program */
    int first_level;         /* enum mrl_log_level: that of the start, */
    int log_level;           /* and what clients made of it; atomic */
    /* Their threads ask for counters, and switch events, while the session closes the plugin:
     * whoever uses it holds the lock, and it is taken away under it. */
    pthread_mutex_t lock;
    struct mrl_plugin *plugin; /* NULL: not yet, or no more */
    bool awaits_capture;       /* not yet, and there are no probes that could fail */
    const struct mrl_pipeline *pipeline;
    struct mrl_sink *metrics; /* the service of --http; NULL: there is none */
    struct mrl_names_bridge names;
    struct mrl_run_health health;
    atomic_bool policies_changed; /* a ConfigMap was exchanged: the reader reads it again */
};

/** Starts the starter, where an output or --http needs it, or a later output may; first_level and
 * log_level are set. To be called before anything is opened. Errors: as mrl_sides__start(); of
 * mrl_run_sides__join(). */
int mrl_run_sides__start(struct mrl_run_sides *run,
                         struct mrl_session_options *options,
                         struct mrl_error *error);

/** Opens the services: what --http names, and what asks for --names. Errors: of their open(), with
 * a line. */
int mrl_run_sides__serve(struct mrl_run_sides *run,
                         const struct mrl_session_options *options,
                         struct mrl_error *error);

/** Has an output's sink live in its side program, if it has one. Errors: -ENOENT that is not
 * installed; -ENOSYS nobody starts side programs. */
int mrl_run_sides__join(struct mrl_run_sides *run,
                        struct mrl_output_options *output,
                        struct mrl_error *error);

/** Waits until side programs have opened what they shall. Errors: as mrl_sides__await(). */
int mrl_run_sides__await(struct mrl_run_sides *run, struct mrl_error *error);

/** A capture will be replayed, whose first record may be far off: side programs are ready, and
 * counters are 0 until mrl_run_sides__ready(). */
void mrl_run_sides__await_capture(struct mrl_run_sides *run);

/** As mrl_sides__rest(). */
void mrl_run_sides__rest(struct mrl_run_sides *run);

/** The probes of `plugin` are proven, and `pipeline` takes their events; NULL: they go. */
void mrl_run_sides__ready(struct mrl_run_sides *run,
                          struct mrl_plugin *plugin,
                          const struct mrl_pipeline *pipeline);

/** As mrl_sides_options.fulfil: switches an event, or sets the log level. */
int mrl_run_sides__fulfil(struct mrl_run_sides *run,
                          const struct mrl_wish *wish,
                          struct mrl_error *error);

/** As mrl_sides_options.wished: tells of it, in the log and in the stream. */
void mrl_run_sides__wished(struct mrl_run_sides *run,
                           const struct mrl_wish *wish,
                           int err,
                           const char *why);

/** Side programs that were opened after that hear of it. */
void mrl_run_sides__begin(struct mrl_run_sides *run);

/** The registry of the run; `process`: with what this process takes. Any thread. Errors: -ENODEV
 * not yet, or no more; of mrl_metrics__collect_from(). */
int mrl_run_sides__collect(struct mrl_run_sides *run,
                           bool process,
                           struct mrl_metrics **ret_metrics);

/** The end is near: nothing is started again. */
void mrl_run_sides__hurry(struct mrl_run_sides *run);

/** Ends the service of --http, and the starter. After the outputs. */
void mrl_run_sides__end(struct mrl_run_sides *run);

#endif
