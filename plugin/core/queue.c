// SPDX-License-Identifier: Apache-2.0
/* The queue of an output: two rings, of bytes and of lines, under one lock. */
#include "core/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LINES_MIN = 1024,
    /* Behind each line there may be a gap of each event and cause; room for these is always left.
     */
    GAPS_MAX = MRL_EVENT_COUNT * MRL_CAUSE_COUNT,
    BUSY_LINES = 32,
    DOZE_MS = 2,
    STEP_MS = 20,
    PATIENCE_MS = 2000,
};

/* -- rings ------------------------------------------------------------------------------------ */

static void copy_in(struct mrl_queue *queue, const char *bytes, size_t size)
{
    size_t at = (queue->head + queue->used) % queue->size;
    size_t straight = size < queue->size - at ? size : queue->size - at;

    memcpy(queue->bytes + at, bytes, straight);
    memcpy(queue->bytes, bytes + straight, size - straight);
    queue->used += size;
}

static void copy_out(struct mrl_queue *queue, char *bytes, size_t size)
{
    size_t straight = size < queue->size - queue->head ? size : queue->size - queue->head;

    memcpy(bytes, queue->bytes + queue->head, straight);
    memcpy(bytes + straight, queue->bytes, size - straight);
}

static const struct mrl_line *first_line(const struct mrl_queue *queue)
{
    return &queue->lines[queue->lines_head];
}

static void remove_first(struct mrl_queue *queue)
{
    size_t size = first_line(queue)->size;

    queue->head = (queue->head + size) % queue->size;
    queue->used -= size;
    queue->lines_head = (queue->lines_head + 1) % queue->lines_size;
    queue->lines_used--;
}

static bool has_room(const struct mrl_queue *queue, size_t size)
{
    return queue->size - queue->used >= size && queue->lines_used + GAPS_MAX < queue->lines_size;
}

/* -- the queue -------------------------------------------------------------------------------- */

int mrl_queue__init(struct mrl_queue *queue, size_t size, enum mrl_policy policy)
{
    size_t lines_size = size / (16 * sizeof(struct mrl_line));
    pthread_condattr_t monotonic;

    lines_size = lines_size < LINES_MIN ? LINES_MIN : lines_size;
    *queue = (struct mrl_queue){
        .policy = policy,
        .bytes = malloc(size),
        .size = size,
        .lines = malloc(lines_size * sizeof(struct mrl_line)),
        .lines_size = lines_size,
    };
    if (!queue->bytes || !queue->lines) {
        free(queue->bytes);
        free(queue->lines);
        *queue = (struct mrl_queue){ 0 };
        return -ENOMEM;
    }
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void mrl_queue__done(struct mrl_queue *queue)
{
    if (!queue->bytes)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue->bytes);
    free(queue->lines);
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
 * With the lock held. Waits until the consumer took something. Returns whether to go on waiting:
 * not for a sink that fails, and not for ever for one that only hangs when the end is wanted. Flags
 * are looked at in steps, because signal handlers can set them but not wake anyone.
 */
static bool wait_for_consumer(struct mrl_queue *queue)
{
    size_t before = queue->lines_used;

    pthread_cond_broadcast(&queue->changed); /* it may not know yet what was pushed before */
    for (int waited = 0; queue->lines_used == before && !queue->abandoned; waited += STEP_MS) {
        struct timespec soon = time_in(STEP_MS);

        if (atomic_load(&queue->hurry) && waited >= PATIENCE_MS)
            queue->stuck = true;
        if (atomic_load(&queue->broken) || queue->stuck)
            return false;
        pthread_cond_timedwait(&queue->changed, &queue->lock, &soon);
    }
    return true;
}

static void drop_oldest(struct mrl_queue *queue)
{
    mrl_gap__add(&queue->front, first_line(queue), MRL_CAUSE_QUEUE_FULL);
    remove_first(queue);
}

/* With the lock held. Returns whether the line fits now. */
static bool make_room(struct mrl_queue *queue, size_t size)
{
    if (size > queue->size)
        return false;
    while (!has_room(queue, size) && !queue->abandoned) {
        if (queue->policy == MRL_POLICY_DROP_NEWEST)
            return false;
        if (queue->policy == MRL_POLICY_DROP_OLDEST || !wait_for_consumer(queue))
            drop_oldest(queue);
    }
    return !queue->abandoned;
}

static struct mrl_line *line_at(struct mrl_queue *queue, size_t index)
{
    return &queue->lines[(queue->lines_head + index) % queue->lines_size];
}

/* With the lock held. Puts a gap at the end of the queue, or widens the one of its kind there. */
static void push_gap(struct mrl_queue *queue, const struct mrl_line *more)
{
    struct mrl_line *gap;

    for (size_t i = queue->lines_used; i; i--) {
        gap = line_at(queue, i - 1);
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
    *line_at(queue, queue->lines_used++) = *more;
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
        push_gap(queue, line);
        return;
    }
    if (!make_room(queue, line->size)) {
        drop_newest(queue, line);
        return;
    }
    copy_in(queue, bytes, line->size);
    *line_at(queue, queue->lines_used++) = *line;
}

void mrl_queue__push(struct mrl_queue *queue,
                     const char *bytes,
                     const struct mrl_line *lines,
                     size_t count)
{
    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < count; i++) {
        push_one(queue, bytes, &lines[i]);
        bytes += lines[i].size;
    }
    if (!queue->dozing || queue->used > queue->size / 4)
        pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
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
    atomic_store(&queue->hurry, true);
}

