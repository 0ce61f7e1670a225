/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what an output holds to its sink, on whichever thread does that for this output. */
#ifndef MRL_DELIVER_OUTPUT_WRITE_H
#define MRL_DELIVER_OUTPUT_WRITE_H

#include "deliver/output_state.h"

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

/**
 * Writes a sensor_state of the output's own, behind all that was written so far: what `detail`
 * (NULL: nothing) says beside the run, and the interval that it is about (0 and 0: none). Nothing
 * happens where the output takes no states or the run has no name. The thread that writes. Returns
 * 0, or the -errno of the sink: then it was not written, and is not kept.
 */
int mrl_output__state(struct mrl_output *output,
                      enum mrl_what what,
                      const char *detail,
                      uint64_t from_ns,
                      uint64_t to_ns);

/** Writes a state, with how much stands before it: only here is that known. As write_event(). */
int mrl_output__write_state(struct mrl_output *output, const struct mrl_state *state);

/** Writes an event that has no line yet, under the output's next number. It is the caller's to
 * count. As write(). */
int mrl_output__write_event(struct mrl_output *output, struct mrl_event *event);

/** Every write but that of the first head. -ECANCELED is no fault of the sink: it was given up, and
 * that was said. */
int mrl_output__write(struct mrl_output *output, struct mrl_chunk *chunk, size_t *ret_events);

/** Asks an open sink whether its writes are quick. */
void mrl_output__learn_quick(struct mrl_output *output);

/** Asks the sink whether space is short, and says so on the log. The state waits to be written. */
void mrl_output__look_at_space(struct mrl_output *output);

/** Whether something is to be written before the next lines: a head, a gap, a state. */
bool mrl_output__owes(const struct mrl_output *output);

/** Of an output that ends before the run does: the last line says how many stand before it. */
void mrl_output__leave(struct mrl_output *output);

/** Reopens the sink when that was asked for. */
void mrl_output__reopen_sink(struct mrl_output *output);

#endif
