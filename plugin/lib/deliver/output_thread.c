// SPDX-License-Identifier: Apache-2.0
/*
 * The thread of an output: takes lines out of the queue and writes them to the sink. What cannot be
 * written is retried with growing pauses, while the queue drops what it must; a gap is told in its
 * place as soon as something can be written again.
 */
#include "deliver/output_thread.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "event/lost.h"

enum { PAUSE_MIN_MS = 10, PAUSE_MAX_MS = 1000 };

/* -- failing and working again ---------------------------------------------------------------- */

static uint64_t dropped(const struct mrl_output *output)
{
    uint64_t events = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        events += output->counts[i][MRL_DROPPED_FULL] + output->counts[i][MRL_DROPPED_FAILED];
    return events;
}

/* Said once per change. An output that fails is not slow but broken: nobody waits for it. */
static void note_result(struct mrl_output *output, int err)
{
    if (err && err != output->last_err)
        mrl_output__say(output, MRL_LOG_WARNING, "%s: %s: %s", output->options.name, strerror(-err),
                        err == -EPIPE ? "nobody reads it any more, it is closed"
                                      : "tried again until it works");
    if (!err && output->last_err)
        mrl_output__say(output, MRL_LOG_INFO, "%s: works again, %llu events were dropped so far",
                        output->options.name, (unsigned long long)dropped(output));
    if (!err != !output->last_err)
        mrl_queue__set_broken(&output->queue, err);
    output->last_err = err;
}

/* -- writing ---------------------------------------------------------------------------------- */

static int write_chunk(struct mrl_output *output, struct mrl_chunk *chunk, size_t *ret_events)
{
    int err;

    chunk->stop = &output->stop;
    err = output->options.sink->write(output->sink, chunk, ret_events);
    if (!err)
        atomic_fetch_add(&output->progress, 1);
    if (err != -ECANCELED)
        note_result(output, err);
    return err;
}

static void settle(struct mrl_output *output, size_t lines, enum mrl_fate fate)
{
    for (size_t i = 0; i < lines; i++) {
        const struct mrl_line *line = &output->lines[output->first++];

        output->at += line->size;
        mrl_output__count(output, line->event, fate, 1);
        if (fate == MRL_DROPPED_FAILED)
            mrl_gap__add(&output->untold, line, MRL_CAUSE_WRITE_FAILED);
    }
}

/* In steps, so that the end is noticed. Returns whether there is a point in going on. */
static bool pause_for(struct mrl_output *output, unsigned int pause_ms)
{
    const struct timespec step = { 0, MRL_STEP_MS * 1000000L };

    for (unsigned int slept = 0; slept < pause_ms; slept += MRL_STEP_MS) {
        if (atomic_load(&output->ending) || atomic_load(&output->reopen))
            break;
        nanosleep(&step, NULL);
    }
    return !atomic_load(&output->ending);
}

static void reopen(struct mrl_output *output)
{
    struct mrl_error error = { "" };
    int err;

    if (!atomic_exchange(&output->reopen, false) || !output->options.sink->reopen)
        return;
    err = output->options.sink->reopen(output->sink, &error);
    output->headless |= err > 0;
    if (err < 0)
        mrl_output__say(output, MRL_LOG_WARNING, "%s: not reopened, the old file stays in use",
                        error.text);
    else if (*error.text)
        mrl_output__say(output, MRL_LOG_WARNING, "%s", error.text);
}

static int write_head(struct mrl_output *output)
{
    struct mrl_text text = mrl_encoder__preamble(output->encoder);
    struct mrl_chunk chunk = { text.bytes, text.size, 0, NULL };
    size_t events;
    int err = 0;

    if (output->headless && text.size)
        err = write_chunk(output, &chunk, &events);
    output->headless &= err != 0;
    return err;
}

/* Nobody reads any more: all that is and will be in the queue is dropped. */
static void die(struct mrl_output *output)
{
    settle(output, output->count - output->first, MRL_DROPPED_FAILED);
    atomic_store(&output->alive, false);
    mrl_queue__abandon(&output->queue);
}