void mrl_queue__set_broken(struct mrl_queue *queue, bool broken)
{
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
    queue->abandoned = true;
    while (queue->lines_used)
        drop_oldest(queue);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/*
 * With the lock held. In a flood each wake-up costs the producer more than the lines it is for, so
 * it sends none for a while, and the consumer finds many.
 */
static void doze(struct mrl_queue *queue)
{
    struct timespec soon = time_in(DOZE_MS);

    if (queue->lines_used || queue->ended || queue->woken)
        return;
    queue->dozing = true;
    pthread_cond_timedwait(&queue->changed, &queue->lock, &soon);
    queue->dozing = false;
}

/* With the lock held. */
static void wait_for_lines(struct mrl_queue *queue, int timeout_ms)
{
    struct timespec end = time_in(timeout_ms < 0 ? 0 : timeout_ms);

    if (queue->busy && timeout_ms < 0)
        doze(queue);
    while (!queue->lines_used && !queue->ended && !queue->woken) {
        if (timeout_ms < 0)
            pthread_cond_wait(&queue->changed, &queue->lock);
        else if (pthread_cond_timedwait(&queue->changed, &queue->lock, &end) == ETIMEDOUT)
            break;
    }
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

    pthread_mutex_lock(&queue->lock);
    wait_for_lines(queue, timeout_ms);
    queue->woken = false;
    *ret_gap = (struct mrl_gap){ 0 };
    mrl_gap__merge(ret_gap, &queue->front);
    while (queue->lines_used && first_line(queue)->lost) {
        mrl_gap__add(ret_gap, first_line(queue), MRL_CAUSE_QUEUE_FULL);
        remove_first(queue);
    }
    while (count < lines_size && queue->lines_used && !first_line(queue)->lost &&
           first_line(queue)->size <= size - used) {
        lines[count] = *first_line(queue);
        copy_out(queue, buffer + used, lines[count].size);
        used += lines[count].size;
        remove_first(queue);
        count++;
    }
    queue->busy = count >= BUSY_LINES;
    if (!queue->lines_used)
        queue->head = queue->lines_head = 0; /* the same memory again, while the caches have it */
    *ret_ended = queue->ended && !queue->lines_used;
    if (count || ret_gap->total) {
        queue->stuck = false;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}
