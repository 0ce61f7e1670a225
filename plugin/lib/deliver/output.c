// SPDX-License-Identifier: Apache-2.0
/*
 * One output, as its owner sees it: opened, fed and ended. A sink that may block gets a queue and a
 * thread (output_thread.c); one that never does is written to at once, by whoever feeds it.
 */
#include "deliver/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "deliver/output_thread.h"
#include "deliver/output_write.h"

enum {
    QUEUE_BYTES = 2 * 1024 * 1024,
    QUICK_LINES = 96, /* more at once are a flood, in which the reader should do nothing but read */
};

/* -- opening ---------------------------------------------------------------------------------- */

static int write_preamble(struct mrl_output *output, struct mrl_error *error)
{
    struct mrl_text text = mrl_output__preamble(output);
    struct mrl_chunk chunk = { text.bytes, text.size, 0, NULL, NULL, NULL };
    size_t events;
    int err = text.size ? output->options.sink->write(output->sink, &chunk, &events) : 0;

    return err ? mrl_error__set(error, err, "%.256s: %s", output->options.name, strerror(-err)) : 0;
}

/* Signals go to the program's own threads. Only MRL_INTERRUPT, by which give_up() ends a write,
 * does not. */
static int start_thread(struct mrl_output *output)
{
    int err = mrl_thread__start(&output->thread, MRL_INTERRUPT, mrl_output__write_queue, output);

    output->has_thread = !err;
    return err;
}

/* Memory for what waits. */
static int make_queue(struct mrl_output *output)
{
    const size_t room = *output->options.spool.directory ? MRL_WRITE_SYNCED_BYTES : MRL_WRITE_BYTES;

    if (output->options.sink->never_blocks)
        return 0;
    output->held = malloc(sizeof(*output->held) + room);
    if (!output->held)
        return -ENOMEM;
    output->held->room = room;
    return mrl_queue__init(&output->queue, output->options.queue_bytes, output->options.policy);
}

static int open_sink(struct mrl_output *output, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    struct mrl_encoder_options encoder = mrl_output__encoding(output);
    const struct mrl_sink_target target = {
        .destination = output->options.destination,
        .format = output->options.format,
        .options = output->options.sink_options,
        .sides = output->options.sides,
        .no_wait = output->options.no_wait,
        .ops = sink,
        .give_up_ns = output->options.give_up_ns,
        .spool = *output->options.spool.directory ? &output->options.spool : NULL,
        .encoder = &encoder,
    };
    struct mrl_error note = { "" };
    int err = sink->open(&target, &note, &output->sink);

    if (err)
        return mrl_error__set(error, err, "%s", note.text);
    if (*note.text)
        mrl_output__say(output, MRL_LOG_WARNING, "%s", note.text);
    mrl_output__learn_quick(output);
    output->blind_from_ns = sink->seen_until ? sink->seen_until(output->sink) : 0;
    output->columns = sink->columns ? sink->columns(output->sink) : 0;
    encoder = mrl_output__encoding(output);
    err = mrl_encoder__new(output->options.format, &encoder, error, &output->encoder);
    return !err && make_queue(output) ? mrl_error__set(error, -ENOMEM, "out of memory") : err;
}

static int copy_texts(struct mrl_output *output)
{
    const char **const texts[] = { &output->options.name, &output->options.format,
                                   &output->options.destination };

    for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!*texts[i])
            continue;
        output->texts[i] = strdup(*texts[i]);
        if (!output->texts[i])
            return -ENOMEM;
        *texts[i] = output->texts[i];
    }
    return 0;
}

int mrl_output__open(const struct mrl_output_options *options,
                     const struct mrl_output_log *log,
                     struct mrl_error *error,
                     struct mrl_output **ret_output)
{
    struct mrl_output *output = calloc(1, sizeof(*output));
    int err = 0;

