// SPDX-License-Identifier: Apache-2.0
/*
 * The queue of an output: a ring of lines under a lock, and who waits for whom. What must go when
 * there is no room is decided by shares (shares.c): where the newest go, a ninth of the ring is for
 * those that have one; where the oldest go, those that have one move to a smaller ring in front.
 *
 * One lock for all of it. Both sides hold it for copies only, never for a write to a sink: the
 * reader of the ring buffers is the producer, and each moment that it waits here may cost events in
 * the kernel. One condition for both sides: each of them looks again at what it waits for.
 */
#include "deliver/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
    FLOOD_PER_MS = 200, /* lines: more of them are a flood, */
    FLOOD_LINES = 32,   /* if they are not these few */
    DOZE_MS = 2,        /* in a flood, the consumer looks so often by itself */
    STEP_MS = 20,       /* a producer that waits looks so often at what signal handlers set */
    PATIENCE_MS = 2000, /* a producer in a hurry waits no longer than this without progress */
    RESERVE = 8,        /* a part of the size that comes on top, for those that have a share */
    RESERVE_PARTS = 2,  /* the same as parts of that ring */
};

/* Where the next line to take lies. */
static struct mrl_line_ring *front_ring(struct mrl_queue *queue)
{
    return queue->kept.lines_used ? &queue->kept : &queue->ring;
}

static size_t lines_in(const struct mrl_queue *queue)
{
    return queue->kept.lines_used + queue->ring.lines_used;
}

static int make_rings(struct mrl_queue *queue, size_t size)
{
    size_t reserve = size / RESERVE;
    bool in_one = queue->policy == MRL_POLICY_DROP_NEWEST;

    if (mrl_line_ring__init(&queue->ring, in_one ? size + reserve : size) ||
        (!in_one && mrl_line_ring__init(&queue->kept, reserve)) ||
        mrl_shares__init(&queue->shares)) {
        mrl_line_ring__done(&queue->kept);
        mrl_line_ring__done(&queue->ring);
        return -ENOMEM;
    }
    return 0;
}

