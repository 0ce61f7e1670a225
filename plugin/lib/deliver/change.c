// SPDX-License-Identifier: Apache-2.0
/*
 * Outputs that come and go while events are delivered. What may take long, or fail, is done beside
 * the thread that delivers: opening before, flushing and closing after. That thread itself only
 * exchanges pointers, between two batches.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/pipeline_state.h"

/* What one output took over of another's counts. */
struct inherited {
    uint64_t dropped[MRL_EVENT_COUNT], dropped_late[MRL_EVENT_COUNT];
    uint64_t counts[MRL_EVENT_COUNT][MRL_FATE_COUNT];
};

struct coming {
    struct mrl_output *output;
    struct mrl_group group;
    struct mrl_output *after; /* it goes on where this one, which leaves, ends; NULL: none */
    struct inherited inherited;
    unsigned int slot;
};

struct mrl_change {
    struct mrl_pipeline *pipeline;
    struct coming coming[MRL_OUTPUTS_MAX];
    unsigned int coming_count;
    bool leaves[MRL_OUTPUTS_MAX];                /* by slot */
    struct mrl_output *leaving[MRL_OUTPUTS_MAX]; /* once it is applied */
    bool is_kept[MRL_OUTPUTS_MAX];               /* in its slot, for its counts */
    unsigned int leaving_slots[MRL_OUTPUTS_MAX], leaving_count;
    int policies[MRL_OUTPUTS_MAX]; /* of those that stay; -1: as it is */
    bool is_applied;
};

/* -- planning --------------------------------------------------------------------------------- */

int mrl_change__new(struct mrl_pipeline *pipeline, struct mrl_change **ret_change)
{
    struct mrl_change *change = calloc(1, sizeof(*change));

    if (!change)
        return -ENOMEM;
    change->pipeline = pipeline;
    for (unsigned int i = 0; i < MRL_OUTPUTS_MAX; i++)
        change->policies[i] = -1;
    *ret_change = change;
    return 0;
}

void mrl_change__remove(struct mrl_change *change, unsigned int output)
{
    change->leaves[output] = true;
}

void mrl_change__set_policy(struct mrl_change *change, unsigned int output, enum mrl_policy policy)
{
    change->policies[output] = (int)policy;
}

/* Whether another one goes on there already. */
static bool has_heir(const struct mrl_change *change, const struct mrl_output *output)
{
    for (unsigned int i = 0; i < change->coming_count; i++)
        if (change->coming[i].after == output)
            return true;
    return false;
}

static bool is_same_place(const struct mrl_output *one, const struct mrl_output *other)
{
    const struct mrl_output_options *a = &one->options, *b = &other->options;

    return a->sink && a->sink == b->sink && !strcmp(a->destination, b->destination);
}

/* Those that stay, and those that come. */
static unsigned int count_after(const struct mrl_change *change)
{
    const struct mrl_pipeline *pipeline = change->pipeline;
    unsigned int count = change->coming_count;

    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        count += !pipeline->slots[i].is_gone && !change->leaves[i];
    return count;
}

int mrl_change__add(struct mrl_change *change,
                    const struct mrl_output_options *options,
                    struct mrl_error *error)
{
    struct mrl_pipeline *pipeline = change->pipeline;
    struct coming *coming = &change->coming[change->coming_count];
    struct mrl_output_options its = { 0 };
    int err;

    memcpy(&its, options, options->size < sizeof(its) ? options->size : sizeof(its));
    its.size = sizeof(its);
    its.no_wait = true;
    if (count_after(change) >= MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -ENOSPC, "more than %d outputs", MRL_OUTPUTS_MAX);
    err = mrl_pipeline__open(pipeline, &its, error, &coming->output, &coming->group);
    if (err)
        return err;
    /* Others wrote there, or this run did: nobody was blind since then. */
    coming->output->blind_from_ns = 0;
    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        if (change->leaves[i] && !coming->after &&
            is_same_place(pipeline->slots[i].output, coming->output) &&
            !has_heir(change, pipeline->slots[i].output))
            coming->after = pipeline->slots[i].output;
    change->coming_count++;
    return 0;
}

/* -- applying --------------------------------------------------------------------------------- */

