// SPDX-License-Identifier: Apache-2.0
/*
 * Writing to the sink of an output, on whichever thread does it: one try at the lines that are held
 * and at the gaps before them, what it means when that fails, and what becomes of it in the counts.
 */
#include "deliver/output_write.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "event/lost.h"
#include "event/state.h"

enum { SLOW_NS = 5 * 1000 * 1000, REST_NS = 1000 * 1000 * 1000 };

/* -- failing and working again ---------------------------------------------------------------- */

static uint64_t dropped_of(const struct mrl_output *output, unsigned int event)
{
    const struct mrl_output_counts counts = mrl_output__counts(output, event);

    return counts.dropped_full + counts.dropped_failed;
}

static uint64_t dropped(const struct mrl_output *output)
{
    uint64_t events = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        events += dropped_of(output, i);
    return events;
}

/* Says a change once. While the sink fails, the queue makes the reader wait for nothing: it is told
 * that the output is broken, which is not the same as slow. */
static void note_result(struct mrl_output *output, int err)
{
    if (err && err != output->last_err)
        mrl_output__say(output, MRL_LOG_WARNING, "%s: %s: %s", output->options.name, strerror(-err),
                        err == -EPIPE ? "nobody reads it any more, it is closed"
                                      : "tried again until it works");
    if (!err && output->last_err)
        mrl_output__say(output, MRL_LOG_INFO, "%s: works again, %llu events were dropped so far",
                        output->options.name, (unsigned long long)dropped(output));
    if (output->held && !err != !output->last_err)
        mrl_queue__set_broken(&output->queue, err);
    output->last_err = err;
}

/* -- writing ---------------------------------------------------------------------------------- */

/* Every write but that of the first head passes here. -ECANCELED is no fault of the sink: give_up()
 * ended the write, and has said so. */
int mrl_output__write(struct mrl_output *output, struct mrl_chunk *chunk, size_t *ret_events)
{
    int64_t started_ns = mrl_clock__ns(CLOCK_MONOTONIC), ended_ns;
    int err;

    chunk->stop = &output->stop;
    err = output->options.sink->write(output->sink, chunk, ret_events);
    ended_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    /* The next ones may be as slow: for a while the reader leaves them to the thread. */
    if (err || ended_ns - started_ns > SLOW_NS)
        output->rest_until_ns = ended_ns + REST_NS;
    if (!err)
        atomic_fetch_add(&output->progress, 1);
    if (err != -ECANCELED)
        note_result(output, err);
    return err;
}

/* Each line that is held is counted exactly once, here. One that a write lost becomes a gap as
 * well, to be told when the sink works again. */
static void settle(struct mrl_output *output,
                   size_t lines,
                   enum mrl_fate fate,
                   const uint8_t *refused)
{
    for (size_t i = 0; i < lines; i++) {
        const struct mrl_line *line = &output->lines[output->first++];

        output->at += line->size;
        mrl_output__count(output, line->event, refused && refused[i] ? MRL_REJECTED : fate, 1);
        if (fate == MRL_DROPPED_FAILED)
            mrl_gap__add(&output->untold, line, MRL_CAUSE_WRITE_FAILED);
    }
}

/* -- states ----------------------------------------------------------------------------------- */

static bool is_state(const struct mrl_line *line)
{
    return line->event == MRL_EVENT_SENSOR_STATE && line->size;
}

/* -- opening anew ----------------------------------------------------------------------------- */

void mrl_output__learn_quick(struct mrl_output *output)
{
    const struct mrl_sink_ops *sink = output->options.sink;

    output->quick = sink->is_quick && sink->is_quick(output->sink);
}

/* Whether a state of this run was written, so that what it writes is known to be of it. */
static bool has_signed(const struct mrl_output *output)
{
    return output->counts[MRL_EVENT_SENSOR_STATE][MRL_DELIVERED];
}

/* `started` was dropped: what follows would be of no run that anybody knows. */
static bool has_lost_name(const struct mrl_output *output)
{
    return !has_signed(output) && dropped_of(output, MRL_EVENT_SENSOR_STATE);
}

/* If it is the last line of a file, it says how many stand before it. */
static void sign(struct mrl_output *output)
{
    if (!output->nameless && has_signed(output))
        mrl_output__state(output, MRL_WHAT_ALIVE, NULL, 0, 0);
}

void mrl_output__leave(struct mrl_output *output)
{
    if (output->leaving && atomic_load(&output->alive))
        sign(output);
}

