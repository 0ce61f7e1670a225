/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of an output share: its owner (output.c), writing (output_write.c), its thread. */
#ifndef MRL_DELIVER_OUTPUT_THREAD_H
#define MRL_DELIVER_OUTPUT_THREAD_H

#include <stdatomic.h>

#include "deliver/output.h"

enum {
    MRL_WRITE_BYTES = 128 * 1024,
    MRL_WRITE_LINES = 1024,
    MRL_STEP_MS = 20, /* how soon the end is noticed */
};

enum mrl_fate {
    MRL_DELIVERED,
    MRL_DROPPED_FULL,
    MRL_DROPPED_FAILED,
    MRL_LOST_BEFORE,
    MRL_FATE_COUNT
};

/** What the thread has taken out of the queue. */
struct mrl_held {
    struct mrl_line lines[MRL_WRITE_LINES];
    char bytes[MRL_WRITE_BYTES];
};

struct mrl_output {
    struct mrl_output_options options;
    struct mrl_output_log log;
    struct mrl_sink *sink;
    struct mrl_encoder *encoder; /* for gaps; of whoever writes */
    bool started, joined;
    /* Of a sink that may block; one that never does is written to by the owner of the pipeline. */
    struct mrl_queue queue;
    struct mrl_held *held; /* NULL: the sink never blocks, or there is none */
    pthread_t thread;
    bool has_thread, stuck;
    int stop; /* atomic: the thread shall give up what it writes */
    bool colour;
    atomic_bool alive, reopen, ending;
    atomic_ullong progress;
    atomic_ullong counts[MRL_EVENT_COUNT][MRL_FATE_COUNT];
    bool headless;         /* the destination was not told what precedes the first line */
    int last_err;          /* the error that was reported last; 0: it works */
    struct mrl_gap untold; /* what is missing before lines[first] */
    /* What is being written: lines[first..count), whose bytes begin at `at`. Borrowed. */
    const struct mrl_line *lines;
    const char *bytes;
    size_t first, count, at;
    char text[MRL_EVENT_TEXT_MAX]; /* of a gap */
};

/** Any thread. */
void mrl_output__count(struct mrl_output *output,
                       unsigned int event,
                       enum mrl_fate fate,
                       uint64_t events);

/** Says a line on the log, if there is one. */
__attribute__((format(printf, 3, 4))) void mrl_output__say(const struct mrl_output *output,
                                                           enum mrl_log_level level,
                                                           const char *format,
                                                           ...);

/** Takes `count` lines, and gaps between them, for writing. */
void mrl_output__hold(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t count);

/**
 * One try at what is untold and then at what is held, so that a gap stands in its place. What was
 * written is counted, and held no more. Returns 0, or the -errno of the sink.
 */
int mrl_output__try(struct mrl_output *output);

/** Counts what is held as dropped, and as a gap that is still to be told. */
void mrl_output__drop(struct mrl_output *output);

/** Nobody reads any more: what is held, and all that will come, is dropped. */
void mrl_output__die(struct mrl_output *output);

/** Reopens the sink when that was asked for. */
void mrl_output__reopen_sink(struct mrl_output *output);

/** The thread: writes the queue of `output` until it has ended. Returns NULL. */
void *mrl_output__write_queue(void *output);

#endif
