// SPDX-License-Identifier: Apache-2.0
/* Requests of side programs: counters, and what clients of theirs wish for. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "deliver/metrics/pack.h"
#include "event/lost.h"
#include "side/common/keeper.h"
#include "side/common/peer.h"

enum {
    REQUESTS_MAX = 200,   /* in a second, of health; of wishes; of those of who may not */
    METRICS_MAX = 200,    /* likewise: who reads them all the time keeps nobody from a wish */
    SEGMENTS_MAX = 20000, /* likewise, where a spool is shipped: a lone event takes two */
    REFUSALS_MAX = 10,    /* told in a second */
    RENEWALS_MAX = 2,     /* likewise: files are read for each */
    LOOK_MS = 1000,
    ROOM_MS = 100, /* how long an answer waits for room */
};

/* The program drains its end within microseconds, or it hangs: then the answer is not missed, and
 * the next one does not wait. */
static int send_with(
    struct mrl_sink *sink, uint32_t id, int err, const char *bytes, size_t size, int fd)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_ANSWER, .id = id, .err = err };
    const struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct pollfd room = { .fd = sink->socket, .events = POLLOUT };

    for (int waited = 0; waited <= ROOM_MS; waited += 10) {
        int sent;

        pthread_mutex_lock(&sink->lock);
        sent = mrl_side_message__send(sink->socket, head, &part, 1, &fd, fd >= 0);
        pthread_mutex_unlock(&sink->lock);
        if (sent != -EAGAIN || sink->is_deaf)
            return 0;
        poll(&room, 1, 10);
    }
    sink->is_deaf = true;
    return 0;
}

static int send_answer(struct mrl_sink *sink, uint32_t id, int err, const char *bytes, size_t size)
{
    return send_with(sink, id, err, bytes, size, -1);
}

static int send_text(struct mrl_sink *sink, uint32_t id, int err, const char *text)
{
    return send_answer(sink, id, err, text, strlen(text));
}

static int answer_metrics(struct mrl_sink *sink, uint32_t id)
{
    const struct mrl_sides_options *options = &sink->sides->options;
    const size_t room = MRL_SIDE_MESSAGE_MAX - sizeof(struct mrl_side_head);
    struct mrl_metrics *metrics = NULL;
    char *bytes = malloc(room);
    int err = options->metrics ? options->metrics(options->context, &metrics) : -ENODEV;
    ssize_t size = err ? err : bytes ? mrl_metrics__pack(metrics, bytes, room) : -ENOMEM;

    if (size < 0)
        send_text(sink, id, (int)size, strerror((int)-size));
    else
        send_answer(sink, id, 0, bytes, (size_t)size);
    mrl_metrics__free(metrics);
    free(bytes);
    return 0;
}

/* Once in a second at most, as it asks for locks that others hold. */
void mrl_keeper__say_ready(struct mrl_sink *sink)
{
    const struct mrl_sides_options *options = &sink->sides->options;
    struct mrl_side_head head = { .type = MRL_SIDE_READY };
    struct mrl_health health = { .count = 0 };
    bool is_ready = true;

    if (options->health)
        options->health(options->context, false, &health);
    for (unsigned int i = 0; i < health.count; i++)
        is_ready &= health.checks[i].is_well;
    sink->look_ms = mrl_clock__ns(CLOCK_MONOTONIC) / 1000000 + LOOK_MS;
    if (is_ready == sink->told_ready)
        return;
    head.err = is_ready ? 0 : -ENODEV;
    pthread_mutex_lock(&sink->lock);
    if (!mrl_side_message__say(sink->socket, head, ""))
        sink->told_ready = is_ready;
    pthread_mutex_unlock(&sink->lock);
}

static int answer_health(struct mrl_sink *sink, uint32_t id)
{
    const struct mrl_sides_options *options = &sink->sides->options;
    struct mrl_health health = { .count = 0 };

    if (!options->health)
        return send_text(sink, id, -EOPNOTSUPP, "nobody says that here");
    options->health(options->context, true, &health);
    return send_answer(sink, id, 0, (const char *)health.checks,
                       health.count * sizeof(*health.checks));
}

static const char too_many[] = "too many requests at a time";

/* Error: -EPROTO: nobody can wish that. */
static int read_wish(const struct mrl_side_request *request, struct mrl_wish *ret_wish)
{
    const bool is_level = request->asked == MRL_SIDE_LOG_LEVEL;

    if (request->argument >= (is_level ? MRL_LOG_DEBUG + 1U : mrl_event_def__count()))
        return -EPROTO;
    *ret_wish = (struct mrl_wish){ .kind = is_level                            ? MRL_WISH_LOG_LEVEL
                                           : request->asked == MRL_SIDE_ENABLE ? MRL_WISH_ENABLE
                                                                               : MRL_WISH_DISABLE };
    if (is_level)
        ret_wish->level = (enum mrl_log_level)request->argument;
    else
        ret_wish->event = request->argument;
    return 0;
}

/* What is refused may come in floods, and says little after the first of them. */
static bool is_worth_telling(struct mrl_sink *sink, int err)
{
    return !err || mrl_allowance__take(&sink->refusals, REFUSALS_MAX);
}

