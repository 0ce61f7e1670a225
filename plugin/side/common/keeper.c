// SPDX-License-Identifier: Apache-2.0
/*
 * The keeper of a side program. It believes nothing of what it hears: a message that breaks a rule
 * ends the program, as a hang does. What it reads in one round, and what it answers in a second, is
 * bounded, so that a program that floods it costs that and no more.
 */
#include "side/common/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/thread.h"

#ifdef MRL_SANITIZED
#    define PATIENCE 10
#else
#    define PATIENCE 1
#endif

enum {
    PING_MS = 1000,
    HANG_MS = 3000 * PATIENCE,
    HURRY_MS = 600 * PATIENCE, /* the same when the end is near */
    OPEN_MS = 10 * 1000,
    END_MS = 1700 * PATIENCE,
    STEP_MS = 20,
    LEAVE_MS = 100 * PATIENCE, /* from the end of what it says to its own */
    BACK_OFF_MS = 100,
    BACK_OFF_MAX_MS = 30 * 1000,
    HEALTHY_MS = 10 * 1000,
};

void mrl_keeper__wake(struct mrl_sink *sink)
{
    const uint64_t once = 1;

    if (write(sink->wake, &once, sizeof(once)) != sizeof(once))
        return; /* it is awake: the number is at its limit */
}

const char *mrl_keeper__program(const struct mrl_sink *sink)
{
    return sink->row->side;
}

unsigned int mrl_keeper__starts(const struct mrl_sink *sink)
{
    return atomic_load(&sink->lives);
}

void mrl_keeper__wait(struct mrl_sink *sink)
{
    const struct timespec soon = mrl_clock__in_ms(STEP_MS);

    pthread_cond_timedwait(&sink->changed, &sink->lock, &soon);
}

