// SPDX-License-Identifier: Apache-2.0
/*
 * One output: its thread takes lines out of the queue and writes them to the sink. What cannot be
 * written is retried with growing pauses, while the queue drops what it must; a gap is told in its
 * place as soon as something can be written again.
 */
#include "core/output.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/lost.h"

enum {
    BUFFER_BYTES = 128 * 1024,
    BUFFER_LINES = 1024,
    QUEUE_BYTES = 2 * 1024 * 1024,
    PAUSE_MIN_MS = 10,
    PAUSE_MAX_MS = 1000,
    FREE_MS = 200,
    INTERRUPT_MS = 2000,
    STEP_MS = 20, /* how soon the end is noticed */
};

/* Ignored unless someone handles it, and so harmless to others. */
#define INTERRUPT SIGURG

enum fate { DELIVERED, DROPPED_FULL, DROPPED_FAILED, LOST_BEFORE, FATES };

struct mrl_output {
    struct mrl_output_options options;
    struct mrl_output_log log;
    struct mrl_sink *sink;
    struct mrl_encoder *encoder; /* for gaps; the thread's */
    struct mrl_queue queue;
    pthread_t thread;
    bool started, joined, stuck; /* the thread */
    int stop;                    /* atomic: the thread shall give up what it writes */
    bool colour;
    atomic_bool alive, reopen, ending;
    atomic_ullong progress;
    atomic_ullong counts[MRL_EVENT_COUNT][FATES];
    int last_err;          /* the error that was reported last; 0: it works */
    struct mrl_gap untold; /* what is missing before lines[first] */
    /* What the thread holds: lines[first..count), whose bytes begin at `at`. */
    size_t first, count, at;
    struct mrl_line lines[BUFFER_LINES];
    char buffer[BUFFER_BYTES];
    char text[MRL_EVENT_TEXT_MAX];
};

static void count(struct mrl_output *output, unsigned int event, enum fate fate, uint64_t events)
{
    atomic_fetch_add_explicit(&output->counts[event][fate], events, memory_order_relaxed);
}

__attribute__((format(printf, 3, 4))) static void say(const struct mrl_output *output,
                                                      enum mrl_log_level level,
                                                      const char *format,
                                                      ...)
{
    char line[512];
    va_list arguments;

    if (!output->log.line)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    output->log.line(output->log.context, level, line);
}

/* -- failing and working again ---------------------------------------------------------------- */

static uint64_t dropped(const struct mrl_output *output)
{
    uint64_t events = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        events += output->counts[i][DROPPED_FULL] + output->counts[i][DROPPED_FAILED];
    return events;
}

/* Said once per change. An output that fails is not slow but broken: nobody waits for it. */
static void note_result(struct mrl_output *output, int err)
{
    if (err && err != output->last_err)
        say(output, MRL_LOG_WARNING, "%s: %s: %s", output->options.name, strerror(-err),
            err == -EPIPE ? "nobody reads it any more, it is closed"
                          : "tried again until it works");
    if (!err && output->last_err)
        say(output, MRL_LOG_INFO, "%s: works again, %llu events were dropped so far",
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

static void settle(struct mrl_output *output, size_t lines, enum fate fate)
{
    for (size_t i = 0; i < lines; i++) {
        const struct mrl_line *line = &output->lines[output->first++];

        output->at += line->size;
        count(output, line->event, fate, 1);
        if (fate == DROPPED_FAILED)
            mrl_gap__add(&output->untold, line, MRL_CAUSE_WRITE_FAILED);
    }
}

/* In steps, so that the end is noticed. Returns whether there is a point in going on. */
static bool pause_for(struct mrl_output *output, unsigned int pause_ms)
{
    const struct timespec step = { 0, STEP_MS * 1000000L };

    for (unsigned int slept = 0; slept < pause_ms; slept += STEP_MS) {
        if (atomic_load(&output->ending) || atomic_load(&output->reopen))
            break;
        nanosleep(&step, NULL);
    }
    return !atomic_load(&output->ending);
}

static void reopen(struct mrl_output *output)
{
    struct mrl_error error = { "" };

    if (!atomic_exchange(&output->reopen, false) || !output->options.sink->reopen)
        return;
    if (output->options.sink->reopen(output->sink, &error))
        say(output, MRL_LOG_WARNING, "%s: not reopened, the old file stays in use", error.text);
    else if (*error.text)
        say(output, MRL_LOG_WARNING, "%s", error.text);
}

/* Nobody reads any more: all that is and will be in the queue is dropped. */
static void die(struct mrl_output *output)
{
    settle(output, output->count - output->first, DROPPED_FAILED);
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
    settle(output, err ? done : chunk.events, DELIVERED);
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
    count(output, told.def->index, DELIVERED, 1);
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
    enum fate fate = atomic_load(&output->alive) ? DROPPED_FULL : DROPPED_FAILED;

    for (unsigned int i = 0; gap->total && i < MRL_EVENT_COUNT; i++)
        count(output, i, fate, gap->of[MRL_CAUSE_QUEUE_FULL][i].count);
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
            settle(output, output->count - output->first, DROPPED_FAILED);
            return;
        }
        pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
        reopen(output);
    }
}

