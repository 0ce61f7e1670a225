/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a pipeline share: delivering (pipeline.c), and outputs that come and go while
 * it does (change.c). */
#ifndef MRL_DELIVER_PIPELINE_STATE_H
#define MRL_DELIVER_PIPELINE_STATE_H

#include <mrelease/pipeline.h>
#include <stdatomic.h>

#include "deliver/latency.h"
#include "deliver/output.h"

enum { MRL_STAGE_BYTES = 128 * 1024, MRL_STAGE_LINES = 256, MRL_FORMAT_BYTES = 32 };

/** Outputs that want the same bytes. */
struct mrl_group {
    char format[MRL_FORMAT_BYTES];
    bool colour;
    unsigned int columns;
    const void *terminal; /* NULL: it is none */
    uint32_t extras;
    bool states, items, wide;
    struct mrl_encoder *encoder; /* NULL: there are none, the place is free */
};

/** The place of an output. */
struct mrl_slot {
    struct mrl_output *output;
    unsigned int group;
    bool is_gone;                      /* removed: it is here for its counts */
    uint64_t absent[MRL_EVENT_COUNT];  /* what others were given before it came */
    uint64_t gone_at[MRL_EVENT_COUNT]; /* what all had been given when it went */
};

struct mrl_pipeline {
    struct mrl_output_log log;
    struct mrl_slot slots[MRL_OUTPUTS_MAX];
    unsigned int slot_count;
    struct mrl_group groups[MRL_OUTPUTS_MAX];
    unsigned int group_count;
    uint64_t given[MRL_EVENT_COUNT]; /* of the thread that delivers */
    atomic_ullong filtered[MRL_EVENT_COUNT];
    struct mrl_latencies latencies;
    void (*waits)(void *waits_context);
    void *waits_context;
    char run[MRL_RUN_BYTES]; /* "": it has no name */
    bool started, ended;
    struct mrl_callers callers;             /* of the events so far */
    int end_err, end_errs[MRL_OUTPUTS_MAX]; /* the first of all; of each output */
    /* Of removed outputs that keep what they get, and whose place another one has: */
    atomic_ullong forgotten;  /* events that they lost */
    atomic_int forgotten_err; /* of the last that failed at its end */
    /* Lines of one group that are on their way to its outputs. A queue takes its lock once for all
     * of them, instead of once for each event. Only the reader's thread uses what follows. */
    size_t line_count, used;
    struct mrl_line lines[MRL_STAGE_LINES];
    char bytes[MRL_STAGE_BYTES];
};

/** Opens an output that is in no slot yet, and makes the group that it would want: a new encoder,
 * which is the caller's. Errors: as mrl_pipeline__add(). */
int mrl_pipeline__open(struct mrl_pipeline *pipeline,
                       const struct mrl_output_options *options,
                       struct mrl_error *error,
                       struct mrl_output **ret_output,
                       struct mrl_group *ret_group);

/** Puts an output into the slot at `index`, and into a group like `group`, whose encoder is stolen
 * or freed. The thread that delivers. */
void mrl_pipeline__place(struct mrl_pipeline *pipeline,
                         unsigned int index,
                         struct mrl_output *output,
                         struct mrl_group *group);

#endif
