/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a live plugin says of itself, as sensor_state in its batches: that it started, that it is
 * alive, what others told it, that it stopped. The reader's thread, but for tell().
 */
#ifndef MRL_READ_STATES_H
#define MRL_READ_STATES_H

#include <mrelease/plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "event/batch.h"
#include "event/state.h"

enum { MRL_TOLD_MAX = 16, MRL_TOLD_BYTES = 256 + 1 };

/** Between two `alive`. */
#define MRL_ALIVE_NS (60 * INT64_C(1000000000))

/** What was told and has not been said. */
struct mrl_told {
    struct mrl_state state;
    char detail[MRL_TOLD_BYTES];
};

/** Where states are said in words as well. `line` may be NULL. */
struct mrl_states_log {
    void (*line)(void *context, enum mrl_log_level level, const char *text);
    void *context;
};

struct mrl_states {
    char run[MRL_RUN_BYTES];            /* "": of a replay, which says nothing */
    char started[MRL_STATE_DETAIL_MAX]; /* what `started` says beside the run */
    atomic_bool in_batches;
    bool stopped;
    uint64_t so_far;                 /* events with a number that were handed out */
    int64_t alive_ns, next_alive_ns; /* CLOCK_MONOTONIC */
    struct mrl_states_log log;
    pthread_mutex_t lock; /* of what follows */
    struct mrl_told told[MRL_TOLD_MAX];
    unsigned int told_count;
};

/** Begins with nothing said. */
void mrl_states__init(struct mrl_states *states, const struct mrl_states_log *log);

void mrl_states__done(struct mrl_states *states);

/** The probes are attached: names the run, and has the next batch begin with `started`, which says
 * `detail`. With `in_batches` false all is a line of the log only. */
void mrl_states__start(struct mrl_states *states, bool in_batches, const char *detail);

/** From now on as with this `in_batches`. Any thread. */
void mrl_states__want(struct mrl_states *states, bool in_batches);

/** As mrl_plugin__tell(), but wakes nobody. Any thread. */
int mrl_states__tell(struct mrl_states *states, const struct mrl_state *state);

/** Appends what is due at the time `now_ns` (CLOCK_MONOTONIC) to an empty batch. Returns how many.
 */
int mrl_states__take(struct mrl_states *states, int64_t now_ns, struct mrl_batch *batch);

/** All was read: appends `stopped`, once. Returns how many. */
int mrl_states__stop(struct mrl_states *states, struct mrl_batch *batch);

/** Counts the events of a batch that is handed out. */
void mrl_states__count(struct mrl_states *states, const struct mrl_batch *batch);

/** How long the reader may wait so that `alive` comes in time; as `timeout_ms`, -1: for ever. */
int mrl_states__wait_ms(const struct mrl_states *states, int64_t now_ns, int timeout_ms);

#endif
