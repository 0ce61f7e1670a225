/* SPDX-License-Identifier: Apache-2.0 */
/* The load of a flood: calls at full speed or at a pace, and where their events go. */
#ifndef MRL_BENCH_LOAD_H
#define MRL_BENCH_LOAD_H

#include <sys/types.h>

#include "bench/bench.h"

/**
 * Calls `calls` times, at full speed or `per_ms` times a millisecond (0: full speed). Returns the
 * seconds that it took. Adds the CPU time per call of each chunk to `chunk_ns`.
 */
double bench_produce(void (*call)(void), int calls, int per_ms, struct bench_samples *chunk_ns);

/** A directory for one run, and the reader of a FIFO in it. */
struct bench_place {
    char folder[64];
    char path[96]; /* of a file in it, which is not there yet */
    pid_t reader;
    uint64_t *reader_lines; /* shared with it */
};

/** Makes the directory, in TMPDIR or /var/tmp. */
void bench_place__open(struct bench_place *place);

/**
 * Makes the path a FIFO with a reader on the CPU of the program under test: it reads up to 1 MiB at
 * a time and counts lines, the least that a reader of lines can do.
 */
void bench_place__fifo(struct bench_place *place);

/** Waits until the reader found the end of what was written. Returns its CPU seconds; negative: it
 * found none. */
double bench_place__read_to_end(struct bench_place *place, uint64_t *ret_lines);

/** Removes all, and ends the reader. */
void bench_place__close(struct bench_place *place);

#endif
