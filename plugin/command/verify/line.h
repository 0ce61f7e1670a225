/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A line of a stream that was written with --extra seq, taken apart as far as a proof needs it. Of
 * an event that is its number; what the sensor says of itself and of losses is read in full.
 */
#ifndef MRL_COMMAND_VERIFY_LINE_H
#define MRL_COMMAND_VERIFY_LINE_H

#include <mrelease/mrelease.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MRL_VERIFY_LANES = 2,
    MRL_VERIFY_CPUS = 1 << 16,
    MRL_RUN_BYTES = 16 + 1 + 16, /* BOOT-RUN */
    MRL_RUN_OUTPUT_DIGITS = 5,
    /* Each output of a run counts for itself, and is a stream of its own: of all but the first, its
     * number follows, as "/1"; and a NUL. */
    MRL_RUN_ID_BYTES = MRL_RUN_BYTES + 1 + MRL_RUN_OUTPUT_DIGITS + 1,
};

/** 2^53: beyond it a JSON reader need not be exact. */
#define MRL_SEQ_MAX (UINT64_C(1) << 53)

enum mrl_line_kind {
    MRL_LINE_BAD,
    MRL_LINE_EVENT,
    MRL_LINE_LOST, /* events_lost */
    MRL_LINE_STATE /* sensor_state */
};

struct mrl_line {
    enum mrl_line_kind kind;
    char fault[160]; /* of a bad one: what is wrong with it */
    /** Of an event: its number. `lane` is also that of the events that events_lost is about; of
     * sensor_state, which has none, MRL_VERIFY_LANES or more. */
    uint32_t cpu, lane;
    uint64_t seq;
    /** Of events_lost. */
    char event[32], cause[32];
    uint64_t count;
    /** Of sensor_state: what happened to which run, after how many of its events. */
    char what[32], run[MRL_RUN_ID_BYTES];
    uint64_t time_ns, so_far, from_ns, to_ns;
};

/**
 * Takes a line apart. `bytes[size]` must be readable and hold a newline. The bytes may be anything:
 * what is no line of an event becomes MRL_LINE_BAD.
 */
void mrl_line__read(const char *bytes, size_t size, struct mrl_line *ret_line);

/**
 * The fast path: true for an event as encoders print it, with its number in `*ret_line`. False says
 * nothing: the line is odd, or not an event. Never true where mrl_line__parse() says otherwise.
 */
bool mrl_line__scan(const char *bytes, size_t size, struct mrl_line *ret_line);

/** The same through a JSON tree. Knows every form that JSON allows. */
void mrl_line__parse(const char *bytes, size_t size, struct mrl_line *ret_line);

#endif
