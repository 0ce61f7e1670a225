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

#include "deliver/pipeline_state.h"
#include "event/lost.h"
#include "event/state.h"

enum { FREE_MS = 200 };

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

/* -- outputs ---------------------------------------------------------------------------------- */

static bool is_same_group(const struct mrl_group *one, const struct mrl_group *other)
{
    return !strcmp(one->format, other->format) && one->colour == other->colour &&
           one->columns == other->columns && one->terminal == other->terminal &&
           one->wide == other->wide && one->extras == other->extras &&
           one->states == other->states && one->items == other->items;
}

int mrl_pipeline__open(struct mrl_pipeline *pipeline,
                       const struct mrl_output_options *options,
                       struct mrl_error *error,
                       struct mrl_output **ret_output,
                       struct mrl_group *ret_group)
{
    struct mrl_encoder_options encoder;
    int err = mrl_output__open(options, &pipeline->log, error, ret_output);

    if (err)
        return err;
    encoder = mrl_output__encoding(*ret_output);
    *ret_group = (struct mrl_group){ .colour = encoder.colour,
                                     .columns = encoder.width,
                                     .terminal = encoder.columns_context,
                                     .wide = encoder.wide,
                                     .extras = options->extras,
                                     .states = options->states,
                                     .items = encoder.items };
    snprintf(ret_group->format, sizeof(ret_group->format), "%s", options->format);
    err = mrl_encoder__new(options->format, &encoder, error, &ret_group->encoder);
    if (err)
        mrl_output__free(*ret_output);
    return err;
}

/* A place for a group: that of one like it, or a free one; there are as many as outputs. */
static unsigned int join_group(struct mrl_pipeline *pipeline, struct mrl_group *group)
{
    unsigned int place = 0;

    for (unsigned int i = 0; i < pipeline->group_count; i++)
        if (pipeline->groups[i].encoder && is_same_group(&pipeline->groups[i], group)) {
            mrl_encoder__free(group->encoder);
            return i;
        }
    while (place < pipeline->group_count && pipeline->groups[place].encoder)
        place++;
    pipeline->group_count += place == pipeline->group_count;
    pipeline->groups[place] = *group;
    return place;
}

void mrl_pipeline__place(struct mrl_pipeline *pipeline,
                         unsigned int index,
                         struct mrl_output *output,
                         struct mrl_group *group)
{
    struct mrl_slot *slot = &pipeline->slots[index];

    mrl_output__name_run(output, pipeline->run);
    output->index = index;
    output->queue.shares.callers = &pipeline->callers;
    output->queue.waits = pipeline->waits;
    output->queue.waits_context = pipeline->waits_context;
    output->nameless = pipeline->started; /* it begins in mid-run */
    slot->output = output;
    slot->group = join_group(pipeline, group);
    slot->is_gone = false;
    pipeline->slot_count += index == pipeline->slot_count;
}

int mrl_pipeline__add(struct mrl_pipeline *pipeline,
                      const struct mrl_output_options *options,
                      struct mrl_error *error)
{
    unsigned int index = pipeline->slot_count;
    struct mrl_output *output;
    struct mrl_group group;
    int err;

    if (index == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -ENOSPC, "more than %d outputs", MRL_OUTPUTS_MAX);
    err = mrl_pipeline__open(pipeline, options, error, &output, &group);
    if (err)
        return err;
    mrl_pipeline__place(pipeline, index, output, &group);
    return (int)index;
}

void mrl_pipeline__on_death(struct mrl_pipeline *pipeline,
                            void (*died)(void *context),
                            void *context)
{
    pipeline->log.died = died;
    pipeline->log.died_context = context;
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        mrl_output__on_death(pipeline->slots[i].output, &pipeline->log);
}

void mrl_pipeline__on_wait(struct mrl_pipeline *pipeline,
                           void (*waits)(void *context),
                           void *context)
{
    pipeline->waits = waits;
    pipeline->waits_context = context;
    for (unsigned int i = 0; i < pipeline->slot_count; i++) {
        pipeline->slots[i].output->queue.waits = waits;
        pipeline->slots[i].output->queue.waits_context = context;
    }
}

