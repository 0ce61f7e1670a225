/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a spool is shipped: a file of two slots, written in turn, of which the better one counts.
 * The shipper writes it, by a descriptor that it is given; the main process makes it, and reads it.
 * One thread.
 */
#ifndef MRL_SPOOL_CURSOR_H
#define MRL_SPOOL_CURSOR_H

#include "spool/layout.h"

/** What is dealt with. */
struct mrl_cursor {
    uint64_t generation; /* counts the writes; the slot of the larger one counts */
    uint64_t segment;    /* number */
    uint64_t offset;     /* in it, of the frame that holds the item, or of one before it */
    uint64_t item;       /* number of the next */
    struct mrl_spool_numbers taken, refused, lost;
    uint8_t id[MRL_SPOOL_ID_BYTES]; /* of the spool */
};

enum { MRL_CURSOR_SLOT_BYTES = 1024, MRL_CURSOR_BYTES = 2 * MRL_CURSOR_SLOT_BYTES };

/** Reads the better slot. Errors: -ENODATA the file is empty, or of zeros; -EBADMSG neither slot is
 * whole; as pread(). */
int mrl_cursor__read(int fd, struct mrl_cursor *ret_cursor);

/** Writes to the slot that is not the better one, with the next generation. To the page cache: a
 * death of the process loses nothing, that of the machine up to the last sync. As pwrite(). */
int mrl_cursor__write(int fd, struct mrl_cursor *cursor);

/** Syncs if a second has passed since `*last_ns` (CLOCK_MONOTONIC), or if `now`. As fdatasync(). */
int mrl_cursor__sync(int fd, bool now, int64_t *last_ns);

/**
 * The shipper's lock: a record lock, for a descriptor that was passed on shares everything else. It
 * ends with the process, and when that closes any descriptor of the file. Waits up to `wait_ms`.
 * Error: -EWOULDBLOCK another process has it.
 */
int mrl_cursor__lock(int fd, int wait_ms);

/** Gives the lock back. */
void mrl_cursor__unlock(int fd);

/** taken + refused + lost of an event. */
static inline uint64_t mrl_cursor__dealt(const struct mrl_cursor *cursor, unsigned int event)
{
    return cursor->taken.of[event] + cursor->refused.of[event] + cursor->lost.of[event];
}

/**
 * What is missing before a place that `appended` was appended before, where the cursor stands at
 * the item before that place: per event, to be told and added to cursor->lost. Returns the sum; 0:
 * nothing is missing.
 */
uint64_t mrl_cursor__missing(const struct mrl_cursor *cursor,
                             const struct mrl_spool_numbers *appended,
                             struct mrl_spool_numbers *ret_missing);

#endif
