// SPDX-License-Identifier: Apache-2.0
/*
 * The queue of an output: a ring of lines under a lock, and who waits for whom.
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
};

static const struct mrl_line *first_line(const struct mrl_queue *queue)
{
    return mrl_line_ring__at(&queue->ring, 0);
}

int mrl_queue__init(struct mrl_queue *queue, size_t size, enum mrl_policy policy)
{
    pthread_condattr_t monotonic;
    int err;

    *queue = (struct mrl_queue){ .policy = policy };
    err = mrl_line_ring__init(&queue->ring, size);
    if (err)
        return err;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the wall clock may be set */
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void mrl_queue__done(struct mrl_queue *queue)
{
    if (!queue->ring.bytes)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    mrl_line_ring__done(&queue->ring);
    *queue = (struct mrl_queue){ 0 };
}

static struct timespec time_in(int timeout_ms)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    return end;
}

/*
 * With the lock held. Waits until the consumer has taken something. Returns false when waiting is
 * over: the sink fails, or the end is wanted and nothing moved for PATIENCE_MS. It waits in steps,
 * because a signal handler may set the flags, but may call nothing that would wake this thread.
 */
static bool wait_for_consumer(struct mrl_queue *queue)
{
    size_t before = queue->ring.lines_used;

    /* The consumer is told of lines at the end of a push, and this one has not come to its end. */
    pthread_cond_broadcast(&queue->changed);
    for (int waited = 0; queue->ring.lines_used == before && !queue->abandoned; waited += STEP_MS) {
        struct timespec soon = time_in(STEP_MS);

        if (atomic_load(&queue->hurry) && waited >= PATIENCE_MS)
            queue->stuck = true;
        if (atomic_load(&queue->broken) || queue->stuck)
            return false;
        pthread_cond_timedwait(&queue->changed, &queue->lock, &soon);
    }
    return true;
}

/* With the lock held. What goes from the front is summed up in `front`, which pop() hands out
 * before the next line: so the gap is told at the very place where the lines are missing. */
static void drop_oldest(struct mrl_queue *queue)
{
    mrl_gap__add(&queue->front, first_line(queue), MRL_CAUSE_QUEUE_FULL);
    mrl_line_ring__remove_first(&queue->ring);
}

/* With the lock held. Returns whether the line fits now. */
static bool make_room(struct mrl_queue *queue, size_t size)
{
    /* It will never fit: to wait for room, or to drop others for it, would help nobody. */
    if (size > queue->ring.size)
        return false;
    while (!mrl_line_ring__has_room(&queue->ring, size) && !queue->abandoned) {
        if (queue->policy == MRL_POLICY_DROP_NEWEST)
            return false;
        if (queue->policy == MRL_POLICY_DROP_OLDEST || !wait_for_consumer(queue))
            drop_oldest(queue);
    }
    return !queue->abandoned;
}

/*
 * With the lock held. Puts a gap at the end of the queue, or widens the one of its kind there.
 * Widening is what bounds the entries: at one place there is at most one gap per event and cause,
 * for which line_ring.c keeps room. So a gap is never dropped.
 */
static void push_gap(struct mrl_queue *queue, const struct mrl_line *more)
{
    struct mrl_line *gap;

    for (size_t i = queue->ring.lines_used; i; i--) {
        gap = mrl_line_ring__at(&queue->ring, i - 1);
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
    mrl_line_ring__put(&queue->ring, NULL, more);
}

static void drop_newest(struct mrl_queue *queue, const struct mrl_line *line)
{
    push_gap(queue, &(struct mrl_line){
                        .event = line->event,
                        .cause = MRL_CAUSE_QUEUE_FULL,
                        .time_ns = line->time_ns,
                        .lost = 1,
                        .last_ns = line->time_ns,
                    });
}

/* With the lock held. */
static void push_one(struct mrl_queue *queue, const char *bytes, const struct mrl_line *line)
{
    if (line->lost) {
        /* What the kernel lost passes as numbers and needs no bytes. So it waits for no room, and
         * an output that drops lines still keeps the count. */
        push_gap(queue, line);
        return;
    }
    if (!make_room(queue, line->size)) {
        drop_newest(queue, line);
        return;
    }
    mrl_line_ring__put(&queue->ring, bytes, line);
}

void mrl_queue__push(struct mrl_queue *queue,
                     const char *bytes,
                     const struct mrl_line *lines,
                     size_t count)
{
    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < count; i++) {
        push_one(queue, bytes, &lines[i]);
        if (lines[i].size) /* gaps alone come without bytes: NULL */
            bytes += lines[i].size;
    }
    /* One that dozes comes by itself, but a flood may fill the ring in less time than that. */
    if (!queue->dozing || queue->ring.used > queue->ring.size / 4)
        pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
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
    while (queue->ring.lines_used)
        drop_oldest(queue);
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
    struct timespec soon = time_in(DOZE_MS);

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
    struct timespec end = time_in(timeout_ms < 0 ? 0 : timeout_ms);

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
    size_t count = 0, used = 0;

    /* Lines are copied out, not lent: the caller writes them for as long as its sink takes, and the
     * producer must be able to drop the oldest meanwhile. */
    pthread_mutex_lock(&queue->lock);
    wait_for_lines(queue, timeout_ms);
    queue->woken = false;
    *ret_gap = (struct mrl_gap){ 0 };
    mrl_gap__merge(ret_gap, &queue->front);
    while (queue->ring.lines_used && first_line(queue)->lost) {
        mrl_gap__add(ret_gap, first_line(queue), MRL_CAUSE_QUEUE_FULL);
        mrl_line_ring__remove_first(&queue->ring);
    }
    /* Stops at the next gap. The next pop() returns that one before the lines behind it, so that a
     * sink always writes gaps and lines in the order in which they came. */
    while (count < lines_size && queue->ring.lines_used && !first_line(queue)->lost &&
           first_line(queue)->size <= size - used) {
        lines[count] = *first_line(queue);
        mrl_line_ring__copy_first(&queue->ring, buffer + used);
        mrl_line_ring__remove_first(&queue->ring);
        used += lines[count++].size;
    }
    queue->since_sleep += count;
    *ret_ended = queue->ended && !queue->ring.lines_used;
    if (count || ret_gap->total) {
        /* The sink moves again, so the producer may wait for it again. Until then no line waited:
         * with a sink that hangs, PATIENCE_MS for each line would add up to minutes. */
        queue->stuck = false;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}