static bool is_leaving(const struct mrl_change *change, const struct mrl_output *output)
{
    for (unsigned int i = 0; i < change->leaving_count; i++)
        if (change->leaving[i] == output)
            return true;
    return false;
}

/* What writes to the same place goes on with its counts; else what is free; else that of one that
 * was removed, best of one that has ended: what it lost is remembered. It cannot be that of one
 * that stays. */
static unsigned int find_slot(const struct mrl_change *change, const struct coming *coming)
{
    const struct mrl_pipeline *pipeline = change->pipeline;
    unsigned int ended = MRL_OUTPUTS_MAX, leaving = MRL_OUTPUTS_MAX;

    for (unsigned int i = pipeline->slot_count; i-- > 0;) {
        const struct mrl_slot *slot = &pipeline->slots[i];

        if (!slot->is_gone || (slot->output != coming->after && has_heir(change, slot->output)))
            continue;
        if (coming->after ? slot->output == coming->after
                          : is_same_place(slot->output, coming->output))
            return i;
        *(is_leaving(change, slot->output) ? &leaving : &ended) = i;
    }
    if (pipeline->slot_count < MRL_OUTPUTS_MAX)
        return pipeline->slot_count;
    return ended < MRL_OUTPUTS_MAX ? ended : leaving;
}

/* How much a count grew since it was taken last. */
static uint64_t take(const atomic_ullong *count, uint64_t *taken)
{
    const uint64_t before = *taken;

    *taken = atomic_load(count);
    return *taken - before;
}

/* What `from` counted since the last time is of `coming` from now on. The counts of a place only
 * grow: so it is done when `coming` gets that place, and again when `from` has ended. */
static void inherit(struct coming *coming, const struct mrl_output *from)
{
    struct mrl_output *output = coming->output;
    struct inherited *its = &coming->inherited;

    output->told = from->told;
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        atomic_fetch_add(&output->queue.dropped[i],
                         take(&from->queue.dropped[i], &its->dropped[i]));
        atomic_fetch_add(&output->queue.dropped_late[i],
                         take(&from->queue.dropped_late[i], &its->dropped_late[i]));
        for (unsigned int fate = 0; fate < MRL_FATE_COUNT; fate++)
            mrl_output__count(output, i, (enum mrl_fate)fate,
                              take(&from->counts[i][fate], &its->counts[i][fate]));
    }
}

static void remove_one(struct mrl_change *change, unsigned int index)
{
    struct mrl_pipeline *pipeline = change->pipeline;
    struct mrl_slot *slot = &pipeline->slots[index];

    slot->is_gone = true;
    memcpy(slot->gone_at, pipeline->given, sizeof(slot->gone_at));
    slot->output->leaving = true;
    mrl_output__end(slot->output);
    change->leaving_slots[change->leaving_count] = index;
    change->is_kept[change->leaving_count] = true;
    change->leaving[change->leaving_count++] = slot->output;
}

/* Another one has its place: what it lost is remembered without it. */
static void forget(struct mrl_pipeline *pipeline, struct mrl_output *output, int err)
{
    const bool keeps = output->options.sink && output->options.sink->keeps;

    for (unsigned int i = 0; keeps && i < MRL_EVENT_COUNT; i++) {
        const struct mrl_output_counts counts = mrl_output__counts(output, i);

        atomic_fetch_add(&pipeline->forgotten, counts.dropped_full + counts.dropped_failed);
    }
    if (keeps && err)
        atomic_store(&pipeline->forgotten_err, err);
}

/* The ids of what an output tells hold its number: whoever gets that goes on counting. */
static void place_one(struct mrl_change *change, struct coming *coming)
{
    struct mrl_pipeline *pipeline = change->pipeline;
    const unsigned int index = coming->slot = find_slot(change, coming);
    struct mrl_slot *slot = &pipeline->slots[index];
    struct mrl_output *before = index < pipeline->slot_count ? slot->output : NULL;
    const bool continues = before && is_same_place(before, coming->output);
    const int err = pipeline->end_errs[index];

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        slot->absent[i] = continues ? mrl_pipeline__absent(pipeline, index, i) : pipeline->given[i];
    if (before) {
        coming->output->told = before->told;
        if (continues)
            inherit(coming, before);
        for (unsigned int i = 0; i < change->leaving_count; i++)
            change->is_kept[i] &= change->leaving[i] != before;
    }
    pipeline->end_errs[index] = 0;
    mrl_pipeline__place(pipeline, index, coming->output, &coming->group);
    coming->group.encoder = NULL;
    mrl_output__greet(coming->output);
    /* Only now: a signal handler may look at every slot, at any moment. */
    if (before && !is_leaving(change, before)) {
        if (!continues)
            forget(pipeline, before, err);
        mrl_output__free(before);
    }
}

