/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of lines, between the thread that encodes and the thread that writes. It knows
 * what it dropped and where: gaps are taken out in their place, so that they can be written there.
 * One producer and one consumer; its own lock. Nothing here knows of formats or sinks.
 */
#ifndef MRL_DELIVER_QUEUE_H
#define MRL_DELIVER_QUEUE_H

#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/gap.h"
#include "deliver/line_ring.h"
#include "deliver/shares.h"

struct mrl_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum mrl_policy policy;
    struct mrl_line_ring ring, kept; /* kept: what is older than the lines of the other */
    struct mrl_shares shares;        /* of the producer */
    struct mrl_blame by[MRL_EVENT_COUNT];
    size_t since_sleep;   /* lines that the consumer took since it last went to sleep, */
    int64_t slept_ns;     /* which was then, by CLOCK_MONOTONIC */
    struct mrl_gap front; /* missing before the first line */
    /* Called by the producer, with the lock, while MRL_POLICY_BLOCK waits; NULL: nobody. */
    void (*waits)(void *waits_context);
    void *waits_context;
    /* Set without the lock. */
    atomic_bool broken; /* the sink fails: MRL_POLICY_BLOCK drops the oldest, and does not wait */
    atomic_bool hurry;  /* the end is wanted: MRL_POLICY_BLOCK waits only while something moves */
    /* What it dropped, by event: for want of room, and since it was abandoned. Written with the
     * lock, read without: what waits here as a gap is told late, and counted at once. */
    atomic_ullong dropped[MRL_EVENT_COUNT], dropped_late[MRL_EVENT_COUNT];
    bool stuck;     /* nothing moved in a hurry: the producer does not wait until it does */
    bool dozing;    /* the consumer sleeps for a moment, and needs no wake-up */
    bool waiting;   /* the consumer is in pop(), and holds nothing */
    bool woken;     /* mrl_queue__wake() was called, and no pop() has returned since */
    bool ended;     /* the producer is done */
    bool abandoned; /* the consumer is gone: everything is dropped */
};

/** Makes an empty queue of `size` bytes, and a reserve of an eighth of that. Error: -ENOMEM. */
int mrl_queue__init(struct mrl_queue *queue, size_t size, enum mrl_policy policy);

/** Producer: another policy from now on; neither it nor that of before is MRL_POLICY_DROP_NEWEST,
 * whose memory is of another shape. */
void mrl_queue__set_policy(struct mrl_queue *queue, enum mrl_policy policy);

/** What waits in it. Any thread. */
void mrl_queue__waiting(struct mrl_queue *queue, struct mrl_waiting *ret_waiting);

/** Frees it; zeroed is allowed. No thread may be waiting. What it has dropped can still be read. */
void mrl_queue__done(struct mrl_queue *queue);

/**
 * Producer: appends `count` lines (copied) that lie one behind the other in `bytes`, and gaps
 * between them, for which there is always room. Where there is none for a line: MRL_POLICY_BLOCK
 * waits for it, MRL_POLICY_DROP_OLDEST drops lines from the front, MRL_POLICY_DROP_NEWEST drops the
 * new one; both ask first whether it has a share of the reserve (deliver/shares.h). What is dropped
 * is in the gaps; returns whether something was.
 */
bool mrl_queue__push(struct mrl_queue *queue,
                     const char *bytes,
                     const struct mrl_line *lines,
                     size_t count);

/**
 * Producer: whether there is nothing to take, and the consumer waits for something, which must be
 * without a time-out. It then sleeps until this producer pushes or ends, or somebody wakes it.
 */
bool mrl_queue__is_idle(struct mrl_queue *queue);

/** Producer: no more lines will come. */
void mrl_queue__end(struct mrl_queue *queue);

/**
 * Consumer: waits up to `timeout_ms` (-1: for ever) for lines, and takes as many whole ones as fit
 * into `buffer` and `lines`, up to the next gap; the gap before them comes with them. Returns their
 * number.
 * `*ret_ended`: nothing will come any more. Both rings are then empty.
 */
size_t mrl_queue__pop(struct mrl_queue *queue,
                      int timeout_ms,
                      char *buffer,
                      size_t size,
                      struct mrl_line *lines,
                      size_t lines_size,
                      struct mrl_gap *ret_gap,
                      bool *ret_ended);

/** Any thread, and signal handlers: from now on, MRL_POLICY_BLOCK waits at most 2 s for any
 * progress. */
void mrl_queue__hurry(struct mrl_queue *queue);

/** Any thread: while `broken`, MRL_POLICY_BLOCK drops the oldest at once. */
void mrl_queue__set_broken(struct mrl_queue *queue, bool broken);

/** Any thread: a pop() that waits returns at once, with no lines if there are none. */
void mrl_queue__wake(struct mrl_queue *queue);

/** Consumer: will not come back. A blocked producer is let go; all later lines are dropped. */
void mrl_queue__abandon(struct mrl_queue *queue);

#endif
