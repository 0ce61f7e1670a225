// SPDX-License-Identifier: Apache-2.0
/*
 * The pipeline, on the reader's side: encodes each event once per format and puts the line into the
 * queue of every output of that format. What happens behind the queue is output.c's.
 */
#include <errno.h>
#include <mrelease/pipeline.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/output.h"
#include "event/lost.h"
#include "event/state.h"

enum { STAGE_BYTES = 128 * 1024, STAGE_LINES = 256, FREE_MS = 200 };

/* Outputs that want the same bytes. */
struct group {
    const char *format;
    bool colour;
    unsigned int columns;
    uint32_t extras;
    bool states, items, wide;
    struct mrl_encoder *encoder;
};

struct mrl_pipeline {
    struct mrl_output_log log;
    struct mrl_output *outputs[MRL_OUTPUTS_MAX];
    unsigned int group_of[MRL_OUTPUTS_MAX];
    unsigned int output_count;
    struct group groups[MRL_OUTPUTS_MAX];
    unsigned int group_count;
    atomic_ullong filtered[MRL_EVENT_COUNT];
    char run[MRL_RUN_BYTES]; /* "": it has no name */
    bool started, ended;
    struct mrl_callers callers;             /* of the events so far */
    int end_err, end_errs[MRL_OUTPUTS_MAX]; /* the first of all; of each output */
    /* Lines of one group that are on their way to its outputs. A queue takes its lock once for all
     * of them, instead of once for each event. Only the reader's thread uses what follows. */
    size_t line_count, used;
    struct mrl_line lines[STAGE_LINES];
    char bytes[STAGE_BYTES];
};

int mrl_pipeline__new(void (*log)(void *log_context, enum mrl_log_level level, const char *text),
                      void *log_context,
                      struct mrl_pipeline **ret_pipeline)
{
    struct mrl_pipeline *pipeline = calloc(1, sizeof(*pipeline));

    if (!pipeline)
        return -ENOMEM;
    pipeline->log = (struct mrl_output_log){ .line = log, .context = log_context };
    *ret_pipeline = pipeline;
    return 0;
}

/* The group of an output; made when it is the first of its kind. */
static int join_group(struct mrl_pipeline *pipeline,
                      const struct mrl_output_options *options,
                      const struct mrl_output *output,
                      struct mrl_error *error)
{
    const struct mrl_encoder_options encoder = mrl_output__encoding(output);
    struct group *group = pipeline->groups;
    int err;

    for (unsigned int i = 0; i < pipeline->group_count; i++, group++)
        if (!strcmp(group->format, options->format) && group->colour == encoder.colour &&
            group->columns == encoder.width && group->wide == encoder.wide &&
            group->extras == options->extras && group->states == options->states &&
            group->items == encoder.items)
            return (int)i;
    err = mrl_encoder__new(options->format, &encoder, error, &group->encoder);
    if (err)
        return err;
    group->format = options->format;
    group->extras = options->extras;
    group->states = options->states;
    group->items = encoder.items;
    group->colour = encoder.colour;
    group->columns = encoder.width;
    group->wide = encoder.wide;
    /* The group counts only now: an encoder that could not be made leaves no half-made group
     * behind. */
    return (int)pipeline->group_count++;
}

void mrl_pipeline__on_death(struct mrl_pipeline *pipeline,
                            void (*died)(void *context),
                            void *context)
{
    pipeline->log.died = died;
    pipeline->log.died_context = context;
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        mrl_output__on_death(pipeline->outputs[i], &pipeline->log);
}

void mrl_pipeline__on_wait(struct mrl_pipeline *pipeline,
                           void (*waits)(void *context),
                           void *context)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++) {
        pipeline->outputs[i]->queue.waits = waits;
        pipeline->outputs[i]->queue.waits_context = context;
    }
}

int mrl_pipeline__add(struct mrl_pipeline *pipeline,
                      const struct mrl_output_options *options,
                      struct mrl_error *error)
{
    unsigned int index = pipeline->output_count;
    struct mrl_output *output;
    int group, err;

    if (index == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -ENOSPC, "more than %d outputs", MRL_OUTPUTS_MAX);
    err = mrl_output__open(options, &pipeline->log, error, &output);
    if (err)
        return err;
    group = join_group(pipeline, options, output, error);
    if (group < 0) {
        mrl_output__free(output);
        return group;
    }
    mrl_output__name_run(output, pipeline->run);
    output->index = index;
    output->queue.shares.callers = &pipeline->callers;
    output->nameless = pipeline->started; /* it begins in mid-run */
    pipeline->outputs[index] = output;
    pipeline->group_of[index] = (unsigned int)group;
    pipeline->output_count++;
    return (int)index;
}

void mrl_pipeline__name_run(struct mrl_pipeline *pipeline, const char *run)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        mrl_output__name_run(pipeline->outputs[i], run);
    snprintf(pipeline->run, sizeof(pipeline->run), "%s", run);
}

int mrl_pipeline__start(struct mrl_pipeline *pipeline, struct mrl_error *error)
{
    int err = 0;

    pipeline->started = true;
    for (unsigned int i = 0; i < pipeline->output_count; i++) {
        /* The others are started even when one fails; the error that is reported is the first. */
        int next = mrl_output__start(pipeline->outputs[i], err ? NULL : error);

        err = err ? err : next;
    }
    return err;
}

static void push_lines(struct mrl_pipeline *pipeline, unsigned int group)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        if (pipeline->group_of[i] == group)
            mrl_output__push(pipeline->outputs[i], pipeline->bytes, pipeline->lines,
                             pipeline->line_count);
    pipeline->line_count = pipeline->used = 0;
}