void mrl_pipeline__name_run(struct mrl_pipeline *pipeline, const char *run)
{
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        mrl_output__name_run(pipeline->slots[i].output, run);
    snprintf(pipeline->run, sizeof(pipeline->run), "%s", run);
}

int mrl_pipeline__start(struct mrl_pipeline *pipeline, struct mrl_error *error)
{
    int err = 0;

    pipeline->started = true;
    for (unsigned int i = 0; i < pipeline->slot_count; i++) {
        /* The others are started even when one fails; the error that is reported is the first. */
        int next = mrl_output__start(pipeline->slots[i].output, err ? NULL : error);

        mrl_output__greet(pipeline->slots[i].output);

        err = err ? err : next;
    }
    return err;
}

/* -- delivering ------------------------------------------------------------------------------- */

static bool is_fed(const struct mrl_slot *slot, unsigned int group)
{
    return slot->group == group && !slot->is_gone;
}

static void push_lines(struct mrl_pipeline *pipeline, unsigned int group)
{
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        if (is_fed(&pipeline->slots[i], group))
            mrl_output__push(pipeline->slots[i].output, pipeline->bytes, pipeline->lines,
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
        for (unsigned int i = 0; lost->by.is_known && i < pipeline->slot_count; i++)
            if (is_fed(&pipeline->slots[i], group))
                mrl_output__blame(pipeline->slots[i].output, lost);
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
                                           MRL_STAGE_BYTES - pipeline->used);
    *line = (struct mrl_line){
        .size = (uint32_t)size,
        .event = (uint16_t)event->def->index,
        .time_ns = event->entry_ns,
        .share = mrl_share__of(event),
    };
    mrl_callers__note(&pipeline->callers, &line->share, event);
    pipeline->used += (size_t)size;
}

/* How many calls of which event it stands for. */
static uint64_t calls_of(const struct mrl_event *event, unsigned int *ret_event)
{
    *ret_event = event->lost ? event->lost->event->index : event->def->index;
    return event->lost ? event->lost->count : 1;
}

/* The batch has what passes the filters in front, and what they refused behind it. */
static void count_events(struct mrl_pipeline *pipeline,
                         const struct mrl_batch *batch,
                         size_t passed)
{
    for (size_t i = 0; i < mrl_batch__count(batch); i++) {
        const struct mrl_event *event = mrl_batch__at(batch, i);
        unsigned int of;
        uint64_t calls = calls_of(event, &of);

        if (event->state)
            continue;
        if (i < passed)
            pipeline->given[of] += calls;
        else
            atomic_fetch_add(&pipeline->filtered[of], calls);
    }
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
        for (size_t i = 0; pipeline->groups[group].encoder && i < mrl_batch__count(batch); i++) {
            const struct mrl_event *event = mrl_batch__at(batch, i);

            if (event->state ? !pipeline->groups[group].states : i >= count)
                continue;
            encode(pipeline, group, event);
            /* The stage is emptied while the longest line still fits, so that no encoder ever lacks
             * room. */
            if (pipeline->line_count == MRL_STAGE_LINES ||
                MRL_STAGE_BYTES - pipeline->used < MRL_ITEM_BYTES_MAX)
                push_lines(pipeline, group);
        }
        push_lines(pipeline, group);
    }
    if (*pipeline->run)
        mrl_latencies__count(&pipeline->latencies, batch, count);
    count_events(pipeline, batch, count);
}

/* -- from reopening to the end ---------------------------------------------------------------- */

void mrl_pipeline__reopen(struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        if (!pipeline->slots[i].is_gone)
            mrl_output__reopen(pipeline->slots[i].output);
}

enum mrl_reopened mrl_pipeline__reopened(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return pipeline->slots[output].is_gone ? MRL_REOPEN_NONE
                                           : mrl_output__reopened(pipeline->slots[output].output);
}

