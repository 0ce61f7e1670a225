// SPDX-License-Identifier: Apache-2.0
/*
 * The sink of the main process: what it is given to write goes to the side program, in messages of
 * whole items, and counts as written when the program has said so. While there is no program,
 * write() fails, and the output keeps what it has.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "side/common/keeper.h"

enum {
    PAYLOAD_MAX = MRL_SIDE_MESSAGE_MAX - (int)sizeof(struct mrl_side_head),
    DOWN_STEPS = 10, /* waits of 20 ms for a program that is not there */
    REOPEN_STEPS = 100,
    SPOOL_BYTES = 1 << 30,
};

/* -- writing ---------------------------------------------------------------------------------- */

static bool is_stopped(const struct mrl_chunk *chunk)
{
    return chunk->stop && __atomic_load_n(chunk->stop, __ATOMIC_RELAXED);
}

/* With the lock held. */
static int await_program(struct mrl_sink *sink, const struct mrl_chunk *chunk)
{
    for (int i = 0; sink->state != MRL_SIDE_UP; i++) {
        if (is_stopped(chunk))
            return -ECANCELED;
        if (sink->state == MRL_SIDE_GONE || atomic_load(&sink->sides->hurries))
            return -EPIPE;
        if (i == DOWN_STEPS)
            return -ENOLINK;
        mrl_keeper__wait(sink);
    }
    /* A write that was given up left chunks behind. */
    return sink->flight.answered < sink->flight.sent ? -ECANCELED : 0;
}

/* How many items from `first` on fit into a message, and their bytes. */
static uint32_t fit(const struct mrl_chunk *chunk, size_t first, size_t *ret_size)
{
    size_t used = 0;
    uint32_t count = 0;

    *ret_size = 0;
    while (first + count < chunk->events && count < MRL_SIDE_ITEMS_MAX) {
        used += sizeof(uint32_t) + chunk->sizes[first + count];
        if (used > PAYLOAD_MAX)
            break;
        *ret_size += chunk->sizes[first + count++];
    }
    return count;
}

/* With the lock held: it is given up while there is no room. */
static int send_message(struct mrl_sink *sink,
                        const struct mrl_chunk *chunk,
                        const uint32_t *sizes,
                        uint32_t items,
                        const char *bytes,
                        size_t size)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_CHUNK,
                                        .id = sink->next_id,
                                        .count = items };
    const struct iovec parts[] = {
        { (void *)(uintptr_t)sizes, items * sizeof(*sizes) },
        { (void *)(uintptr_t)bytes, size },
    };
    struct mrl_flight *flight = &sink->flight;
    const unsigned int life = sink->lives;
    int err;

    while ((err = mrl_side_message__send(sink->socket, head, parts, 2, NULL, 0)) == -EAGAIN) {
        mrl_keeper__wait(sink);
        if (is_stopped(chunk))
            return -ECANCELED;
        if (sink->state != MRL_SIDE_UP || sink->lives != life)
            return -ENOLINK;
    }
    if (err)
        return -ENOLINK; /* which the keeper notices too */
    flight->items[flight->sent++] = items;
    sink->next_id++;
    return 0;
}

/* With the lock held. Also what precedes the first item goes as a message: one without items. */
static int send_all(struct mrl_sink *sink, const struct mrl_chunk *chunk)
{
    const char *at = chunk->bytes;
    size_t done = 0, size = chunk->size;
    int err = 0;

    if (!chunk->events)
        return send_message(sink, chunk, NULL, 0, at, size);
    while (!err && done < chunk->events && sink->flight.sent < MRL_FLIGHT_MAX) {
        uint32_t items = fit(chunk, done, &size);

        if (!items)
            return -EMSGSIZE;
        err = send_message(sink, chunk, chunk->sizes + done, items, at, size);
        at += size;
        done += items;
    }
    return err;
}

/* With the lock held. */
static int await_verdicts(struct mrl_sink *sink, const struct mrl_chunk *chunk)
{
    const unsigned int life = sink->lives;

    while (sink->flight.answered < sink->flight.sent) {
        if (is_stopped(chunk))
            return -ECANCELED;
        if (sink->state != MRL_SIDE_UP || sink->lives != life)
            return -ENOLINK;
        mrl_keeper__wait(sink);
    }
    return 0;
}

/* It is kept; and who ships it is woken, if it sleeps. */
static int spool_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    int err = mrl_spool__append(sink->spool, chunk, ret_events);

    if (*ret_events && atomic_exchange(&sink->awaits, false)) {
        pthread_mutex_lock(&sink->lock);
        if (sink->state == MRL_SIDE_UP)
            mrl_side_message__say(sink->socket, (struct mrl_side_head){ .type = MRL_SIDE_GROWN },
                                  "");
        pthread_mutex_unlock(&sink->lock);
    }
    return err;
}

