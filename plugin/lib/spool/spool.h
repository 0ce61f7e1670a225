/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool: the items of one output that its destination has not acknowledged, in a directory
 * (docs/spool.md). This is the writer's end, in the main process: it appends, keeps the budget, and
 * grants segments to the one who ships them. Locks by itself: any thread may call any function.
 */
#ifndef MRL_SPOOL_SPOOL_H
#define MRL_SPOOL_SPOOL_H

#include <mrelease/error.h>
#include <mrelease/item.h>
#include <mrelease/plugin.h>
#include <mrelease/sink.h>
#include <stdbool.h>
#include <stdint.h>

/** When what was appended is on the disk: with each append; after a second; when the kernel writes
 * it. A death of the process loses nothing of it, in either case. */
enum mrl_spool_sync { MRL_SYNC_BATCH, MRL_SYNC_SECOND, MRL_SYNC_NONE };

struct mrl_spool_options {
    const char *directory;    /* made where it is missing; its parent is there */
    const char *format;       /* of the items; NULL: what it holds already */
    uint64_t size;            /* budget in bytes, of all files; at least MRL_SPOOL_MIN_BYTES */
    uint32_t segment_bytes;   /* 0: 64 MiB, or a quarter of the budget; no more than these */
    enum mrl_spool_sync sync; /* as above */
    void (*log)(void *context, enum mrl_log_level level, const char *text); /* NULL: nobody */
    void *context;
};

#define MRL_SPOOL_MIN_BYTES (UINT64_C(4) << 20)

/** What refused.ndjson may grow to, of a budget: the shipper's to keep. */
static inline uint64_t mrl_spool__refused_max(uint64_t size)
{
    return size / 16 < (UINT64_C(16) << 20) ? size / 16 : UINT64_C(16) << 20;
}

struct mrl_spool;

/**
 * Opens or makes a spool, and recovers: a torn end is cut off. Memory is some 16 bytes per segment
 * and a buffer; takes < 1 s. `*ret_spool` is new. Errors, with a line: -EWOULDBLOCK another process
 * has it; -EOPNOTSUPP of another version, or another format with items that are pending; -EPERM
 * others may write to the directory; -ELOOP, -ENOTDIR a symbolic link; -EINVAL a budget that is too
 * small; as open().
 */
int mrl_spool__open(const struct mrl_spool_options *options,
                    struct mrl_error *error,
                    struct mrl_spool **ret_spool);

/**
 * Looks at a spool that may be in use: takes no lock, and changes nothing. For
 * mrl_spool__counts(), mrl_spool__status() and those below; errors as mrl_spool__open().
 */
int mrl_spool__look(const char *directory, struct mrl_error *error, struct mrl_spool **ret_spool);

/** Of what it is, and the budget that it was written with. Borrowed; "" and 0: not known. */
const char *mrl_spool__format(const struct mrl_spool *spool);
uint64_t mrl_spool__size(const struct mrl_spool *spool);

/** Where the shipper stands. Returns whether that is known. */
bool mrl_spool__place(struct mrl_spool *spool, uint64_t *ret_segment, uint64_t *ret_item);

/** Hands out what is pending, in order; `take` returns 0, or -errno, which ends it and is returned.
 * What is damaged is left out. */
int mrl_spool__each(struct mrl_spool *spool,
                    int (*take)(void *context, uint64_t number, const struct mrl_item *item),
                    void *context,
                    struct mrl_error *error);

enum { MRL_SPOOL_OWN_BYTES = 16 + 1 + 16 + 1 };

/** The spool's own name, for its life: 16 hex digits, '-', 16 hex digits. */
void mrl_spool__name(struct mrl_spool *spool, char name[MRL_SPOOL_OWN_BYTES]);

/** When the last item that was appended happened, ns since the epoch; 0: there is none. */
uint64_t mrl_spool__last_ns(struct mrl_spool *spool);

/**
 * Appends the items of a chunk, each a struct mrl_item_head and its bytes, whose sizes are
 * chunk->sizes, and syncs as the policy says; in frames, of which each is appended as a whole or
 * not at all. When the budget, or the file system, is full, drops the oldest segment that is not
 * granted, and counts it. Blocks for the disk. Returns 0, or -errno, and `*ret_events` is the
 * number of items that were appended: -ENOSPC nothing more may be dropped; -EINVAL sizes that are
 * wrong, or an item larger than a frame; -ECANCELED as chunk->stop says; as write() and
 * fdatasync(). What failed may be tried again.
 */
int mrl_spool__append(struct mrl_spool *spool, const struct mrl_chunk *chunk, size_t *ret_events);

/** With MRL_SYNC_SECOND, to be called once a second: syncs what waits. As fdatasync(). */
int mrl_spool__sync(struct mrl_spool *spool);

/** What the shipper may read: the segment `number`, up to `end`. */
struct mrl_spool_grant {
    uint64_t number;
    uint64_t end; /* bytes; grows while it is the last */
    bool is_last; /* more may be appended to it */
    int fd;       /* read only, the caller's to close; -1: it is the one that is held */
};

/**
 * Grants the segment `number`, or the next that is there. Those before it are dealt with, and are
 * removed; the one that is granted is not dropped. Who asks begins with its cursor's segment, asks
 * for it again to learn its end, and for the next when it is not the last any more; `held` is the
 * segment that it has open, 0: none, for an answer may have come too late for it. A new shipper:
 * mrl_spool__forget() first. Errors: -EAGAIN nothing is there yet; as openat().
 */
int mrl_spool__grant(struct mrl_spool *spool,
                     uint64_t number,
                     uint64_t held,
                     struct mrl_spool_grant *ret_grant);

/** The shipper is gone: nothing is granted any more. */
void mrl_spool__forget(struct mrl_spool *spool);

/** Descriptors for the shipper, read and write, the caller's to close: cursor and refused.ndjson.
 */
int mrl_spool__files(struct mrl_spool *spool, int ret_fds[2], struct mrl_error *error);

/** Counts of the event at table index `event`; of the shipper's as the cursor has them. */
void mrl_spool__counts(struct mrl_spool *spool,
                       unsigned int event,
                       struct mrl_kept_counts *ret_counts);

/** What is there. */
struct mrl_spool_status {
    uint64_t bytes; /* on the disk */
    unsigned int segments;
    uint64_t pending;   /* items */
    uint64_t oldest_ns; /* of the oldest that is pending, since the epoch; 0: none, or not known */
};

void mrl_spool__status(struct mrl_spool *spool, struct mrl_spool_status *ret_status);

/** Gives up all that is pending, which counts as lost. Error: -EWOULDBLOCK a shipper has it. */
int mrl_spool__drop(struct mrl_spool *spool, struct mrl_error *error);

/** Syncs and closes; what is pending stays. NULL is allowed. */
int mrl_spool__close(struct mrl_spool *spool);

#endif
