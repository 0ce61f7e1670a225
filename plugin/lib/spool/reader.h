/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the items of a segment, by a descriptor: no path, no lock. It believes nothing: whatever
 * the file holds, what it hands out was written as it is, and memory is bounded (some 2.6 MiB).
 * Damage is stepped over to the next frame that is whole. One thread.
 */
#ifndef MRL_SPOOL_READER_H
#define MRL_SPOOL_READER_H

#include "spool/layout.h"

struct mrl_spool_reader;

/** Items that follow each other without a gap. Borrowed until next() is called behind the next
 * batch, whatever comes of it: whoever delivers one may look at what comes then. */
struct mrl_spool_batch {
    const struct mrl_item *items;
    size_t count;
    uint64_t item;   /* number of the first */
    uint64_t offset; /* of the frame that it is in: what a cursor within this batch says */
    uint64_t next;   /* the same of what follows: what a cursor behind it says */
    /** Bytes before it that were stepped over, since the segment was opened: they are damaged. */
    uint64_t damaged;
    /** What was appended before the first item. Where the cursor stands at less, something is
     * missing: mrl_cursor__missing(). */
    struct mrl_spool_numbers appended;
};

/**
 * Begins at the first frame of the segment behind `fd`, which is borrowed until it is freed.
 * `*ret_reader` is new. Errors, with a line: as mrl_segment__check(); as pread(); -ENOMEM.
 */
int mrl_spool_reader__new(int fd, struct mrl_error *error, struct mrl_spool_reader **ret_reader);

/** The same, and does not look at the header: for who may have to do without. Error: -ENOMEM. */
int mrl_spool_reader__raw(int fd, struct mrl_spool_reader **ret_reader);

/** The segment's; zeroed, of a raw one. Borrowed. */
const struct mrl_segment_header *mrl_spool_reader__header(const struct mrl_spool_reader *reader);

/** Goes on at the item of this number, or at the first behind it. `offset`: where a cursor says
 * that it is; if it is not there, it is looked for from the beginning. */
void mrl_spool_reader__seek(struct mrl_spool_reader *reader, uint64_t offset, uint64_t item);

/**
 * The next items before `end` (bytes): up to `items_max` of them, from as many frames as there are,
 * up to the room for one large frame. Returns 0 with at least one item; -ENODATA there is none
 * before `end`: so far, or for good, which the grant tells; as pread(). An error leaves the last
 * batch as it is.
 */
int mrl_spool_reader__next(struct mrl_spool_reader *reader,
                           uint64_t end,
                           size_t items_max,
                           struct mrl_spool_batch *ret_batch);

/** NULL is allowed. */
void mrl_spool_reader__free(struct mrl_spool_reader *reader);

#endif
