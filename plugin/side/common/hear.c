// SPDX-License-Identifier: Apache-2.0
/* What a keeper hears of its side program. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "side/common/keeper.h"

enum {
    AT_ONCE = 64,       /* messages of a round, after which it */
    PAUSE_MS = 1,       /* rests: so a program that never ends talking costs little */
    UNASKED_MAX = 1000, /* lines, requests and the like in a second, before each costs a rest */
    UNASKED_MUCH_MAX = 25000, /* likewise, of what comes in great numbers: see below */
    TALKS_MS = 3000,          /* of such rests without a silence, after which it is ended */
};

static void take_opened(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    char text[MRL_SIDE_TEXT_MAX];

    mrl_side_message__text(message, text);
    pthread_mutex_lock(&sink->lock);
    sink->open_err = message->head.err;
    mrl_error__set(&sink->open_error, 0, "%s", text);
    sink->state = message->head.err ? MRL_SIDE_DOWN : MRL_SIDE_UP;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    sink->due_ms = 0;
    if (message->head.err && sink->lives > 1)
        mrl_sides__say(sink->sides, MRL_LOG_WARNING, "%s: %s", sink->row->side, text);
    if (message->head.err)
        sink->why = "open";
}

/* Those of one write come in the order of its chunks. */
static int take_verdict(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    struct mrl_flight *flight = &sink->flight;
    uint32_t taken;
    int err = -EPROTO, of_items;

    pthread_mutex_lock(&sink->lock);
    if (flight->answered < flight->sent && message->head.id == flight->first + flight->answered)
        err = mrl_side_verdicts__read(message, flight->items[flight->answered], &taken, &of_items,
                                      flight->refused ? flight->refused + flight->seen : NULL);
    if (!err) {
        flight->seen += flight->items[flight->answered];
        flight->taken += flight->err ? 0 : taken;
        flight->err = flight->err ? flight->err : of_items;
        if (++flight->answered == flight->sent)
            pthread_cond_broadcast(&sink->changed);
    }
    pthread_mutex_unlock(&sink->lock);
    return err;
}

static int take_line(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    const enum mrl_log_level level = (enum mrl_log_level)message->head.err;
    char text[MRL_SIDE_TEXT_MAX];

    if (message->head.err < 0 || level > MRL_LOG_DEBUG ||
        message->head.count > MRL_SIDE_LEFT_OUT_MAX)
        return -EPROTO;
    sink->lines.refused += message->head.count;
    mrl_keeper__say_left_out(sink);
    if (mrl_allowance__take(&sink->lines, MRL_SIDE_LINES_MAX))
        mrl_sides__say(sink->sides, level, "%s", mrl_side_message__text(message, text));
    return 0;
}

void mrl_keeper__say_left_out(struct mrl_sink *sink)
{
    if (!sink->lines.refused || !mrl_allowance__is_fresh(&sink->lines))
        return;
    mrl_sides__say(sink->sides, MRL_LOG_WARNING, "%s: %u more lines were left out", sink->row->side,
                   sink->lines.refused);
    sink->lines.refused = 0;
}

static int take_reopened(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    char text[MRL_SIDE_TEXT_MAX];
    bool asked;

    mrl_side_message__text(message, text);
    pthread_mutex_lock(&sink->lock);
    asked = sink->reopening;
    sink->reopening = false;
    sink->reopen_err = message->head.err;
    mrl_error__set(&sink->reopen_error, 0, "%s", text);
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    return asked ? 0 : -EPROTO;
}

/* One that was not asked for would hide that it reads nothing. */
static int take_pong(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    int err;

    if (!sink->due_ms || sink->pinged_ms != sink->due_ms)
        return -EPROTO;
    sink->due_ms = 0;
    sink->is_deaf = false;
    pthread_mutex_lock(&sink->lock);
    err = mrl_side_sent__read(message, &sink->sent);
    pthread_mutex_unlock(&sink->lock);
    return err;
}

void mrl_keeper__keep_sent(struct mrl_sink *sink)
{
    struct mrl_sent *before = &sink->sent_before;

    before->retries += sink->sent.retries;
    before->resent += sink->sent.resent;
    if (sink->sent.last_success_ns)
        before->last_success_ns = sink->sent.last_success_ns;
    sink->sent = (struct mrl_sent){ 0 };
}

static int take(struct mrl_sink *sink, struct mrl_side_message *message)
{
    if (message->head.type == MRL_SIDE_OPENED && sink->state == MRL_SIDE_OPENING) {
        take_opened(sink, message);
        return 0;
    }
    if (message->head.type == MRL_SIDE_LOG)
        return take_line(sink, message);
    if (sink->state != MRL_SIDE_UP)
        return -EPROTO;
    switch (message->head.type) {
    case MRL_SIDE_VERDICT:
        return take_verdict(sink, message);
    case MRL_SIDE_REQUEST:
        return mrl_keeper__answer(sink, message);
    case MRL_SIDE_REOPENED:
        return take_reopened(sink, message);
    case MRL_SIDE_NAMED:
    case MRL_SIDE_LISTED:
        return mrl_keeper__named(sink, message);
    case MRL_SIDE_PONG:
        return take_pong(sink, message);
    case MRL_SIDE_ENDED:
        sink->end_err = message->head.err;
        return sink->end_ms ? 0 : -EPROTO;
    default:
        return -EPROTO;
    }
}

/* How many of a kind may come in a second: a spool's segments are asked for one by one, and so are
 * containers named. Lines and the rest are few, whoever says them. */
static unsigned int unasked_max(const struct mrl_sink *sink, uint16_t type)
{
    const bool is_name = type == MRL_SIDE_NAMED || type == MRL_SIDE_LISTED;
    const bool is_much = type == MRL_SIDE_REQUEST ? sink->spool != NULL : is_name;

    return is_much ? UNASKED_MUCH_MAX : UNASKED_MAX;
}

/* Of what it says by itself a program needs little, and after each request it waits for the answer:
 * so one that means well is silent now and then. */
static void hold_back(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    const int64_t now_ms = mrl_clock__ns(CLOCK_MONOTONIC) / 1000000;

    if (message->head.type == MRL_SIDE_VERDICT ||
        mrl_allowance__take(&sink->unasked, unasked_max(sink, message->head.type)))
        return;
    mrl_clock__pause_ms(PAUSE_MS);
    if (!sink->talks_since_ms)
        sink->talks_since_ms = now_ms;
    else if (now_ms - sink->talks_since_ms > TALKS_MS)
        sink->why = "talks";
}

bool mrl_keeper__hear(struct mrl_sink *sink)
{
    for (int i = 0; i < AT_ONCE; i++) {
        struct mrl_side_message message;
        int err = mrl_side_message__receive(sink->socket, sink->buffer, 1, &message);

        if (err == -EAGAIN)
            sink->talks_since_ms = 0;
        if (err == -EAGAIN || err == -EINTR)
            return true;
        if (err == 1) {
            err = take(sink, &message);
            hold_back(sink, &message);
            mrl_side_message__close(&message);
            /* Who waits until it is open has nobody yet whom the rest could be told. */
            if (!err && !sink->why && message.head.type == MRL_SIDE_OPENED &&
                !atomic_load(&sink->sides->ready))
                return true;
            if (!err && !sink->why)
                continue;
        } else if (err != -EPROTO) {
            return false; /* the end */
        }
        sink->why = sink->why ? sink->why : "rules";
        return false;
    }
    mrl_clock__pause_ms(PAUSE_MS);
    return true;
}