/* What was told at the head of the last file is told again. */
static void note_moved(struct mrl_output *output, bool moved)
{
    output->headless |= moved;
    output->nameless |= moved && has_signed(output);
    if (moved)
        mrl_output__learn_quick(output);
}

void mrl_output__reopen_sink(struct mrl_output *output)
{
    struct mrl_error error = { "" };
    int err;

    if (!atomic_exchange(&output->reopen, false) || !output->options.sink->reopen)
        return;
    sign(output);
    err = output->options.sink->reopen(output->sink, &error);
    atomic_store(&output->reopened, err < 0   ? MRL_REOPEN_FAILED
                                    : err > 0 ? MRL_REOPEN_MOVED
                                              : MRL_REOPEN_SAME);
    note_moved(output, err > 0);
    if (err < 0)
        mrl_output__say(output, MRL_LOG_WARNING, "%s: not reopened, the old file stays in use",
                        error.text);
    else if (*error.text)
        mrl_output__say(output, MRL_LOG_WARNING, "%s", error.text);
}

static uint64_t room_of(const struct mrl_output *output)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    uint64_t room = sink->room ? sink->room(output->sink) : UINT64_MAX;

    /* What precedes the lines may have used it up: then one line goes out, and the next try
     * rotates. */
    return room ? room : 1;
}

/* A file that is full makes room for the next one. */
static void rotate_sink(struct mrl_output *output)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    struct mrl_error error = { "" };
    int err;

    if (!sink->room || sink->room(output->sink))
        return;
    sign(output);
    err = sink->rotate(output->sink, &error);
    note_moved(output, err > 0);
    if (err < 0 && err != output->rotate_err)
        mrl_output__say(output, MRL_LOG_WARNING, "%s: not rotated: %s", output->options.name,
                        error.text);
    else if (err >= 0 && *error.text)
        mrl_output__say(output, MRL_LOG_WARNING, "%s", error.text);
    output->rotate_err = err < 0 ? err : 0;
}

void mrl_output__look_at_space(struct mrl_output *output)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    struct mrl_error note = { "" };

    if (!sink->notice || sink->notice(output->sink, &note) <= 0)
        return;
    mrl_output__say(output, MRL_LOG_WARNING, "%s", note.text);
    output->low_space = note;
}

bool mrl_output__owes(const struct mrl_output *output)
{
    return output->headless || output->nameless || output->untold.total || *output->low_space.text;
}

/* Told where it is written, behind the head of a file. What cannot be written is tried again. */
static void tell_space(struct mrl_output *output)
{
    if (*output->low_space.text && !output->headless && !output->nameless && has_signed(output) &&
        !mrl_output__state(output, MRL_WHAT_LOW_SPACE, output->low_space.text, 0, 0))
        *output->low_space.text = '\0';
}

/* Nobody watched between the last line that was there and the start of this run. What cannot be
 * written is tried again. */
static void tell_blind(struct mrl_output *output)
{
    if (output->blind_from_ns && output->blind_from_ns < output->blind_to_ns && !output->headless &&
        !output->nameless && has_signed(output) &&
        !mrl_output__state(output, MRL_WHAT_BLIND, NULL, output->blind_from_ns,
                           output->blind_to_ns))
        output->blind_from_ns = 0;
}

/* A file that was opened anew is a file of its own, and begins as the first one did. A head that
 * could not be written is tried again before anything else goes there. */
static int write_head(struct mrl_output *output)
{
    struct mrl_text text = mrl_output__preamble(output);
    struct mrl_chunk chunk = { text.bytes, text.size, 0, NULL, NULL, NULL };
    size_t events;
    int err = 0;

    if (output->headless && text.size)
        err = mrl_output__write(output, &chunk, &events);
    output->headless &= err != 0;
    output->nameless |= has_lost_name(output);
    if (!err && output->nameless)
        err = mrl_output__state(output, MRL_WHAT_ALIVE, NULL, 0, 0);
    output->nameless &= err != 0;
    return err;
}

void mrl_output__drop(struct mrl_output *output)
{
    settle(output, output->count - output->first, MRL_DROPPED_FAILED, NULL);
}

void mrl_output__die(struct mrl_output *output)
{
    mrl_output__drop(output);
    atomic_store(&output->alive, false);
    if (output->held)
        mrl_queue__abandon(&output->queue);
    /* Whoever reads events may be asleep, and should see at once that nobody wants them. Whoever
     * gave it up reads no more, and may be gone. */
    if (output->log.died && !__atomic_load_n(&output->stop, __ATOMIC_RELAXED))
        output->log.died(output->log.died_context);
}

