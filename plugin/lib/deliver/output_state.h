/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of an output share: its owner (output.c), writing, and its thread. */
#ifndef MRL_DELIVER_OUTPUT_STATE_H
#define MRL_DELIVER_OUTPUT_STATE_H

#include <mrelease/pipeline.h>
#include <signal.h>
#include <stdatomic.h>

#include "deliver/queue.h"
#include "event/state.h"

/** Where an output says what became of it; `line` may be NULL. */
struct mrl_output_log {
    void (*line)(void *context, enum mrl_log_level level, const char *text);
    void *context;
    void (*died)(void *died_context); /* an output takes nothing any more; NULL: nobody asks */
    void *died_context;
};

enum {
    MRL_WRITE_BYTES = 128 * 1024,
    MRL_WRITE_SYNCED_BYTES = 512 * 1024, /* of a spool: each write waits for the disk */
    MRL_WRITE_LINES = 1024,
    MRL_STEP_MS = 20, /* how soon the end is noticed */
};

/** Ends a write that hangs: ignored unless someone handles it, so harmless to others. */
#define MRL_INTERRUPT SIGURG

enum mrl_fate { MRL_DELIVERED, MRL_DROPPED_FAILED, MRL_LOST_BEFORE, MRL_REJECTED, MRL_FATE_COUNT };

/** What the thread has taken out of the queue. */
struct mrl_held {
    struct mrl_line lines[MRL_WRITE_LINES];
    uint32_t sizes[MRL_WRITE_LINES]; /* of the lines of one write */
    uint8_t refused[MRL_WRITE_LINES];
    size_t room; /* for the bytes */
    char bytes[];
};

struct mrl_output {
    struct mrl_output_options options; /* whose texts are copies, */
    char *texts[3];                    /* which are here */
    struct mrl_output_log log; /* a copy: a thread that was left behind outlives the pipeline */
    struct mrl_sink *sink;
    pthread_mutex_t sink_lock;   /* who asks the sink what it keeps: against its closing */
    struct mrl_sent sent;        /* as it said last; with the lock */
    struct mrl_encoder *encoder; /* for gaps; of whoever writes */
    bool started, joined;
    bool leaving; /* it ends before the run does */
    /* Of a sink that may block; one that never does is written to by the owner of the pipeline. */
    struct mrl_queue queue;
    struct mrl_held *held; /* NULL: the sink never blocks, or there is none */
    pthread_t thread;
    bool has_thread, stuck;
    int stop; /* atomic: the thread shall give up what it writes, and tell nobody any more */
    unsigned int columns; /* of the terminal; 0: it is none */
    atomic_bool alive, reopen, ending;
    atomic_int reopened;     /* enum mrl_reopened */
    int64_t silent_until_ns; /* CLOCK_MONOTONIC: of what the queue drops; of the owner */
    atomic_ullong progress;
    atomic_ullong counts[MRL_EVENT_COUNT][MRL_FATE_COUNT];
    char run[MRL_RUN_BYTES]; /* "": it writes no states of its own */
    unsigned int index;      /* in the pipeline */
    _Atomic uint64_t told;   /* events_lost and sensor_state that it wrote: N of their ids */
    /* The next two belong to whoever uses the sink: the thread, or while that waits, the owner. */
    bool quick;            /* the sink says so: the owner may write to it */
    int64_t rest_until_ns; /* CLOCK_MONOTONIC: not before, since a write was slow or failed */
    bool headless;         /* the destination was not told what precedes the first line */
    bool nameless;         /* nor, in mid-run, whose it is */
    uint64_t blind_from_ns, blind_to_ns; /* nobody watched, which is not told yet; 0: it is, or not
                                            known */
    struct mrl_error low_space;          /* what is to be told of that; "": nothing */
    int rotate_err;             /* why it was not rotated; 0: it was, or never needed to be */
    int last_err;               /* the error that was reported last; 0: it works */
    struct mrl_gap untold;      /* what is missing before lines[first] */
    pthread_mutex_t blame_lock; /* of the next */
    /* Losses of the kernel's side as they were told last: a gap is only a sum. */
    struct mrl_lost blamed[MRL_CAUSE_GAPS][MRL_EVENT_COUNT];
    /* What is being written: lines[first..count), whose bytes begin at `at`. Borrowed. */
    const struct mrl_line *lines;
    const char *bytes;
    size_t first, count, at;
    char text[MRL_ITEM_BYTES_MAX]; /* of a gap */
};

/** Any thread. */
void mrl_output__count(struct mrl_output *output,
                       unsigned int event,
                       enum mrl_fate fate,
                       uint64_t events);

/** What precedes the first line. Nothing where events are items: titles are none. */
static inline struct mrl_text mrl_output__preamble(const struct mrl_output *output)
{
    return output->options.sink->takes_items ? (struct mrl_text){ "", 0 }
                                             : mrl_encoder__preamble(output->encoder);
}

/** Says a line on the log, if there is one, unless the output was given up. */
__attribute__((format(printf, 3, 4))) void mrl_output__say(const struct mrl_output *output,
                                                           enum mrl_log_level level,
                                                           const char *format,
                                                           ...);

/** The queue dropped something. What is told where it is missing may come late, when the sink gets
 * on; the log says at once who caused most of it, and then not for a while. The owner. */
void mrl_output__say_drops(struct mrl_output *output);

/** Any thread. */
struct mrl_output_counts mrl_output__counts(const struct mrl_output *output, unsigned int event);

/** What its sink keeps. Any thread. Returns false where that keeps nothing, or is closed. */
bool mrl_output__kept(struct mrl_output *output, struct mrl_kept *ret_kept);

/** How its side program is. Any thread. Returns false where it has none, or is closed. */
bool mrl_output__life(struct mrl_output *output, struct mrl_life *ret_life);

/** As mrl_pipeline__sent(). */
bool mrl_output__sent(struct mrl_output *output, struct mrl_sent *ret_sent);

/** How its events are encoded; colours and width once the sink is open. */
struct mrl_encoder_options mrl_output__encoding(const struct mrl_output *output);

#endif
