/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The proof that a stream is complete, from its lines. A stream may lie in several files, which may
 * come in any order, and hold several runs.
 *
 * Each sensor_state names its run and says how many events of it were written before. So every file
 * of a run begins with a line that says which piece of it this is; the pieces are put together by
 * these counts, and the numbers of the records are held against one another within a piece and
 * across the seams. Lines before the first sensor_state of a file belong to the run that it names,
 * unless it says that the run starts there. Lines behind the end of a run belong to none.
 *
 * Memory: some 1200 bytes a run and 200 bytes for each CPU of it. Where files are missing or
 * damaged, each such place counts like a run. Nothing grows with the lines or with whole files.
 */
#ifndef MRL_COMMAND_VERIFY_PROOF_H
#define MRL_COMMAND_VERIFY_PROOF_H

#include "command/verify/report.h"

/** Belongs to one thread. */
struct mrl_proof;

/** `report` is borrowed for as long as the proof lives. NULL: out of memory. */
struct mrl_proof *mrl_proof__new(const struct mrl_report *report);

/** The lines that follow are of this file. `name` is borrowed for as long as the proof lives. */
void mrl_proof__begin_file(struct mrl_proof *proof, const char *name);

/** Takes the next line. Error: -ENOMEM. */
int mrl_proof__take(struct mrl_proof *proof, const struct mrl_line *line);

/** The file, or the rest of it, cannot be read. */
void mrl_proof__unreadable(struct mrl_proof *proof, const char *name, const char *why);

/** Puts the pieces together and prints what came of each run, and the verdict. An exit status. */
int mrl_proof__finish(struct mrl_proof *proof);

/** NULL is allowed. */
void mrl_proof__free(struct mrl_proof *proof);

#endif