static void encode(struct mrl_pipeline *pipeline, unsigned int group, const struct mrl_event *event)
{
    struct mrl_line *line = &pipeline->lines[pipeline->line_count++];
    char *at = pipeline->bytes + pipeline->used;
    const struct mrl_lost *lost = event->lost;
    ssize_t size;

    if (lost) {
        for (unsigned int i = 0; lost->by.is_known && i < pipeline->output_count; i++)
            if (pipeline->group_of[i] == group)
                mrl_output__blame(pipeline->outputs[i], lost);
        *line = (struct mrl_line){
            .event = (uint16_t)lost->event->index,
            .cause = (uint16_t)lost->cause,
            .time_ns = lost->from_ns,
            .lost = lost->count,
            .last_ns = lost->to_ns,
        };
        return;
    }
    /* A state waits for its number: each output encodes it when it is written (output_write.c). */
    size = event->state ? (ssize_t)mrl_state__pack(event->state, at)
                        : mrl_encoder__put(pipeline->groups[group].encoder, event, at,
                                           STAGE_BYTES - pipeline->used);
    *line = (struct mrl_line){
        .size = (uint32_t)size,
        .event = (uint16_t)event->def->index,
        .time_ns = event->entry_ns,
        .share = mrl_share__of(event),
    };
    mrl_callers__note(&pipeline->callers, &line->share, event);
    pipeline->used += (size_t)size;
}

static void filter(struct mrl_pipeline *pipeline, const struct mrl_event *event)
{
    if (event->lost)
        atomic_fetch_add(&pipeline->filtered[event->lost->event->index], event->lost->count);
    else
        atomic_fetch_add(&pipeline->filtered[event->def->index], 1);
}

void mrl_pipeline__deliver(struct mrl_pipeline *pipeline,
                           const struct mrl_batch *batch,
                           size_t count)
{
    if (!pipeline->started)
        mrl_pipeline__start(pipeline, NULL);
    /* Group by group, so that each event is encoded once per format however many outputs want it,
     * and one stage is enough for all groups. */
    for (unsigned int group = 0; group < pipeline->group_count; group++) {
        for (size_t i = 0; i < mrl_batch__count(batch); i++) {
            const struct mrl_event *event = mrl_batch__at(batch, i);

            if (event->state ? !pipeline->groups[group].states : i >= count)
                continue;
            encode(pipeline, group, event);
            /* The stage is emptied while the longest line still fits, so that no encoder ever lacks
             * room. */
            if (pipeline->line_count == STAGE_LINES ||
                STAGE_BYTES - pipeline->used < MRL_ITEM_BYTES_MAX)
                push_lines(pipeline, group);
        }
        push_lines(pipeline, group);
    }
    /* The batch has what passes the filters in front, and what they refused behind it. */
    for (size_t i = count; i < mrl_batch__count(batch); i++)
        if (!mrl_batch__at(batch, i)->state)
            filter(pipeline, mrl_batch__at(batch, i));
}

void mrl_pipeline__reopen(struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        mrl_output__reopen(pipeline->outputs[i]);
}

enum mrl_reopened mrl_pipeline__reopened(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return mrl_output__reopened(pipeline->outputs[output]);
}

void mrl_pipeline__hurry(struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        mrl_output__hurry(pipeline->outputs[i]);
}

bool mrl_pipeline__alive(const struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        if (mrl_output__alive(pipeline->outputs[i]))
            return true;
    return false;
}

int mrl_pipeline__end(struct mrl_pipeline *pipeline, int timeout_ms)
{
    if (pipeline->ended)
        return pipeline->end_err;
    pipeline->ended = true;
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        /* All are told before the first is waited for: they then write out side by side. */
        mrl_output__end(pipeline->outputs[i]);
    for (unsigned int i = 0; i < pipeline->output_count; i++) {
        int err = mrl_output__join(pipeline->outputs[i], timeout_ms);

        pipeline->end_errs[i] = err;
        pipeline->end_err = pipeline->end_err ? pipeline->end_err : err;
    }
    return pipeline->end_err;
}

int mrl_pipeline__output_error(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return pipeline->end_errs[output];
}

unsigned int mrl_pipeline__outputs(const struct mrl_pipeline *pipeline)
{
    return pipeline->output_count;
}

const char *mrl_pipeline__output_name(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return mrl_output__name(pipeline->outputs[output]);
}

const struct mrl_sink_ops *mrl_pipeline__output_sink(const struct mrl_pipeline *pipeline,
                                                     unsigned int output)
{
    return mrl_output__sink(pipeline->outputs[output]);
}

bool mrl_pipeline__output_is_spooled(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return *pipeline->outputs[output]->options.spool.directory;
}

bool mrl_pipeline__kept(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_kept *ret_kept)
{
    return mrl_output__kept(pipeline->outputs[output], ret_kept);
}

struct mrl_output_counts mrl_pipeline__counts(const struct mrl_pipeline *pipeline,
                                              unsigned int output,
                                              unsigned int event)
{
    return mrl_output__counts(pipeline->outputs[output], event);
}

uint64_t mrl_pipeline__filtered(const struct mrl_pipeline *pipeline, unsigned int event)
{
    return pipeline->filtered[event];
}

void mrl_pipeline__free(struct mrl_pipeline *pipeline)
{
    if (!pipeline)
        return;
    mrl_pipeline__end(pipeline, FREE_MS);
    for (unsigned int i = 0; i < pipeline->output_count; i++)
        mrl_output__free(pipeline->outputs[i]);
    for (unsigned int i = 0; i < pipeline->group_count; i++)
        mrl_encoder__free(pipeline->groups[i].encoder);
    free(pipeline);
}