    if (!output)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    /* A program that was built with an older header has a shorter struct: what it lacks stays 0. */
    memcpy(&output->options, options,
           options->size < sizeof(*options) ? options->size : sizeof(*options));
    if (!output->options.queue_bytes)
        output->options.queue_bytes = QUEUE_BYTES;
    /* With less, the longest line would be dropped each time. */
    if (output->options.queue_bytes < MRL_EVENT_TEXT_MAX)
        output->options.queue_bytes = MRL_EVENT_TEXT_MAX;
    output->log = *log;
    pthread_mutex_init(&output->blame_lock, NULL);
    pthread_mutex_init(&output->sink_lock, NULL);
    atomic_store(&output->alive, true);
    if (copy_texts(output))
        err = mrl_error__set(error, -ENOMEM, "out of memory");
    else if (output->options.sink)
        err = open_sink(output, error);
    if (err) {
        mrl_output__free(output);
        return err;
    }
    *ret_output = output;
    return 0;
}

/* -- the owner's side ------------------------------------------------------------------------- */

void mrl_output__on_death(struct mrl_output *output, const struct mrl_output_log *log)
{
    output->log = *log;
}

void mrl_output__name_run(struct mrl_output *output, const char *run)
{
    snprintf(output->run, sizeof(output->run), "%s", run);
}

/* As sensor_state says it to who takes that. A replay has no name, and was never blind. */
static void say_blind(struct mrl_output *output)
{
    int64_t blind_ns = mrl_clock__ns(CLOCK_REALTIME) - (int64_t)output->blind_from_ns;

    if (*output->run && output->blind_from_ns && blind_ns > 0)
        mrl_output__say(output, MRL_LOG_INFO, "%s: nobody watched in the last %lld.%03lld s",
                        output->options.name, (long long)(blind_ns / 1000000000),
                        (long long)(blind_ns / 1000000 % 1000));
}

int mrl_output__start(struct mrl_output *output, struct mrl_error *error)
{
    int err;

    if (!output->options.sink || output->started)
        return 0;
    say_blind(output);
    /* Until `started` says it exactly; that may be dropped. */
    output->blind_to_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    output->headless = output->held; /* the thread's to say */
    err = output->held ? start_thread(output) : 0;
    output->started = !err;
    if (err) {
        mrl_output__die(output);
        return mrl_error__set(error, err, "starting a thread: %s", strerror(-err));
    }
    return output->held ? 0 : write_preamble(output, error);
}

void mrl_output__start_late(struct mrl_output *output)
{
    struct mrl_error error = { "" };

    mrl_output__reopen(output);
    if (mrl_output__start(output, &error))
        mrl_output__say(output, MRL_LOG_WARNING, "%s: %s", output->options.name, error.text);
    mrl_output__greet(output);
}

void mrl_output__greet(struct mrl_output *output)
{
    if (output->has_thread)
        mrl_queue__wake(&output->queue);
}

void mrl_output__set_policy(struct mrl_output *output, enum mrl_policy policy)
{
    output->options.policy = policy;
    if (output->held)
        mrl_queue__set_policy(&output->queue, policy);
}

void mrl_output__waiting(struct mrl_output *output, struct mrl_waiting *ret_waiting)
{
    if (output->held)
        mrl_queue__waiting(&output->queue, ret_waiting);
}

/* One try at lines without a gap between them: they are not kept for a second one. */
static void write_now(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t count)
{
    int err;

    mrl_output__hold(output, bytes, lines, count);
    if (!mrl_output__alive(output)) {
        mrl_output__drop(output);
        return;
    }
    err = mrl_output__try(output);
    if (err == -EPIPE)
        mrl_output__die(output);
    else if (err)
        mrl_output__drop(output);
}

/* On the caller's thread: the sink takes what the pipeline has encoded, where it lies. */
static void write_through(struct mrl_output *output,
                          const char *bytes,
                          const struct mrl_line *lines,
                          size_t count)
{
    size_t run;

    for (size_t i = 0; i < count; i += run) {
        size_t size = 0;

        /* A gap is only noted here: the next try writes it, before the lines that follow it. */
        for (; i < count && lines[i].lost; i++)
            mrl_gap__add(&output->untold, &lines[i], MRL_CAUSE_QUEUE_FULL);
        for (run = 0; i + run < count && !lines[i + run].lost; run++)
            size += lines[i + run].size;
        write_now(output, bytes, lines + i, run);
        bytes += size;
    }
}

