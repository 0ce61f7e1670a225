/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output of the pipeline: a queue, a thread that writes it to a sink, and the counts. The
 * functions are called by the thread that owns the pipeline unless they say otherwise.
 */
#ifndef MRL_DELIVER_OUTPUT_H
#define MRL_DELIVER_OUTPUT_H

#include <mrelease/pipeline.h>

#include "deliver/output_state.h"

/** Opens the sink; new. Errors: as mrl_pipeline__add(). */
int mrl_output__open(const struct mrl_output_options *options,
                     const struct mrl_output_log *log,
                     struct mrl_error *error,
                     struct mrl_output **ret_output);

/**
 * Starts the thread, which writes what precedes the first line (column titles): the caller does not
 * wait for who reads that, or does not. Once; then greet() it. An output that is freed without it
 * takes back what opening it made. Errors: as the sink's write; -EAGAIN no thread.
 */
int mrl_output__start(struct mrl_output *output, struct mrl_error *error);

/** As start(), of an output that goes on where another one ended just now: its lines wait already,
 * and its file may have been rotated since it was opened. What fails is said on the log. */
void mrl_output__start_late(struct mrl_output *output);

/** One that was started late has its place: its thread writes what precedes the first line. */
void mrl_output__greet(struct mrl_output *output);

/** What happens when its queue is full, from now on: to block, or to drop the oldest. */
void mrl_output__set_policy(struct mrl_output *output, enum mrl_policy policy);

/** What its queue holds; untouched where it has none. Any thread. */
void mrl_output__waiting(struct mrl_output *output, struct mrl_waiting *ret_waiting);

/** Before start(): whom its death is told to, which is copied. */
void mrl_output__on_death(struct mrl_output *output, const struct mrl_output_log *log);

/** Before start(): the name of the run, for the states that it writes itself; "": it writes none.
 */
void mrl_output__name_run(struct mrl_output *output, const char *run);

/** A loss that the next lines hold as a gap says who caused it: the events_lost of that gap will
 * say so. Before push(), on its thread. */
void mrl_output__blame(struct mrl_output *output, const struct mrl_lost *lost);

/** Takes lines that lie one behind the other. Waits only under MRL_POLICY_BLOCK. */
void mrl_output__push(struct mrl_output *output,
                      const char *bytes,
                      const struct mrl_line *lines,
                      size_t count);

/** Whether it still takes events. Any thread. */
bool mrl_output__alive(const struct mrl_output *output);

/** NULL: events are only counted. */
const struct mrl_sink_ops *mrl_output__sink(const struct mrl_output *output);

const char *mrl_output__name(const struct mrl_output *output);

/** Asks the thread to reopen the sink before its next write. */
void mrl_output__reopen(struct mrl_output *output);

/** What became of the last reopen(). Any thread. */
enum mrl_reopened mrl_output__reopened(const struct mrl_output *output);

/** push() waits only while there is progress. Any thread, and signal handlers. */
void mrl_output__hurry(struct mrl_output *output);

/** No more lines will come. */
void mrl_output__end(struct mrl_output *output);

/** Waits for the thread, up to `timeout_ms` without progress. 0, or -errno when something was lost.
 */
int mrl_output__join(struct mrl_output *output, int timeout_ms);

/** After join(): frees all but its counts. */
void mrl_output__shrink(struct mrl_output *output);

/** Only after join(), or of an output that never got a line. NULL is allowed. */
void mrl_output__free(struct mrl_output *output);

#endif