void mrl_pipeline__hurry(struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        mrl_output__hurry(pipeline->slots[i].output);
}

bool mrl_pipeline__alive(const struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        if (!pipeline->slots[i].is_gone && mrl_output__alive(pipeline->slots[i].output))
            return true;
    return false;
}

int mrl_pipeline__end(struct mrl_pipeline *pipeline, int timeout_ms)
{
    if (pipeline->ended)
        return pipeline->end_err;
    pipeline->ended = true;
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        /* All are told before the first is waited for: they then write out side by side. */
        mrl_output__end(pipeline->slots[i].output);
    for (unsigned int i = 0; i < pipeline->slot_count; i++) {
        int err = mrl_output__join(pipeline->slots[i].output, timeout_ms);

        pipeline->end_errs[i] = pipeline->end_errs[i] ? pipeline->end_errs[i] : err;
        pipeline->end_err = pipeline->end_err ? pipeline->end_err : err;
    }
    return pipeline->end_err;
}

int mrl_pipeline__output_error(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return pipeline->end_errs[output];
}

/* -- looking ---------------------------------------------------------------------------------- */

unsigned int mrl_pipeline__outputs(const struct mrl_pipeline *pipeline)
{
    return pipeline->slot_count;
}

const char *mrl_pipeline__output_name(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return mrl_output__name(pipeline->slots[output].output);
}

const struct mrl_sink_ops *mrl_pipeline__output_sink(const struct mrl_pipeline *pipeline,
                                                     unsigned int output)
{
    return mrl_output__sink(pipeline->slots[output].output);
}

bool mrl_pipeline__output_is_spooled(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return *pipeline->slots[output].output->options.spool.directory;
}

bool mrl_pipeline__kept(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_kept *ret_kept)
{
    return mrl_output__kept(pipeline->slots[output].output, ret_kept);
}

void mrl_pipeline__latency(const struct mrl_pipeline *pipeline, struct mrl_latency *ret_latency)
{
    mrl_latencies__read(&pipeline->latencies, ret_latency);
}

struct mrl_output_counts mrl_pipeline__counts(const struct mrl_pipeline *pipeline,
                                              unsigned int output,
                                              unsigned int event)
{
    return mrl_output__counts(pipeline->slots[output].output, event);
}

uint64_t mrl_pipeline__forgotten(const struct mrl_pipeline *pipeline, int *ret_err)
{
    *ret_err = atomic_load(&pipeline->forgotten_err);
    return atomic_load(&pipeline->forgotten);
}

bool mrl_pipeline__life(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_life *ret_life)
{
    return mrl_output__life(pipeline->slots[output].output, ret_life);
}

bool mrl_pipeline__sent(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_sent *ret_sent)
{
    return mrl_output__sent(pipeline->slots[output].output, ret_sent);
}

const char *mrl_pipeline__output_destination(const struct mrl_pipeline *pipeline,
                                             unsigned int output)
{
    return pipeline->slots[output].output->options.destination;
}

bool mrl_pipeline__output_is_gone(const struct mrl_pipeline *pipeline, unsigned int output)
{
    return pipeline->slots[output].is_gone;
}

uint64_t mrl_pipeline__absent(const struct mrl_pipeline *pipeline,
                              unsigned int output,
                              unsigned int event)
{
    const struct mrl_slot *slot = &pipeline->slots[output];

    return slot->absent[event] +
           (slot->is_gone ? pipeline->given[event] - slot->gone_at[event] : 0);
}

void mrl_pipeline__waiting(const struct mrl_pipeline *pipeline,
                           unsigned int output,
                           struct mrl_waiting *ret_waiting)
{
    *ret_waiting = (struct mrl_waiting){ 0 };
    if (!pipeline->slots[output].is_gone)
        mrl_output__waiting(pipeline->slots[output].output, ret_waiting);
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
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        mrl_output__free(pipeline->slots[i].output);
    for (unsigned int i = 0; i < pipeline->group_count; i++)
        mrl_encoder__free(pipeline->groups[i].encoder);
    free(pipeline);
}
