/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool: the items of one output that its destination has not acknowledged, in a directory
 * (docs/spool.md). This is the writer's end, in the main process: it appends, keeps the budget, and
 * grants segments to the one who ships them. Locks by itself: append() and the others may be called
 * by different threads.
 */
#ifndef MRL_SPOOL_SPOOL_H
#define MRL_SPOOL_SPOOL_H

#include <mrelease/error.h>
#include <mrelease/item.h>
#include <mrelease/sink.h>
#include <stdbool.h>
#include <stdint.h>

#include "event/raw.h"

/** When what was appended is on the disk. */
enum mrl_spool_sync { MRL_SYNC_BATCH, MRL_SYNC_SECOND, MRL_SYNC_NONE };

struct mrl_spool_options {
    const char *directory;  /* made where it is missing; its parent is there */
    const char *format;     /* of the items */
    uint64_t size;          /* budget in bytes, of all files; at least MRL_SPOOL_MIN_BYTES */
    uint32_t segment_bytes; /* 0: 64 MiB, or a quarter of the budget */
    enum mrl_spool_sync sync;
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    void *context;
};

#define MRL_SPOOL_MIN_BYTES (UINT64_C(4) << 20)

/** Per event, across runs: appended = taken + refused + lost + pending. */
struct mrl_spool_counts {
    uint64_t appended;
    uint64_t taken;   /* acknowledged by the destination */
    uint64_t refused; /* by the destination, for good: in refused.ndjson */
    uint64_t lost;    /* to the budget, or to damage */
};

struct mrl_spool;

/**
 * Opens or makes a spool, and recovers: a torn end is cut off. Constant memory, < 1 s. `*ret` is
 * new. Errors, with a line: -EWOULDBLOCK another process has it; -EOPNOTSUPP of another version, or
 * another format with items that are pending; -ELOOP a symbolic link; as open().
 */
int mrl_spool__open(const struct mrl_spool_options *options,
                    struct mrl_error *error,
                    struct mrl_spool **ret_spool);

/** How many events_lost and sensor_state have been appended in all runs: where N goes on. */
uint64_t mrl_spool__told(const struct mrl_spool *spool);

/** When the last item that was appended happened, ns since the epoch; 0: there is none. */
uint64_t mrl_spool__last_ns(const struct mrl_spool *spool);

/**
 * Appends the items of a chunk, each a struct mrl_item_head and its bytes, and syncs as the policy
 * says. All or none. When the budget, or the file system, is full, drops the oldest segment that is
 * not granted, and counts it. Errors: -ENOSPC nothing may be dropped; -EINVAL sizes that are
 * wrong; as write().
 */
int mrl_spool__append(struct mrl_spool *spool, const struct mrl_chunk *chunk);

/** What the shipper may read: up to `end`, of the segment `number`, whose first item is `item`. */
struct mrl_spool_grant {
    uint64_t number;
    uint64_t end; /* bytes; grows while it is the last */
    bool is_last; /* more may be appended to it */
    int fd;       /* read only, the caller's to close; -1: of a segment that was granted before */
};

/**
 * Grants the segment `number`, or the next that is there; what was granted before it is given up,
 * and may be dropped. Returns 0, or -EAGAIN: nothing is there yet.
 */
int mrl_spool__grant(struct mrl_spool *spool, uint64_t number, struct mrl_spool_grant *ret_grant);

/** Descriptors for the shipper, read and write, the caller's to close: cursor and refused.ndjson.
 */
int mrl_spool__files(struct mrl_spool *spool, int ret_fds[2], struct mrl_error *error);

/** Counts of the event at table index `event`; of the shipper's as the cursor has them. */
void mrl_spool__counts(const struct mrl_spool *spool,
                       unsigned int event,
                       struct mrl_spool_counts *ret_counts);

/** Bytes on the disk, and the age of the oldest pending item in ns (0: none). */
uint64_t mrl_spool__bytes(const struct mrl_spool *spool);

/** Syncs and closes; what is pending stays. NULL is allowed. */
int mrl_spool__close(struct mrl_spool *spool);

#endif