static int answer_wish(struct mrl_sink *sink,
                       uint32_t id,
                       const struct mrl_side_request *request,
                       int connection)
{
    const struct mrl_sides_options *options = &sink->sides->options;
    struct mrl_error error = { "" };
    struct mrl_peer peer;
    struct mrl_wish wish;
    int err = sink->row->control ? read_wish(request, &wish) : -EPROTO;

    if (err)
        return err;
    mrl_peer__find(sink, connection, &peer);
    wish.by_uid = peer.uid;
    wish.by_pid = peer.pid;
    wish.by = peer.text;
    err = mrl_peer__may_change(sink, &peer, &error);
    /* Who may not takes nothing from who may. */
    if (!mrl_allowance__take(err ? &sink->strangers : &sink->wishes, REQUESTS_MAX))
        return send_text(sink, id, -EBUSY, too_many);
    if (!err)
        err = options->fulfil ? options->fulfil(options->context, &wish, &error)
                              : mrl_error__set(&error, -EOPNOTSUPP, "nobody fulfils that here");
    if (options->wished && is_worth_telling(sink, err))
        options->wished(options->context, &wish, err, error.text);
    return send_text(sink, id, err, error.text);
}

/* Its destination takes the secrets no more, and there may be new ones. */
static int answer_files(struct mrl_sink *sink, uint32_t id)
{
    struct mrl_error error = { "" };
    int err = -EBUSY;

    if (!sink->row->renew || sink->fds[0] < 0)
        return -EPROTO;
    if (mrl_allowance__take(&sink->renewals, RENEWALS_MAX)) {
        pthread_mutex_lock(&sink->lock);
        err = mrl_keeper__renew(sink, &error);
        pthread_mutex_unlock(&sink->lock);
    }
    return err ? send_text(sink, id, err, error.text) : send_with(sink, id, 0, "", 0, sink->fds[0]);
}

/* -- of a spool -------------------------------------------------------------------------------- */

/* `awaits` before anything is looked at: what is appended after that is said. */
static int answer_segment(struct mrl_sink *sink, uint32_t id, uint64_t number, uint64_t held)
{
    struct mrl_spool_grant grant;
    struct mrl_side_segment segment;
    int err;

    if (!sink->spool)
        return -EPROTO;
    atomic_store(&sink->awaits, true);
    err = mrl_spool__grant(sink->spool, number, held, &grant);
    if (err)
        return send_text(sink, id, err, strerror(-err));
    segment = (struct mrl_side_segment){ grant.number, grant.end, grant.is_last, 0 };
    err = send_with(sink, id, 0, (const char *)&segment, sizeof(segment), grant.fd);
    if (grant.fd >= 0)
        close(grant.fd);
    return err;
}

/* What is missing is told once for each place and event: the id is that of the place. */
static int answer_missing(struct mrl_sink *sink,
                          uint32_t id,
                          const struct mrl_side_request *request)
{
    const unsigned int event = request->argument & ~MRL_SIDE_DAMAGED;
    struct mrl_lost lost = { .count = request->number,
                             .cause = request->argument & MRL_SIDE_DAMAGED ? MRL_CAUSE_SPOOL_DAMAGED
                                                                           : MRL_CAUSE_SPOOL_FULL,
                             .from_ns = request->time_ns,
                             .to_ns = request->time_ns };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event told;
    char text[MRL_ITEM_BYTES_MAX], name[MRL_SPOOL_OWN_BYTES];
    ssize_t size;

    if (!sink->spool || event >= mrl_event_def__count())
        return -EPROTO;
    lost.event = mrl_event_def__at(event);
    mrl_lost__event(&lost, values, &told);
    told.seq = request->place * MRL_EVENT_COUNT + event;
    mrl_spool__name(sink->spool, name);
    told.run = name;
    if (mrl_allowance__take(&sink->refusals, REFUSALS_MAX))
        mrl_sides__say(sink->sides, MRL_LOG_WARNING, "%s: %llu of %s are lost: %s", sink->row->name,
                       (unsigned long long)request->number, lost.event->name,
                       request->argument & MRL_SIDE_DAMAGED ? "the spool was damaged"
                                                            : "the spool was full");
    size = mrl_encoder__put(sink->encoder, &told, text, sizeof(text));
    return size < 0 ? send_text(sink, id, (int)size, "encoding")
                    : send_answer(sink, id, 0, text, (size_t)size);
}

/* The answer to what is asked for each segment costs little; metrics are collected from all. Wishes
 * are counted where it is known who has them. */
static bool is_allowed(struct mrl_sink *sink, uint32_t asked)
{
    if (asked == MRL_SIDE_SEGMENT || asked == MRL_SIDE_MISSING)
        return mrl_allowance__take(&sink->segments, SEGMENTS_MAX);
    if (asked == MRL_SIDE_METRICS)
        return mrl_allowance__take(&sink->lookups, METRICS_MAX);
    return asked != MRL_SIDE_HEALTH || mrl_allowance__take(&sink->requests, REQUESTS_MAX);
}

int mrl_keeper__answer(struct mrl_sink *sink, struct mrl_side_message *message)
{
    struct mrl_side_request request;
    int err = mrl_side_request__read(message, &request);

    if (err)
        return err;
    if (!is_allowed(sink, request.asked))
        return send_text(sink, message->head.id, -EBUSY, too_many);
    if (request.asked == MRL_SIDE_METRICS)
        return answer_metrics(sink, message->head.id);
    if (request.asked == MRL_SIDE_HEALTH)
        return answer_health(sink, message->head.id);
    if (request.asked == MRL_SIDE_FILES)
        return answer_files(sink, message->head.id);
    if (request.asked == MRL_SIDE_SEGMENT)
        return answer_segment(sink, message->head.id, request.number, request.place);
    if (request.asked == MRL_SIDE_MISSING)
        return answer_missing(sink, message->head.id, &request);
    return answer_wish(sink, message->head.id, &request, message->fd_count ? message->fds[0] : -1);
}