static void *write_queue(void *context)
{
    struct mrl_output *output = context;
    struct mrl_gap gap;
    bool ended = false;

    while (!ended) {
        output->first = output->at = 0;
        output->count = mrl_queue__pop(&output->queue, -1, output->buffer, sizeof(output->buffer),
                                       output->lines, BUFFER_LINES, &gap, &ended);
        atomic_fetch_add(&output->progress, 1);
        take_gap(output, &gap);
        if (!atomic_load(&output->alive))
            continue;
        reopen(output);
        write_held(output);
    }
    return NULL;
}

/* -- opening ---------------------------------------------------------------------------------- */

/* Signals are for the program's own threads, but for the one that interrupts this one. */
static int start_thread(struct mrl_output *output)
{
    sigset_t all, old;
    int err;

    sigfillset(&all);
    sigdelset(&all, INTERRUPT);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(&output->thread, NULL, write_queue, output);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    output->started = !err;
    return -err;
}

static int open_sink(struct mrl_output *output, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = output->options.sink;
    struct mrl_encoder_options encoder = { .user_names = true, .extras = output->options.extras };
    struct mrl_error note = { "" };
    int err = sink->open(output->options.destination, &note, &output->sink);

    if (err)
        return mrl_error__set(error, err, "%s", note.text);
    if (*note.text)
        say(output, MRL_LOG_WARNING, "%s", note.text);
    output->colour = !output->options.plain && sink->is_terminal && sink->is_terminal(output->sink);
    encoder.colour = output->colour;
    err = mrl_encoder__new(output->options.format, &encoder, error, &output->encoder);
    if (!err &&
        mrl_queue__init(&output->queue, output->options.queue_bytes, output->options.policy))
        err = mrl_error__set(error, -ENOMEM, "out of memory");
    return err;
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
    memcpy(&output->options, options,
           options->size < sizeof(*options) ? options->size : sizeof(*options));
    if (!output->options.queue_bytes)
        output->options.queue_bytes = QUEUE_BYTES;
    if (output->options.queue_bytes < MRL_EVENT_TEXT_MAX)
        output->options.queue_bytes = MRL_EVENT_TEXT_MAX;
    output->log = *log;
    atomic_store(&output->alive, true);
    if (output->options.sink)
        err = open_sink(output, error);
    if (err) {
        mrl_output__free(output);
        return err;
    }
    *ret_output = output;
    return 0;
}

static int write_preamble(struct mrl_output *output, struct mrl_error *error)
{
    struct mrl_text text = mrl_encoder__preamble(output->encoder);
    struct mrl_chunk chunk = { .bytes = text.bytes, .size = text.size };
    size_t events;
    int err = text.size ? output->options.sink->write(output->sink, &chunk, &events) : 0;

    return err ? mrl_error__set(error, err, "%.256s: %s", output->options.name, strerror(-err)) : 0;
}

int mrl_output__start(struct mrl_output *output, struct mrl_error *error)
{
    int err;

    if (!output->options.sink || output->started)
        return 0;
    err = start_thread(output);
    if (err) {
        atomic_store(&output->alive, false);
        mrl_queue__abandon(&output->queue); /* whatever is pushed is dropped */
        return mrl_error__set(error, err, "starting a thread: %s", strerror(-err));
    }
    /* The thread is idle as long as nothing was pushed: the sink is still the owner's. */
    return write_preamble(output, error);
}