/*
 * Whether the owner may write in place of the output's thread: that sleeps, and touches nothing
 * until it is given something. This saves waking it, which costs more than a few lines do. Lines
 * stay in order, since nothing waits in the queue. Whatever comes before or between the lines (the
 * head of a file, gaps, states), and rotation, which may remove a large file, is left to the
 * thread: so there is one write, and the owner waits for the disk at most once before it is warned.
 * A dead output has a gap to tell for ever.
 */
static bool may_write(struct mrl_output *output, const struct mrl_line *lines, size_t count)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    uint64_t size = 0;

    if (count > QUICK_LINES || !mrl_queue__is_idle(&output->queue))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (lines[i].lost || lines[i].event == MRL_EVENT_SENSOR_STATE)
            return false;
        size += lines[i].size;
    }
    if (sink->room && size >= sink->room(output->sink))
        return false;
    mrl_output__look_at_space(output);
    return output->quick && !mrl_output__owes(output) &&
           mrl_clock__ns(CLOCK_MONOTONIC) >= output->rest_until_ns;
}

static void write_or_queue(struct mrl_output *output,
                           const char *bytes,
                           const struct mrl_line *lines,
                           size_t count)
{
    size_t at = 0, done = 0;

    if (may_write(output, lines, count)) {
        mrl_output__hold(output, bytes, lines, count);
        if (!mrl_output__try(output))
            return;
        /* The thread tries again what did not go out, and knows how to wait meanwhile. */
        at = output->at;
        done = output->first;
    }
    if (mrl_queue__push(&output->queue, bytes + at, lines + done, count - done))
        mrl_output__say_drops(output);
}

void mrl_output__blame(struct mrl_output *output, const struct mrl_lost *lost)
{
    pthread_mutex_lock(&output->blame_lock);
    output->blamed[lost->cause][lost->event->index] = *lost;
    pthread_mutex_unlock(&output->blame_lock);
}

void mrl_output__push(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t lines_count)
{
    for (size_t i = 0; i < lines_count; i++) {
        if (lines[i].lost)
            mrl_output__count(output, lines[i].event, MRL_LOST_BEFORE, lines[i].lost);
        else if (!output->options.sink)
            mrl_output__count(output, lines[i].event, MRL_DELIVERED, 1);
    }
    if (output->held)
        write_or_queue(output, bytes, lines, lines_count);
    else if (output->started)
        write_through(output, bytes, lines, lines_count);
}

bool mrl_output__alive(const struct mrl_output *output)
{
    return atomic_load(&output->alive);
}

const char *mrl_output__name(const struct mrl_output *output)
{
    return output->options.name;
}

const struct mrl_sink_ops *mrl_output__sink(const struct mrl_output *output)
{
    return output->options.sink;
}

void mrl_output__reopen(struct mrl_output *output)
{
    if (!output->options.sink || !output->options.sink->reopen)
        return;
    /* Before `reopen`: the thread that sees that answers here. */
    atomic_store(&output->reopened, MRL_REOPEN_WAITS);
    atomic_store(&output->reopen, true);
    if (output->has_thread)
        mrl_queue__wake(&output->queue);
    else if (output->started)
        mrl_output__reopen_sink(output);
}

/* A dead output never gets to it. */
enum mrl_reopened mrl_output__reopened(const struct mrl_output *output)
{
    enum mrl_reopened reopened = (enum mrl_reopened)atomic_load(&output->reopened);

    return reopened == MRL_REOPEN_WAITS && !mrl_output__alive(output) ? MRL_REOPEN_FAILED
                                                                      : reopened;
}

void mrl_output__hurry(struct mrl_output *output)
{
    if (output->has_thread)
        mrl_queue__hurry(&output->queue);
}

void mrl_output__end(struct mrl_output *output)
{
    if (output->has_thread) {
        /* Before the queue ends: the thread that wakes for it, and whose write fails, must already
         * find that it shall not pause and try again. */
        atomic_store(&output->ending, true);
        mrl_queue__end(&output->queue);
    } else if (output->started && !output->joined) {
        write_now(output, NULL, NULL, 0); /* a gap that could not be told yet */
        mrl_output__leave(output);
    }
}