static int feed_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    unsigned int life;
    int err, sent;

    *ret_events = 0;
    if (chunk->events && !chunk->sizes)
        return -EINVAL;
    if (sink->spool)
        return spool_write(sink, chunk, ret_events);
    pthread_mutex_lock(&sink->lock);
    err = await_program(sink, chunk);
    if (!err) {
        life = sink->lives;
        sink->flight = (struct mrl_flight){ .first = sink->next_id, .refused = chunk->refused };
        sent = send_all(sink, chunk);
        err = await_verdicts(sink, chunk);
        err = err ? err : sent;
        if (sink->lives == life) {
            *ret_events = sink->flight.taken;
            err = err ? err : sink->flight.err;
        }
        sink->flight.refused = NULL; /* the caller's */
        if (!err && *ret_events < chunk->events)
            err = -EAGAIN; /* more than one flight holds */
    }
    pthread_mutex_unlock(&sink->lock);
    return err;
}

/* -- the rest --------------------------------------------------------------------------------- */

/* What was opened anew may be refused by the program; it is then refused again at its next start,
 * and said again. */
int mrl_keeper__renew(struct mrl_sink *sink, struct mrl_error *error)
{
    const struct mrl_sink_target target = { .destination = sink->destination,
                                            .format = sink->format,
                                            .options = sink->options };

    return sink->row->renew ? sink->row->renew(sink->prepared, &target, sink->fds, error) : 0;
}

static int feed_reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    int err;

    pthread_mutex_lock(&sink->lock);
    err = mrl_keeper__renew(sink, error);
    if (err) {
        pthread_mutex_unlock(&sink->lock);
        return err;
    }
    err = sink->state == MRL_SIDE_UP ? mrl_keeper__send_target(sink, MRL_SIDE_REOPEN) : -ENOLINK;
    sink->reopening = !err;
    for (int i = 0; i < REOPEN_STEPS && sink->reopening && sink->state == MRL_SIDE_UP; i++)
        mrl_keeper__wait(sink);
    if (!err && sink->reopening)
        err = -ETIMEDOUT;
    if (err)
        mrl_error__set(error, err, "the side program '%s': %s", sink->row->side, strerror(-err));
    else if (*sink->reopen_error.text)
        mrl_error__set(error, 0, "%s", sink->reopen_error.text);
    err = err ? err : sink->reopen_err;
    pthread_mutex_unlock(&sink->lock);
    return err;
}

static void dispose(struct mrl_sink *sink)
{
    if (sink->prepared)
        sink->row->unprepare(sink->prepared);
    if (sink->wake >= 0)
        close(sink->wake);
    if (sink->spool) {
        close(sink->fds[MRL_SPOOL_FDS]);
        close(sink->fds[MRL_SPOOL_FDS + 1]);
    }
    mrl_spool__close(sink->spool);
    mrl_encoder__free(sink->encoder);
    free(sink->destination);
    free(sink->format);
    free(sink->options);
    free(sink);
}

static void list(struct mrl_sides *sides, struct mrl_sink *from, struct mrl_sink *to)
{
    unsigned int i = 0;

    pthread_mutex_lock(&sides->lock);
    while (i < MRL_SIDES_OPEN_MAX && sides->sinks[i] != from)
        i++;
    if (i < MRL_SIDES_OPEN_MAX)
        sides->sinks[i] = to;
    pthread_mutex_unlock(&sides->lock);
}

static uint64_t feed_seen_until(const struct mrl_sink *sink)
{
    return sink->spool ? mrl_spool__last_ns(sink->spool) : 0;
}

static void feed_life(struct mrl_sink *sink, struct mrl_life *ret_life)
{
    pthread_mutex_lock(&sink->lock);
    *ret_life = (struct mrl_life){ sink->state == MRL_SIDE_UP, sink->lives };
    pthread_mutex_unlock(&sink->lock);
}

static void feed_sent(struct mrl_sink *sink, struct mrl_sent *ret_sent)
{
    pthread_mutex_lock(&sink->lock);
    *ret_sent = sink->sent_before;
    ret_sent->retries += sink->sent.retries;
    ret_sent->resent += sink->sent.resent;
    if (sink->sent.last_success_ns)
        ret_sent->last_success_ns = sink->sent.last_success_ns;
    pthread_mutex_unlock(&sink->lock);
}

static bool feed_kept(struct mrl_sink *sink, struct mrl_kept *ret_kept)
{
    struct mrl_spool_status status;

    if (!sink->spool)
        return false;
    mrl_spool__status(sink->spool, &status);
    *ret_kept = (struct mrl_kept){ status.bytes, status.pending, status.oldest_ns, { { 0 } } };
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        mrl_spool__counts(sink->spool, i, &ret_kept->of[i]);
    return true;
}