/* One try at the lines that are held, up to the next state, or to the line after which a file makes
 * room for the next. */
static int write_run(struct mrl_output *output)
{
    /* NULL, as long as there were gaps alone. */
    const char *bytes = output->bytes ? output->bytes + output->at : NULL;
    uint32_t *sizes = output->held ? output->held->sizes : NULL;
    uint8_t *refused =
        output->held && output->options.sink->takes_items ? output->held->refused : NULL;
    struct mrl_chunk chunk = { bytes, 0, 0, NULL, sizes, refused };
    uint64_t room = room_of(output);
    size_t done = 0;
    int err;

    for (size_t i = output->first;
         i < output->count && chunk.size < room && !is_state(&output->lines[i]); i++) {
        chunk.size += output->lines[i].size;
        if (sizes)
            sizes[chunk.events] = output->lines[i].size;
        chunk.events++;
    }
    if (refused)
        memset(refused, 0, sizeof(output->held->refused));
    err = mrl_output__write(output, &chunk, &done);
    /* The sink says how many lines went out whole. The next try begins behind these. */
    settle(output, err ? done : chunk.events, MRL_DELIVERED, refused);
    return err;
}

/* One try at the state that is the first line held. */
static int write_held_state(struct mrl_output *output)
{
    struct mrl_state state;
    int err =
        mrl_state__unpack(output->bytes + output->at, output->lines[output->first].size, &state);

    assert(!err); /* the pipeline packed it */
    err = mrl_output__write_state(output, &state);
    settle(output, !err, MRL_DELIVERED, NULL);
    if (!err && state.what == MRL_WHAT_STARTED)
        output->blind_to_ns = state.time_ns;
    if (!err)
        tell_blind(output);
    return err;
}

/* One try at what comes next of the lines that are held. */
static int write_next(struct mrl_output *output)
{
    if (output->first == output->count)
        return 0;
    return is_state(&output->lines[output->first]) ? write_held_state(output) : write_run(output);
}

/* -- gaps ------------------------------------------------------------------------------------- */

/* A gap may be a sum of several: the last of them says who caused it. */
static struct mrl_blame who_caused(struct mrl_output *output,
                                   unsigned int event,
                                   unsigned int cause)
{
    struct mrl_blame by;

    if (cause == MRL_CAUSE_QUEUE_FULL)
        return output->untold.by[event];
    pthread_mutex_lock(&output->blame_lock);
    by = output->blamed[cause][event].by;
    pthread_mutex_unlock(&output->blame_lock);
    return by;
}

/* Writes one events_lost. What could not be told stays in the gap. */
static int tell(struct mrl_output *output, unsigned int event, enum mrl_cause cause)
{
    struct mrl_missing *missing = &output->untold.of[cause][event];
    struct mrl_lost lost = { .event = mrl_event_def__at(event),
                             .count = missing->count,
                             .cause = cause,
                             .from_ns = missing->from_ns,
                             .to_ns = missing->to_ns,
                             .by = who_caused(output, event, cause) };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event told;
    int err;

    mrl_lost__event(&lost, values, &told);
    err = mrl_output__write_event(output, &told);
    if (err)
        return err;
    /* Forgotten only when it was written. One that fails is told, wider perhaps, later. */
    mrl_output__count(output, told.def->index, MRL_DELIVERED, 1);
    output->untold.total -= missing->count;
    *missing = (struct mrl_missing){ 0 };
    return 0;
}

static int tell_gap(struct mrl_output *output)
{
    int err = 0;

    for (unsigned int event = 0; output->untold.total && event < MRL_EVENT_COUNT; event++)
        for (unsigned int cause = 0; !err && cause < MRL_CAUSE_GAPS; cause++)
            if (output->untold.of[cause][event].count)
                err = tell(output, event, (enum mrl_cause)cause);
    return err;
}

/* -- one try ---------------------------------------------------------------------------------- */

void mrl_output__hold(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t count)
{
    output->bytes = bytes;
    output->lines = lines;
    output->count = count;
    output->first = output->at = 0;
}

int mrl_output__try(struct mrl_output *output)
{
    int err;

    do {
        mrl_output__look_at_space(output);
        tell_space(output);
        tell_blind(output);
        if (output->first < output->count || output->untold.total)
            rotate_sink(output);
        /* In the order of the file: its head, what was lost before the lines, the lines. */
        err = write_head(output);
        if (!err)
            err = tell_gap(output);
        if (!err)
            err = write_next(output);
    } while (!err && output->first < output->count);
    return err;
}