/* -- the owner's side ------------------------------------------------------------------------- */

void mrl_output__push(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t lines_count)
{
    for (size_t i = 0; i < lines_count; i++) {
        if (lines[i].lost)
            count(output, lines[i].event, LOST_BEFORE, lines[i].lost);
        else if (!output->options.sink)
            count(output, lines[i].event, DELIVERED, 1);
    }
    if (output->options.sink)
        mrl_queue__push(&output->queue, bytes, lines, lines_count);
}

bool mrl_output__colour(const struct mrl_output *output)
{
    return output->colour;
}

bool mrl_output__alive(const struct mrl_output *output)
{
    return atomic_load(&output->alive);
}

const char *mrl_output__name(const struct mrl_output *output)
{
    return output->options.name;
}

void mrl_output__reopen(struct mrl_output *output)
{
    atomic_store(&output->reopen, true);
    if (output->started)
        mrl_queue__wake(&output->queue);
}

void mrl_output__hurry(struct mrl_output *output)
{
    if (output->started)
        mrl_queue__hurry(&output->queue);
}

void mrl_output__end(struct mrl_output *output)
{
    if (!output->started)
        return;
    atomic_store(&output->ending, true);
    mrl_queue__end(&output->queue);
}

static bool joined_within(struct mrl_output *output, int timeout_ms)
{
    const int step_ms = 10;
    unsigned long long progress = atomic_load(&output->progress);

    for (int waited = 0;; waited += step_ms) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += step_ms * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (!pthread_timedjoin_np(output->thread, NULL, &until))
            return true;
        if (atomic_load(&output->progress) != progress) {
            progress = atomic_load(&output->progress);
            waited = 0;
        }
        if (waited >= timeout_ms)
            return false;
    }
}

static void on_interrupt(int signal)
{
    (void)signal;
}

/* Makes a thread end that waits in write(). It counts what it could not write itself. */
static void give_up(struct mrl_output *output)
{
    const struct sigaction interrupt = { .sa_handler = on_interrupt }; /* without SA_RESTART */
    struct sigaction old;

    say(output, MRL_LOG_WARNING, "%s: takes nothing any more, given up", output->options.name);
    __atomic_store_n(&output->stop, 1, __ATOMIC_RELAXED);
    sigaction(INTERRUPT, &interrupt, &old);
    output->stuck = true;
    for (int waited = 0; output->stuck && waited < INTERRUPT_MS; waited += STEP_MS) {
        pthread_kill(output->thread, INTERRUPT);
        output->stuck = !joined_within(output, STEP_MS);
    }
    sigaction(INTERRUPT, &old, NULL);
    if (output->stuck)
        pthread_detach(output->thread);
}

static int close_sink(struct mrl_output *output)
{
    struct mrl_sink *sink = output->sink;

    output->sink = NULL;
    if (!sink)
        return 0;
    if (!output->started && output->options.sink->abandon)
        return output->options.sink->abandon(sink);
    return output->options.sink->close(sink);
}

int mrl_output__join(struct mrl_output *output, int timeout_ms)
{
    int err = 0, close_err;

    if (!output->started || output->joined)
        return 0;
    if (!joined_within(output, timeout_ms)) {
        give_up(output);
        err = -ETIMEDOUT;
    }
    output->joined = true;
    if (output->stuck)
        return err;
    close_err = close_sink(output);
    err = err ? err : output->last_err;
    return err ? err : close_err;
}

struct mrl_output_counts mrl_output__counts(const struct mrl_output *output, unsigned int event)
{
    return (struct mrl_output_counts){
        .delivered = output->counts[event][DELIVERED],
        .dropped_full = output->counts[event][DROPPED_FULL],
        .dropped_failed = output->counts[event][DROPPED_FAILED],
        .lost_before = output->counts[event][LOST_BEFORE],
    };
}

void mrl_output__free(struct mrl_output *output)
{
    if (!output)
        return;
    mrl_output__end(output);
    mrl_output__join(output, FREE_MS);
    if (output->stuck)
        return; /* its thread hangs in a sink that does not obey, and would use what is freed here
                 */
    close_sink(output);
    mrl_encoder__free(output->encoder);
    mrl_queue__done(&output->queue);
    free(output);
}