static void set_state(struct mrl_sink *sink, enum mrl_side_state state)
{
    pthread_mutex_lock(&sink->lock);
    sink->state = state;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

/* -- saying ----------------------------------------------------------------------------------- */

int mrl_keeper__send_target(struct mrl_sink *sink, enum mrl_side_type type)
{
    struct mrl_side_open open = { (uint32_t)sink->row->option_bytes, 0, sink->give_up_ns };
    char words[128]; /* the format, and the sink */
    size_t format_bytes = (size_t)snprintf(words, 64, "%.60s", sink->format) + 1;
    size_t words_bytes =
        format_bytes + (size_t)snprintf(words + format_bytes, 60, "%.50s", sink->row->name) + 1;
    const struct iovec parts[] = {
        { &open, sizeof(open) },
        { sink->options, sink->row->option_bytes },
        { sink->destination, strlen(sink->destination) + 1 },
        { words, words_bytes },
    };
    int fds[MRL_SINK_FDS_MAX];
    unsigned int count = 0, fd_max = MRL_SINK_FDS_MAX;

    /* A spool's stay as they are: whoever closes a second one of its cursor gives up the lock. */
    if (sink->spool && type == MRL_SIDE_REOPEN)
        fd_max = MRL_SPOOL_FDS;
    for (unsigned int i = 0; i < fd_max; i++)
        if (sink->fds[i] >= 0) {
            open.fds |= 1U << i;
            fds[count++] = sink->fds[i];
        }
    return mrl_side_message__send(sink->socket, (struct mrl_side_head){ .type = (uint16_t)type },
                                  parts, 4, fds, count);
}

static int say(struct mrl_sink *sink, enum mrl_side_type type)
{
    int err;

    pthread_mutex_lock(&sink->lock);
    err = mrl_side_message__say(sink->socket, (struct mrl_side_head){ .type = (uint16_t)type }, "");
    pthread_mutex_unlock(&sink->lock);
    return err;
}

/* What is due to be said. What finds no room is said at the next round. */
static void say_what_is_due(struct mrl_sink *sink)
{
    const int64_t now = mrl_clock__ms();
    bool ending;

    pthread_mutex_lock(&sink->lock);
    ending = sink->ending;
    pthread_mutex_unlock(&sink->lock);
    mrl_keeper__say_left_out(sink);
    if (sink->state != MRL_SIDE_UP)
        return;
    if (atomic_load(&sink->sides->ready) && (!sink->told_ready || now >= sink->look_ms))
        mrl_keeper__say_ready(sink);
    if (ending && !sink->end_ms)
        sink->end_ms = now;
    if (ending && !sink->told_end)
        sink->told_end = !say(sink, MRL_SIDE_END);
    if (sink->end_ms || sink->due_ms ||
        now - sink->pinged_ms < (atomic_load(&sink->sides->hurries) ? PING_MS / 10 : PING_MS))
        return;
    if (sink->spool)
        mrl_spool__sync(sink->spool); /* what was written last may have nothing behind it */
    sink->due_ms = mrl_clock__ms();
    if (!say(sink, MRL_SIDE_PING))
        sink->pinged_ms = sink->due_ms;
}

static bool is_late(struct mrl_sink *sink)
{
    const int64_t now = mrl_clock__ms();
    const bool hurries = atomic_load(&sink->sides->hurries);
    int64_t patience = hurries ? HURRY_MS : HANG_MS;

    if (sink->end_ms)
        return now - sink->end_ms > END_MS;
    if (sink->state == MRL_SIDE_OPENING)
        return now - sink->started_ms > (hurries && END_MS < OPEN_MS ? END_MS : OPEN_MS);
    return sink->due_ms && now - sink->due_ms > patience;
}

/* -- one life --------------------------------------------------------------------------------- */

/* Whether it is gone, or goes: of a service of its own the connection tells. */
static bool has_left(const struct mrl_sink *sink)
{
    struct pollfd end = { .fd = sink->pidfd, .events = POLLIN };

    if (sink->pidfd < 0)
        end = (struct pollfd){ .fd = sink->socket }; /* POLLHUP, which nobody need ask for */
    return poll(&end, 1, LEAVE_MS) != 0;
}

/* Until it has ended, or the thread shall rest. */
static void converse(struct mrl_sink *sink)
{
    struct pollfd polled[] = {
        { .fd = sink->socket, .events = POLLIN },
        { .fd = sink->pidfd, .events = POLLIN },
        { .fd = sink->wake, .events = POLLIN },
    };
    uint64_t woken;

    while (!atomic_load(&sink->rests)) {
        say_what_is_due(sink);
        if (poll(polled, 3, sink->due_ms || sink->end_ms ? PING_MS / 10 : PING_MS) < 0)
            continue;
        if (polled[2].revents && read(sink->wake, &woken, sizeof(woken)) != sizeof(woken))
            continue;
        if (polled[0].revents && !mrl_keeper__hear(sink)) {
            /* Who says no more has died, or it has left the conversation and lives. */
            if (!sink->why && !has_left(sink))
                sink->why = "rules";
            return;
        }
        if (polled[1].revents)
            return; /* it died, and all that it said was heard, up to the bound of a round */
        if (is_late(sink)) {
            sink->why = "hang";
            return;
        }
    }
}

static int start(struct mrl_sink *sink)
{
    struct mrl_started started;
    int err = mrl_starter__start(&sink->sides->starter, sink->program, &started);

    if (err)
        return err;
    sink->pid = started.pid;
    sink->pidfd = started.pidfd;
    sink->started_ms = sink->pinged_ms = mrl_clock__ms();
    sink->due_ms = sink->end_ms = sink->talks_since_ms = sink->look_ms = 0;
    sink->told_ready = sink->told_end = false;
    sink->why = NULL;
    /* What the last one was granted. Without the lock, since a disk may take its time. */
    if (sink->spool)
        mrl_spool__forget(sink->spool);
    pthread_mutex_lock(&sink->lock);
    sink->socket = started.socket;
    sink->state = MRL_SIDE_OPENING;
    atomic_fetch_add(&sink->lives, 1);
    sink->flight = (struct mrl_flight){ 0 };
    sink->reopening = false;
    mrl_keeper__send_target(sink, MRL_SIDE_OPEN); /* where that fails it is dead: noticed at once */
    pthread_mutex_unlock(&sink->lock);
    return 0;
}

/* "side=NAME; why=signal 9; by=another": of sensor_state, and of the log. A program that the keeper
 * ends has a reason (why), so SIGKILL without one is somebody else's, or the kernel's who wants
 * memory. */
static void describe(struct mrl_sink *sink, int status)
{
    const char *name = sink->row->side;
    char *const text = sink->death;
    const size_t size = sizeof(sink->death);

    if (sink->why)
        snprintf(text, size, "side=%s; why=%s; by=sensor", name, sink->why);
    else if (!sink->pid)
        snprintf(text, size, "side=%s; why=unknown (a service of its own); by=unknown", name);
    else if (status < 0)
        snprintf(text, size, "side=%s; why=unknown (%s); by=unknown", name, strerror(-status));
    else if (WIFSIGNALED(status))
        snprintf(text, size, "side=%s; why=signal %d; by=%s", name, WTERMSIG(status),
                 WTERMSIG(status) == SIGKILL ? "another" : "itself");
    else
        snprintf(text, size, "side=%s; why=exit %d; by=itself", name, WEXITSTATUS(status));
}

static void bury(struct mrl_sink *sink)
{
    const struct mrl_sides *sides = sink->sides;
    bool was_up, expected;
    int status;

    pthread_mutex_lock(&sink->lock);
    mrl_keeper__keep_sent(sink);
    was_up = sink->state == MRL_SIDE_UP;
    expected = sink->ending && sink->end_ms && !sink->why;
    close(sink->socket);
    sink->socket = -1;
    sink->state = MRL_SIDE_DOWN;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    status = sink->pid ? mrl_starter__bury(&sink->sides->starter, sink->pid) : 0;
    if (sink->pid)
        close(sink->pidfd);
    if (mrl_clock__ms() - sink->started_ms >= HEALTHY_MS)
        sink->deaths = 0;
    sink->lines.second = 0; /* of this life no more will come */
    mrl_keeper__say_left_out(sink);
    describe(sink, status);
    if (expected || (sink->lives == 1 && !was_up))
        return;
    mrl_sides__say(sides, MRL_LOG_WARNING, "a side program has died: %s", sink->death);
    if (sides->options.died)
        sides->options.died(sides->options.context, sink->death);
}

/* -- the thread ------------------------------------------------------------------------------- */

/* Returns false when the end is wanted. */
static bool may_go_on(struct mrl_sink *sink)
{
    bool may;

    pthread_mutex_lock(&sink->lock);
    may = !sink->ending && !atomic_load(&sink->sides->hurries);
    pthread_mutex_unlock(&sink->lock);
    return may;
}

static void back_off(struct mrl_sink *sink)
{
    struct pollfd wake = { .fd = sink->wake, .events = POLLIN };
    int64_t pause_ms = sink->deaths < 9 ? BACK_OFF_MS << sink->deaths : BACK_OFF_MAX_MS;
    int64_t until_ms = mrl_clock__ms() + (pause_ms < BACK_OFF_MAX_MS ? pause_ms : BACK_OFF_MAX_MS),
            left;
    uint64_t woken;

    sink->deaths++;
    while (may_go_on(sink) && !atomic_load(&sink->rests) &&
           (left = until_ms - mrl_clock__ms()) > 0) {
        if (sink->spool)
            mrl_spool__sync(sink->spool);
        if (poll(&wake, 1, (int)(left < PING_MS ? left : PING_MS)) > 0 &&
            read(sink->wake, &woken, sizeof(woken)) < 0)
            return;
    }
}

/* Why it could not be is said once: it may stay so for as long as the run. */
static int start_or_say(struct mrl_sink *sink)
{
    struct mrl_error error;
    int err = start(sink);

    if (err && err != sink->said_err) {
        mrl_sides__explain(sink->sides, sink->program, err, &error);
        mrl_sides__say(sink->sides, MRL_LOG_WARNING, "%s", error.text);
    }
    sink->said_err = err;
    return err;
}

/* Begins with the program that was opened, and ends with the last one that was started; or when it
 * shall rest, to go on with what there is. */
static void *keep(void *context)
{
    struct mrl_sink *sink = context;

    while (sink->is_alive || may_go_on(sink)) {
        if (sink->is_alive) {
            converse(sink);
            if (atomic_load(&sink->rests))
                return NULL;
            bury(sink);
            sink->is_alive = false;
        }
        back_off(sink);
        if (atomic_load(&sink->rests))
            return NULL;
        sink->is_alive = may_go_on(sink) && !start_or_say(sink);
    }
    set_state(sink, MRL_SIDE_GONE);
    return NULL;
}

void mrl_keeper__rest(struct mrl_sink *sink)
{
    if (!sink->has_thread)
        return;
    atomic_store(&sink->rests, true);
    mrl_keeper__wake(sink);
    pthread_join(sink->thread, NULL);
    sink->has_thread = false;
    atomic_store(&sink->rests, false);
}

static void init(struct mrl_sink *sink)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&sink->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&sink->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Until it says that it is open, or why not. Its time begins where somebody waits: before, probes
 * were loaded, which can take longer. */
static void await_opened(struct mrl_sink *sink)
{
    struct pollfd polled[] = {
        { .fd = sink->socket, .events = POLLIN },
        { .fd = sink->pidfd, .events = POLLIN },
    };
    bool is_alive = true;

    sink->started_ms = mrl_clock__ms();
    while (is_alive && sink->state == MRL_SIDE_OPENING && !is_late(sink))
        if (poll(polled, 2, STEP_MS) > 0) /* also who has died may have said why */
            is_alive = mrl_keeper__hear(sink) && !polled[1].revents;
    if (!sink->why && (is_alive ? sink->state == MRL_SIDE_OPENING : !has_left(sink)))
        sink->why = is_alive ? "hang" : "rules";
}

int mrl_keeper__open(struct mrl_sink *sink, struct mrl_error *error)
{
    const bool may_come_later = sink->sides->options.joins_only;
    int err;

    init(sink);
    sink->open_err = -ECHILD; /* until it says otherwise */
    err = may_come_later ? start_or_say(sink) : start(sink);
    sink->is_alive = !err;
    if (err && may_come_later)
        set_state(sink, MRL_SIDE_DOWN);
    else if (err)
        return mrl_sides__explain(sink->sides, sink->program, err, error);
    return 0;
}

int mrl_keeper__await(struct mrl_sink *sink, struct mrl_error *error)
{
    if (sink->has_thread || sink->state != MRL_SIDE_OPENING)
        return 0;
    await_opened(sink);
    if (!sink->open_err && *sink->open_error.text) /* a note */
        mrl_sides__say(sink->sides, MRL_LOG_WARNING, "%s", sink->open_error.text);
    if (!sink->open_err)
        return 0;
    bury(sink);
    *error = sink->open_error;
    if (!*error->text && !sink->pid && sink->why && !strcmp(sink->why, "hang"))
        mrl_sides__explain(sink->sides, sink->program, -ETIMEDOUT, error);
    else if (!*error->text)
        mrl_error__set(error, 0, "a side program has ended before it was open: %s", sink->death);
    set_state(sink, MRL_SIDE_GONE);
    return sink->open_err;
}

void mrl_keeper__begin(struct mrl_sink *sink)
{
    if (sink->has_thread || sink->state == MRL_SIDE_GONE)
        return;
    sink->has_thread = !mrl_thread__start(&sink->thread, 0, keep, sink);
    if (!sink->has_thread) {
        mrl_sides__say(sink->sides, MRL_LOG_ERROR, "%s: no thread", sink->row->side);
        set_state(sink, MRL_SIDE_GONE);
    }
}

int mrl_keeper__end(struct mrl_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->ending = true;
    pthread_mutex_unlock(&sink->lock);
    mrl_keeper__wake(sink);
    if (sink->has_thread)
        pthread_join(sink->thread, NULL);
    else if (sink->state != MRL_SIDE_GONE)
        keep(sink); /* it was opened, and never begun */
    return sink->end_err;
}