/* Of all runs. What is pending is the next run's. */
static void say_spool(struct mrl_sink *sink)
{
    struct mrl_kept_counts all = { 0, 0, 0, 0 };
    struct mrl_kept kept;

    if (!feed_kept(sink, &kept))
        return;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        all.appended += kept.of[i].appended;
        all.taken += kept.of[i].taken;
        all.refused += kept.of[i].refused;
        all.lost += kept.of[i].lost;
    }
    mrl_sides__say(sink->sides, MRL_LOG_INFO,
                   "%s: the spool was given %" PRIu64 " so far: %" PRIu64 " acknowledged, %" PRIu64
                   " refused, %" PRIu64 " lost, %" PRIu64 " pending",
                   sink->row->name, all.appended, all.taken, all.refused, all.lost,
                   all.appended - all.taken - all.refused - all.lost);
}

static int feed_close(struct mrl_sink *sink)
{
    int err = mrl_keeper__end(sink);

    say_spool(sink);
    list(sink->sides, sink, NULL);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->lock);
    dispose(sink);
    return err;
}

/* Of the row that `target` is for, by its place in the list of side programs. */
static int copy_target(struct mrl_sink *sink, const struct mrl_sink_target *target)
{
    sink->destination = strdup(target->destination);
    sink->format = strdup(target->format);
    sink->options = calloc(1, sink->row->option_bytes + 1);
    if (!sink->destination || !sink->format || !sink->options)
        return -ENOMEM;
    if (target->options)
        memcpy(sink->options, target->options, sink->row->option_bytes);
    sink->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return sink->wake < 0 ? -errno : 0;
}

static void say_of_spool(void *context, enum mrl_log_level level, const char *text)
{
    mrl_sides__say(context, level, "%s", text);
}

static int open_spool(struct mrl_sink *sink,
                      const struct mrl_sink_target *target,
                      struct mrl_error *error)
{
    const struct mrl_spool_options options = { .directory = target->spool->directory,
                                               .format = target->format,
                                               .size = target->spool->size ? target->spool->size
                                                                           : SPOOL_BYTES,
                                               .sync = (enum mrl_spool_sync)target->spool->sync,
                                               .log = say_of_spool,
                                               .context = sink->sides };
    int err = mrl_spool__open(&options, error, &sink->spool);
    int fds[2];

    if (!err)
        err = mrl_encoder__new(target->format, target->encoder, error, &sink->encoder);
    if (!err)
        err = mrl_spool__files(sink->spool, fds, error);
    if (err) {
        mrl_spool__close(sink->spool);
        sink->spool = NULL;
        return err;
    }
    sink->fds[MRL_SPOOL_FDS] = fds[0];
    sink->fds[MRL_SPOOL_FDS + 1] = fds[1];
    return 0;
}

static int open_program(struct mrl_sides *sides,
                        unsigned int program,
                        const struct mrl_sink_target *target,
                        struct mrl_error *error,
                        struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err;

    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    sink->sides = sides;
    sink->program = program;
    sink->row = sides->rows[program];
    sink->give_up_ns = target->give_up_ns;
    sink->wake = sink->socket = -1;
    for (unsigned int i = 0; i < MRL_SINK_FDS_MAX; i++)
        sink->fds[i] = -1;
    err = copy_target(sink, target);
    if (err)
        mrl_error__set(error, err, "%.256s: %s", target->destination, strerror(-err));
    if (!err && sink->row->prepare)
        err = sink->row->prepare(target, sink->options, sink->fds, error, &sink->prepared);
    if (!err && target->spool)
        err = open_spool(sink, target, error);
    if (!err) {
        list(sides, NULL, sink);
        err = mrl_keeper__open(sink, error);
        if (err)
            list(sides, sink, NULL);
    }
    if (err)
        dispose(sink);
    else
        *ret_sink = sink;
    return err;
}

static int feed_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sides *sides = target->sides;

    for (unsigned int i = 0; sides && i < sides->count; i++)
        if (target->ops == &sides->fed[i])
            return open_program(sides, i, target, error, ret_sink);
    return mrl_error__set(error, -ENOSYS, "%.256s: nobody starts the side program",
                          target->destination);
}

void mrl_feed__set(struct mrl_sink_ops *row)
{
    row->open = feed_open;
    row->write = feed_write;
    row->reopen = row->reopen || row->renew ? feed_reopen : NULL;
    row->close = feed_close;
    row->abandon = NULL;
    row->never_blocks = false;
    row->is_quick = NULL;
    row->seen_until = feed_seen_until;
    row->kept = feed_kept;
    row->life = feed_life;
    row->sent = row->takes_items ? feed_sent : NULL;
    row->room = NULL;
    row->rotate = NULL;
    row->notice = NULL;
    row->columns = NULL;
}
