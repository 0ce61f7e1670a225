/* SPDX-License-Identifier: Apache-2.0 */
/* What the two sides of an output share: its owner (output.c) and its thread (writing.c). */
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

struct mrl_output {
    struct mrl_output_options options;
    struct mrl_output_log log;
    struct mrl_sink *sink;
    struct mrl_encoder *encoder; /* for gaps; the thread's */
    struct mrl_queue queue;
    pthread_t thread;
    bool started, joined, stuck;
    int stop; /* atomic: the thread shall give up what it writes */
    bool colour;
    atomic_bool alive, reopen, ending;
    atomic_ullong progress;
    atomic_ullong counts[MRL_EVENT_COUNT][MRL_FATE_COUNT];
    bool headless;         /* the destination was not told what precedes the first line */
    int last_err;          /* the error that was reported last; 0: it works */
    struct mrl_gap untold; /* what is missing before lines[first] */
    /* What the thread holds: lines[first..count), whose bytes begin at `at`. */
    size_t first, count, at;
    struct mrl_line lines[MRL_WRITE_LINES];
    char buffer[MRL_WRITE_BYTES];
    char text[MRL_EVENT_TEXT_MAX];
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

/** The thread: writes the queue of `output` until it has ended. Returns NULL. */
void *mrl_output__write_queue(void *output);

#endif