int mrl_queue__init(struct mrl_queue *queue, size_t size, enum mrl_policy policy)
{
    pthread_condattr_t monotonic;
    int err;

    *queue = (struct mrl_queue){ .policy = policy };
    err = make_rings(queue, size);
    if (err)
        return err;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the wall clock may be set */
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void mrl_queue__set_policy(struct mrl_queue *queue, enum mrl_policy policy)
{
    pthread_mutex_lock(&queue->lock);
    queue->policy = policy;
    pthread_mutex_unlock(&queue->lock);
}

void mrl_queue__waiting(struct mrl_queue *queue, struct mrl_waiting *ret_waiting)
{
    pthread_mutex_lock(&queue->lock);
    *ret_waiting = (struct mrl_waiting){ lines_in(queue), queue->ring.used + queue->kept.used,
                                         queue->ring.size + queue->kept.size,
                                         mrl_line_ring__fill(&queue->ring) +
                                             mrl_line_ring__fill(&queue->kept) };
    pthread_mutex_unlock(&queue->lock);
}

void mrl_queue__done(struct mrl_queue *queue)
{
    if (!queue->ring.bytes)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    mrl_line_ring__done(&queue->ring);
    mrl_line_ring__done(&queue->kept);
    mrl_shares__done(&queue->shares);
}

/*
 * With the lock held. Waits until the consumer has taken something. Returns false when waiting is
 * over: the sink fails, or the end is wanted and nothing moved for PATIENCE_MS. It waits in steps,
 * because a signal handler may set the flags, but may call nothing that would wake this thread.
 */
static bool wait_for_consumer(struct mrl_queue *queue)
{
    size_t before = lines_in(queue);

    /* The consumer is told of lines at the end of a push, and this one has not come to its end. */
    pthread_cond_broadcast(&queue->changed);
    for (int waited = 0; lines_in(queue) == before && !queue->abandoned; waited += STEP_MS) {
        struct timespec soon = mrl_clock__in_ms(STEP_MS);

        if (atomic_load(&queue->hurry) && waited >= PATIENCE_MS)
            queue->stuck = true;
        if (atomic_load(&queue->broken) || queue->stuck)
            return false;
        if (queue->waits)
            queue->waits(queue->waits_context);
        pthread_cond_timedwait(&queue->changed, &queue->lock, &soon);
    }
    return true;
}

/*
 * With the lock held. Puts a gap at the end of a ring, or widens the one of its kind there.
 * Widening is what bounds the entries: at one place there is at most one gap per event and cause,
 * for which line_ring.c keeps room. So a gap is never dropped.
 */
static void push_gap(struct mrl_line_ring *ring, const struct mrl_line *more)
{
    struct mrl_line *gap;

    for (size_t i = ring->lines_used; i; i--) {
        gap = mrl_line_ring__at(ring, i - 1);
        if (!gap->lost)
            break;
        if (gap->event == more->event && gap->cause == more->cause) {
            gap->lost += more->lost;
            if (more->time_ns < gap->time_ns)
                gap->time_ns = more->time_ns;
            if (more->last_ns > gap->last_ns)
                gap->last_ns = more->last_ns;
            return;
        }
    }
    mrl_line_ring__put(ring, NULL, more);
}

static struct mrl_line gap_of(const struct mrl_line *line)
{
    return (struct mrl_line){
        .event = line->event,
        .cause = MRL_CAUSE_QUEUE_FULL,
        .time_ns = line->time_ns,
        .lost = 1,
        .last_ns = line->time_ns,
    };
}

/* With the lock held: each line that becomes part of a gap, once. */
static void count_drop(struct mrl_queue *queue, const struct mrl_line *line)
{
    atomic_ullong *dropped = queue->abandoned ? queue->dropped_late : queue->dropped;

    atomic_fetch_add_explicit(&dropped[line->event], 1, memory_order_relaxed);
}

/* With the lock held. What goes from the front is summed up in `front`, which pop() hands out
 * before the next line: so the gap is told at the very place where the lines are missing. */
static void drop_front(struct mrl_queue *queue, struct mrl_line_ring *ring)
{
    const struct mrl_line *line = mrl_line_ring__at(ring, 0);

    if (!line->lost)
        count_drop(queue, line);
    mrl_gap__add(&queue->front, line, MRL_CAUSE_QUEUE_FULL);
    mrl_line_ring__remove_first(ring);
}

/* With the lock held. The oldest of those that were kept goes, with the gaps behind it. */
static void drop_kept(struct mrl_queue *queue)
{
    struct mrl_line_ring *kept = &queue->kept;

    do {
        if (!mrl_line_ring__at(kept, 0)->lost)
            mrl_shares__blame(&queue->shares, mrl_line_ring__at(kept, 0));
        drop_front(queue, kept);
    } while (kept->lines_used && mrl_line_ring__at(kept, 0)->lost);
}

/* With the lock held. Whether the first line has a share of what is kept, where it then is. */
static bool keep_first(struct mrl_queue *queue)
{
    const struct mrl_line *line = mrl_line_ring__at(&queue->ring, 0);
    bool is_half_full = !mrl_line_ring__has_room(&queue->kept, line->size, MRL_RING_PARTS / 2);

    if (line->size > queue->kept.size || !mrl_shares__admit(&queue->shares, line, is_half_full))
        return false;
    while (!mrl_line_ring__has_room(&queue->kept, line->size, 0))
        drop_kept(queue);
    mrl_line_ring__move_first(&queue->ring, &queue->kept);
    return true;
}

/* With the lock held. What is kept stands before what is dropped, and so in its order. */
static void drop_oldest(struct mrl_queue *queue)
{
    const struct mrl_line *line = mrl_line_ring__at(&queue->ring, 0);
    struct mrl_line gap = line->lost ? *line : gap_of(line);

    if (!line->lost) {
        if (keep_first(queue))
            return;
        mrl_shares__blame(&queue->shares, line);
    }
    if (!queue->kept.lines_used) {
        drop_front(queue, &queue->ring);
        return;
    }
    if (!line->lost)
        count_drop(queue, line);
    mrl_line_ring__remove_first(&queue->ring);
    push_gap(&queue->kept, &gap);
}

static void drop_newest(struct mrl_queue *queue, const struct mrl_line *line)
{
    struct mrl_line gap = gap_of(line);

    count_drop(queue, line);
    mrl_shares__blame(&queue->shares, line);
    push_gap(&queue->ring, &gap);
}

/* With the lock held. Where the newest are dropped, what is left in the end is by shares. */
static bool may_enter(struct mrl_queue *queue, const struct mrl_line *line)
{
    const struct mrl_line_ring *ring = &queue->ring;

    if (mrl_line_ring__has_room(ring, line->size, RESERVE_PARTS))
        return true;
    return mrl_line_ring__has_room(ring, line->size, 0) &&
           mrl_shares__admit(&queue->shares, line,
                             !mrl_line_ring__has_room(ring, line->size, RESERVE_PARTS / 2));
}

/* With the lock held. Returns whether the line fits now. */
static bool make_room(struct mrl_queue *queue, const struct mrl_line *line)
{
    /* It will never fit: to wait for room, or to drop others for it, would help nobody. */
    if (line->size > queue->ring.size)
        return false;
    if (queue->policy == MRL_POLICY_DROP_NEWEST)
        return !queue->abandoned && may_enter(queue, line);
    while (!mrl_line_ring__has_room(&queue->ring, line->size, 0) && !queue->abandoned)
        if (queue->policy == MRL_POLICY_DROP_OLDEST || !wait_for_consumer(queue))
            drop_oldest(queue);
    return !queue->abandoned;
}

/* With the lock held. */
static void push_one(struct mrl_queue *queue, const char *bytes, const struct mrl_line *line)
{
    if (line->lost) {
        /* What the kernel lost passes as numbers and needs no bytes. So it waits for no room, and
         * an output that drops lines still keeps the count. */
        push_gap(&queue->ring, line);
        return;
    }
    if (!make_room(queue, line)) {
        drop_newest(queue, line);
        return;
    }
    mrl_line_ring__put(&queue->ring, bytes, line);
}

bool mrl_queue__push(struct mrl_queue *queue,
                     const char *bytes,
                     const struct mrl_line *lines,
                     size_t count)
{
    bool has_dropped;

    pthread_mutex_lock(&queue->lock);
    mrl_shares__begin(&queue->shares);
    for (size_t i = 0; i < count; i++) {
        push_one(queue, bytes, &lines[i]);
        if (lines[i].size) /* gaps alone come without bytes: NULL */
            bytes += lines[i].size;
    }
    /* Before the consumer can see the gap. */
    has_dropped = mrl_shares__name(&queue->shares, queue->by);
    /* One that dozes comes by itself, but a flood may fill the ring in less time than that. */
    if (!queue->dozing || queue->ring.used > queue->ring.size / 4)
        pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return has_dropped;
}

bool mrl_queue__is_idle(struct mrl_queue *queue)
{
    bool idle;

    /* The lock also makes what the consumer did before it began to wait visible here. */
    pthread_mutex_lock(&queue->lock);
    idle = queue->waiting && !queue->ring.lines_used && !queue->front.total && !queue->woken &&
           !queue->ended;
    pthread_mutex_unlock(&queue->lock);
    return idle;
}

void mrl_queue__end(struct mrl_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void mrl_queue__hurry(struct mrl_queue *queue)
{
    atomic_store(&queue->hurry, true); /* without the lock, which a signal may have interrupted */
}

void mrl_queue__set_broken(struct mrl_queue *queue, bool broken)
{
    /* Atomic and without the lock: the sink's thread says so between two writes, and the producer,
     * which waits in steps, looks soon. */
    atomic_store(&queue->broken, broken);
}

void mrl_queue__wake(struct mrl_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->woken = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void mrl_queue__abandon(struct mrl_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->abandoned = true; /* a producer that waits for room is let go, and drops its line */
    while (lines_in(queue))
        drop_front(queue, front_ring(queue));
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/*
 * With the lock held. A wake-up is a system call on the producer's thread, and in a flood it costs
 * more than the lines that it is for. So the consumer says that it dozes, the producer wakes
 * nobody, and the consumer finds many lines when it looks.
 */
static void doze(struct mrl_queue *queue)
{
    struct timespec soon = mrl_clock__in_ms(DOZE_MS);

    if (queue->ring.lines_used || queue->ended || queue->woken)
        return;
    queue->dozing = true;
    pthread_cond_timedwait(&queue->changed, &queue->lock, &soon);
    queue->dozing = false;
}

/*
 * With the lock held. Whether lines come so fast that it is cheaper to doze, judged at each sleep
 * by what came since the one before. By their rate and not their number: a doze lets many lines
 * come at any rate from some 20 in a ms on, and would be the reason for the next one, each of which
 * adds 2 ms to how late lines are.
 */
static bool is_flood(struct mrl_queue *queue)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    uint64_t lines = queue->since_sleep, passed_ns = (uint64_t)(now_ns - queue->slept_ns);

    queue->since_sleep = 0;
    queue->slept_ns = now_ns;
    return lines >= FLOOD_LINES && lines * 1000000 > passed_ns * FLOOD_PER_MS;
}

/* With the lock held. */
static void wait_for_lines(struct mrl_queue *queue, int timeout_ms)
{
    struct timespec end = mrl_clock__in_ms(timeout_ms < 0 ? 0 : timeout_ms);

    if (queue->ring.lines_used)
        return;
    queue->waiting = true;
    if (is_flood(queue) && timeout_ms < 0)
        doze(queue);
    while (!queue->ring.lines_used && !queue->ended && !queue->woken) {
        if (timeout_ms < 0)
            pthread_cond_wait(&queue->changed, &queue->lock);
        else if (pthread_cond_timedwait(&queue->changed, &queue->lock, &end) == ETIMEDOUT)
            break;
    }
    queue->waiting = false;
}

size_t mrl_queue__pop(struct mrl_queue *queue,
                      int timeout_ms,
                      char *buffer,
                      size_t size,
                      struct mrl_line *lines,
                      size_t lines_size,
                      struct mrl_gap *ret_gap,
                      bool *ret_ended)
{
    struct mrl_line_ring *ring;
    size_t count = 0, used = 0;

    /* Lines are copied out, not lent: the caller writes them for as long as its sink takes, and the
     * producer must be able to drop the oldest meanwhile. */
    pthread_mutex_lock(&queue->lock);
    wait_for_lines(queue, timeout_ms);
    queue->woken = false;
    *ret_gap = (struct mrl_gap){ 0 };
    mrl_gap__merge(ret_gap, &queue->front);
    for (ring = front_ring(queue); ring->lines_used && mrl_line_ring__at(ring, 0)->lost;
         ring = front_ring(queue)) {
        mrl_gap__add(ret_gap, mrl_line_ring__at(ring, 0), MRL_CAUSE_QUEUE_FULL);
        mrl_line_ring__remove_first(ring);
    }
    memcpy(ret_gap->by, queue->by, sizeof(queue->by));
    /* Stops at the next gap. The next pop() returns that one before the lines behind it, so that a
     * sink always writes gaps and lines in the order in which they came. */
    for (; count < lines_size && ring->lines_used && !mrl_line_ring__at(ring, 0)->lost &&
           mrl_line_ring__at(ring, 0)->size <= size - used;
         ring = front_ring(queue)) {
        lines[count] = *mrl_line_ring__at(ring, 0);
        mrl_line_ring__copy_first(ring, buffer + used);
        mrl_line_ring__remove_first(ring);
        used += lines[count++].size;
    }
    queue->since_sleep += count;
    *ret_ended = queue->ended && !lines_in(queue);
    if (count || ret_gap->total) {
        /* The sink moves again, so the producer may wait for it again. Until then no line waited:
         * with a sink that hangs, PATIENCE_MS for each line would add up to minutes. */
        queue->stuck = false;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}
