// SPDX-License-Identifier: Apache-2.0
/* Requests of side programs: counters, and what clients of theirs wish for. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/metrics_pack.h"
#include "side/common/keeper.h"
#include "side/common/peer.h"

enum {
    REQUESTS_MAX = 200, /* in a second */
    REFUSALS_MAX = 10,  /* told in a second */
    ROOM_MS = 100,      /* how long an answer waits for room */
};

/* The program drains its end within microseconds, or it hangs: then the answer is not missed, and
 * the next one does not wait. */
static int send_answer(struct mrl_sink *sink, uint32_t id, int err, const char *bytes, size_t size)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_ANSWER, .id = id, .err = err };
    const struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct pollfd room = { .fd = sink->socket, .events = POLLOUT };

    for (int waited = 0; waited <= ROOM_MS; waited += 10) {
        int sent;

        pthread_mutex_lock(&sink->lock);
        sent = mrl_side_message__send(sink->socket, head, &part, 1, NULL, 0);
        pthread_mutex_unlock(&sink->lock);
        if (sent != -EAGAIN || sink->is_deaf)
            return 0;
        poll(&room, 1, 10);
    }
    sink->is_deaf = true;
    return 0;
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
    if (!err)
        err = options->fulfil ? options->fulfil(options->context, &wish, &error)
                              : mrl_error__set(&error, -EOPNOTSUPP, "nobody fulfils that here");
    if (options->wished && is_worth_telling(sink, err))
        options->wished(options->context, &wish, err, error.text);
    return send_text(sink, id, err, error.text);
}

int mrl_keeper__answer(struct mrl_sink *sink, struct mrl_side_message *message)
{
    struct mrl_side_request request;
    int err = mrl_side_request__read(message, &request);

    if (err)
        return err;
    if (!mrl_allowance__take(&sink->requests, REQUESTS_MAX))
        return send_text(sink, message->head.id, -EBUSY, "too many requests at a time");
    if (request.asked == MRL_SIDE_METRICS)
        return answer_metrics(sink, message->head.id);
    return answer_wish(sink, message->head.id, &request, message->fd_count ? message->fds[0] : -1);
}