static void drop_empty_groups(struct mrl_pipeline *pipeline)
{
    for (unsigned int group = 0; group < pipeline->group_count; group++) {
        bool is_used = false;

        for (unsigned int i = 0; i < pipeline->slot_count; i++)
            is_used |= !pipeline->slots[i].is_gone && pipeline->slots[i].group == group;
        if (is_used)
            continue;
        mrl_encoder__free(pipeline->groups[group].encoder);
        pipeline->groups[group].encoder = NULL;
    }
}

void mrl_change__apply(struct mrl_change *change)
{
    struct mrl_pipeline *pipeline = change->pipeline;

    for (unsigned int i = 0; i < pipeline->slot_count; i++)
        if (change->leaves[i] && !pipeline->slots[i].is_gone)
            remove_one(change, i);
        else if (change->policies[i] >= 0)
            mrl_output__set_policy(pipeline->slots[i].output, (enum mrl_policy)change->policies[i]);
    drop_empty_groups(pipeline);
    for (unsigned int i = 0; i < change->coming_count; i++)
        place_one(change, &change->coming[i]);
    change->is_applied = true;
}

/* -- the end ---------------------------------------------------------------------------------- */

/* Also of one that was given up, which says nothing any more by itself. */
static void say_gone(const struct mrl_output_log *log, const struct mrl_output *output)
{
    struct mrl_output_counts all = { 0 };
    char line[512];

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        const struct mrl_output_counts counts = mrl_output__counts(output, i);

        if (!*mrl_event_def__at(i)->syscall)
            continue;
        all.delivered += counts.delivered;
        all.dropped_full += counts.dropped_full + counts.dropped_failed;
        all.rejected += counts.rejected;
    }
    snprintf(line, sizeof(line),
             "%.256s: removed, with %" PRIu64 " delivered, %" PRIu64 " dropped, %" PRIu64
             " rejected",
             output->options.name, all.delivered, all.dropped_full, all.rejected);
    if (log->line)
        log->line(log->context, MRL_LOG_INFO, line);
}

/* Who goes on where it wrote begins now. Returns false when nobody does. */
static bool start_successor(struct mrl_change *change, struct mrl_output *left)
{
    bool has_successor = false;

    for (unsigned int i = 0; i < change->coming_count; i++)
        if (change->coming[i].after == left) {
            inherit(&change->coming[i], left);
            mrl_output__start_late(change->coming[i].output);
            has_successor = true;
        }
    return has_successor;
}

static void leave(struct mrl_change *change, unsigned int which, int timeout_ms)
{
    struct mrl_output *output = change->leaving[which];
    int err = mrl_output__join(output, timeout_ms);

    if (change->is_kept[which])
        change->pipeline->end_errs[change->leaving_slots[which]] = err;
    say_gone(&change->pipeline->log, output);
    if (!start_successor(change, output) && !change->is_kept[which])
        forget(change->pipeline, output, err);
    if (change->is_kept[which])
        mrl_output__shrink(output);
    else
        mrl_output__free(output);
}

int mrl_change__start(struct mrl_change *change, struct mrl_error *error)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < change->coming_count; i++) {
        struct coming *coming = &change->coming[i];

        /* Its states, if it writes any before it is in its place, are of this run. */
        mrl_output__name_run(coming->output, change->pipeline->run);
        if (!coming->after)
            err = mrl_output__start(coming->output, error);
    }
    return err;
}

void mrl_change__end(struct mrl_change *change, int timeout_ms)
{
    if (!change)
        return;
    for (unsigned int i = 0; i < change->leaving_count; i++)
        leave(change, i, timeout_ms);
    for (unsigned int i = 0; !change->is_applied && i < change->coming_count; i++) {
        mrl_output__free(change->coming[i].output);
        mrl_encoder__free(change->coming[i].group.encoder);
    }
    free(change);
}