/* One try at the lines that are held. */
static int write_lines(struct mrl_output *output)
{
    struct mrl_chunk chunk = { output->buffer + output->at, 0, output->count - output->first,
                               NULL };
    size_t done = 0;
    int err;

    for (size_t i = output->first; i < output->count; i++)
        chunk.size += output->lines[i].size;
    if (!chunk.events)
        return 0;
    err = write_chunk(output, &chunk, &done);
    settle(output, err ? done : chunk.events, MRL_DELIVERED);
    return err;
}

/* -- gaps ------------------------------------------------------------------------------------- */

/* Writes one events_lost. What could not be told stays in the gap. */
static int tell(struct mrl_output *output, unsigned int event, enum mrl_cause cause)
{
    struct mrl_missing *missing = &output->untold.of[cause][event];
    struct mrl_lost lost = { mrl_event_def__at(event), missing->count, mrl_cause__name(cause),
                             missing->from_ns, missing->to_ns };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event told;
    struct mrl_chunk chunk = { output->text, 0, 1, NULL };
    size_t done;
    int err;

    mrl_lost__event(&lost, values, &told);
    chunk.size =
        (size_t)mrl_encoder__put(output->encoder, &told, output->text, sizeof(output->text));
    err = write_chunk(output, &chunk, &done);
    if (err)
        return err;
    mrl_output__count(output, told.def->index, MRL_DELIVERED, 1);
    output->untold.total -= missing->count;
    *missing = (struct mrl_missing){ 0 };
    return 0;
}

static int tell_gap(struct mrl_output *output)
{
    int err = 0;

    for (unsigned int event = 0; output->untold.total && event < MRL_EVENT_COUNT; event++)
        for (unsigned int cause = 0; !err && cause < MRL_CAUSE_COUNT; cause++)
            if (output->untold.of[cause][event].count)
                err = tell(output, event, (enum mrl_cause)cause);
    return err;
}

static void take_gap(struct mrl_output *output, struct mrl_gap *gap)
{
    enum mrl_fate fate = atomic_load(&output->alive) ? MRL_DROPPED_FULL : MRL_DROPPED_FAILED;

    for (unsigned int i = 0; gap->total && i < MRL_EVENT_COUNT; i++)
        mrl_output__count(output, i, fate, gap->of[MRL_CAUSE_QUEUE_FULL][i].count);
    mrl_gap__merge(&output->untold, gap);
}

/* -- the thread ------------------------------------------------------------------------------- */

/* Writes the gap and then the lines behind it, so that a gap stands in its place however often it
 * takes. At the end there is one try. */
static void write_held(struct mrl_output *output)
{
    unsigned int pause_ms = PAUSE_MIN_MS;
    size_t before;
    int err;

    for (;;) {
        before = output->first;
        err = write_head(output);
        if (!err)
            err = tell_gap(output);
        if (!err)
            err = write_lines(output);
        if (!err)
            return;
        if (err == -EPIPE || err == -ECANCELED) {
            die(output);
            return;
        }
        if (output->first > before)
            pause_ms = PAUSE_MIN_MS; /* it fails now and then, but it gets on */
        if (!pause_for(output, pause_ms)) {
            settle(output, output->count - output->first, MRL_DROPPED_FAILED);
            return;
        }
        pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
        reopen(output);
    }
}

void *mrl_output__write_queue(void *context)
{
    struct mrl_output *output = context;
    struct mrl_gap gap;
    bool ended = false;

    while (!ended) {
        output->first = output->at = 0;
        output->count = mrl_queue__pop(&output->queue, -1, output->buffer, sizeof(output->buffer),
                                       output->lines, MRL_WRITE_LINES, &gap, &ended);
        atomic_fetch_add(&output->progress, 1);
        take_gap(output, &gap);
        if (!atomic_load(&output->alive))
            continue;
        reopen(output);
        write_held(output);
    }
    return NULL;
}
