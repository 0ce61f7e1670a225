/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The files of a stream: those that were named, and those of directories that were. They are put in
 * the order of the runs and counts that their first lines name, so that reading them one after
 * another needs no memory for what lies between; any other order would give the same result.
 */
#ifndef MRL_COMMAND_VERIFY_FILESET_H
#define MRL_COMMAND_VERIFY_FILESET_H

#include "command/verify/proof.h"
#include "command/verify/reader.h"

struct mrl_member {
    char *path;
    uint64_t size; /* in the file system; 0: not known */
    uint64_t device, inode;
    bool regular, left_out;
    bool named; /* an operand, not an entry of a directory */
    /* What its first sensor_state says; "": there is none at its beginning. */
    char run[MRL_RUN_ID_BYTES];
    uint64_t so_far;
    uint32_t index;
};

/** Zeroed is empty. */
struct mrl_fileset {
    struct mrl_member *members;
    uint32_t count, room;
    uint64_t bytes;
};

/**
 * Collects the files. What is no part of a stream is told to `report` and left out; what cannot be
 * read is told to `proof`. Error: -ENOMEM.
 */
int mrl_fileset__collect(struct mrl_fileset *set,
                         char *const *operands,
                         const struct mrl_report *report,
                         struct mrl_proof *proof);

void mrl_fileset__done(struct mrl_fileset *set);

#endif
