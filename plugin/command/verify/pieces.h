/* SPDX-License-Identifier: Apache-2.0 */
/** What a proof is made of: runs, and the pieces of them that were found. */
#ifndef MRL_COMMAND_VERIFY_PIECES_H
#define MRL_COMMAND_VERIFY_PIECES_H

#include "command/verify/numbers.h"
#include "command/verify/report.h"

struct mrl_run;

/** Lines that follow one another, in one file or across the seam between two. */
struct mrl_piece {
    struct mrl_piece *next; /* of its run; of those that have none */
    uint64_t begin, here;   /* how many events of the run come before it; and up to here */
    uint64_t marked;        /* what `here` was at the last sensor_state */
    bool from_start, stopped;
    const char *last_file;
    struct mrl_numbers numbers;
    struct mrl_summary sum; /* its counts; sum.file is where it begins */
};

struct mrl_run {
    char id[MRL_RUN_ID_BYTES];
    uint64_t first_ns, last_ns;
    bool started, ended;
    struct mrl_piece *pieces;
    UT_hash_handle hh;
};

struct mrl_proof {
    const struct mrl_report *report;
    const char *file;
    mrl_number line;
    bool opening; /* the next line may be the first of a file: such is the first one, and what
                     follows a sensor_state where files were put together */
    struct mrl_run *runs;
    struct mrl_run *run;     /* of the current piece; NULL: not known */
    struct mrl_piece *piece; /* that the next line belongs to; NULL: a new one, of no run */
    struct mrl_piece *unnamed;
    struct mrl_verdict verdict;
};

/**
 * Puts the pieces of a run together, tells what is missing between them, and adds all up in the
 * first. Returns it; its `begin` and `here` are the run's. Error: NULL, out of memory.
 */
struct mrl_piece *mrl_run__join(struct mrl_run *run, const struct mrl_report *report);

/** Adds up counts; names and times of `sum` stay. */
void mrl_summary__add(struct mrl_summary *sum, const struct mrl_summary *more);

void mrl_piece__free(struct mrl_piece *piece);

#endif
