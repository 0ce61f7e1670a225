// SPDX-License-Identifier: Apache-2.0
/*
 * Syslog: RFC 5424, each message in a datagram of its own, or counted in octets on a stream (RFC
 * 6587, 5425). A server acknowledges nothing. What its kernel has acknowledged counts as taken;
 * what it had not read yet when it died is sent again with the next connection, up to TAIL_MAX.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "side/ship/body.h"
#include "side/ship/rights.h"
#include "side/stream/link.h"
#include "side/stream/sink.h"

enum {
    GROUP_MAX = 1024 * 1024, /* what is sent before acknowledgements are waited for */
    TAIL_MAX = 64 * 1024,
    HEAD_BYTES = 1024,
};

struct mrl_sink {
    const struct mrl_stream_options *options;
    struct mrl_link *link;
    struct mrl_files files;
    bool is_stream;
    char host[65];
    struct mrl_body group, tail;
    /* Bytes of a group: less after each failure, so that a server which takes a little at a time
     * gets on. */
    size_t step;
};

/* -- messages --------------------------------------------------------------------------------- */

/* What RFC 5424 has between the priority and the message, without what is of the stream. */
static size_t put_head(const struct mrl_sink *sink,
                       const struct mrl_item *item,
                       char head[HEAD_BYTES])
{
    const struct mrl_stream_options *options = sink->options;
    const struct mrl_item_head *of = &item->head;
    time_t seconds = (time_t)(of->time_ns / 1000000000);
    char id[MRL_EVENT_ID_BYTES], time[40];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &utc);
    mrl_item__id(of, id);
    /* No more than six digits of a second; all nine are in the data. */
    return (size_t)snprintf(
        head, HEAD_BYTES, "<%u>1 %s.%06uZ %s %s - %s [mrelease@%u%s%s%s time_ns=\"%llu\"] ",
        mrl_stream_facility__number(options->facility) * 8 + of->severity % 8, time,
        (unsigned int)(of->time_ns % 1000000000 / 1000), sink->host,
        *options->app ? options->app : "mrelease",
        of->event < mrl_event_def__count() ? mrl_event_def__at(of->event)->name : "-",
        options->enterprise ? (unsigned int)options->enterprise : MRL_SYSLOG_ENTERPRISE,
        *id ? " id=\"" : "", id, *id ? "\"" : "", (unsigned long long)of->time_ns);
}

/* Whether it was added: a server that is not told otherwise would cut what is longer. */
static bool put_message(const struct mrl_sink *sink,
                        const struct mrl_item *item,
                        struct mrl_body *body,
                        size_t number,
                        struct mrl_delivery *delivery)
{
    size_t max = sink->options->max_bytes ? sink->options->max_bytes : MRL_SYSLOG_MAX_BYTES;
    size_t size = mrl_stream__size(item), head_size;
    char head[HEAD_BYTES], count[24];

    head_size = put_head(sink, item, head);
    if (head_size + size > max) {
        mrl_delivery__judge(delivery, number, MRL_VERDICT_REFUSED,
                            "a message of %zu bytes, and max-size= is %zu", head_size + size, max);
        return false;
    }
    snprintf(count, sizeof(count), "%zu ", head_size + size);
    if (sink->is_stream)
        mrl_body__text(body, count);
    mrl_body__put(body, head, head_size);
    mrl_body__put(body, item->bytes, size);
    return true;
}

/* All from `first` on. */
static void judge_rest(const struct mrl_sink *sink,
                       const struct mrl_items *items,
                       size_t first,
                       struct mrl_delivery *delivery)
{
    mrl_delivery__judge_all(delivery, first, items->count - first, mrl_link__verdict(sink->link),
                            "%s", mrl_link__why(sink->link));
}

/* -- streams ---------------------------------------------------------------------------------- */

/* The oldest messages leave the tail until it is no larger than it may be. */
static void trim_tail(struct mrl_sink *sink)
{
    struct mrl_body *tail = &sink->tail;
    size_t most = sink->step < TAIL_MAX ? sink->step : TAIL_MAX, from = 0;

    while (tail->size - from > most) {
        char *end;
        size_t size = strtoul(tail->bytes + from, &end, 10);

        from = (size_t)(end + 1 - tail->bytes) + size;
    }
    tail->size -= from;
    memmove(tail->bytes, tail->bytes + from, tail->size);
}

static void remember(struct mrl_sink *sink)
{
    if (!sink->group.size)
        return;
    mrl_body__put(&sink->tail, sink->group.bytes, sink->group.size);
    if (sink->tail.failed)
        mrl_body__empty(&sink->tail);
    trim_tail(sink);
}

/* A new connection begins with what the server may not have read of the one that broke. */
static int make_ready(struct mrl_sink *sink)
{
    int opened;

    if (mrl_link__is_open(sink->link) && !mrl_link__drain(sink->link))
        return 0;
    opened = mrl_link__open(sink->link);
    if (opened <= 0)
        return opened;
    opened = mrl_link__settle(sink->link);
    return opened || !sink->tail.size
               ? opened
               : mrl_link__send(sink->link, sink->tail.bytes, sink->tail.size);
}

/* As many as make a group, from `first` on. Returns the one behind. */
static size_t fill_group(struct mrl_sink *sink,
                         const struct mrl_items *items,
                         size_t first,
                         struct mrl_delivery *delivery)
{
    mrl_body__empty(&sink->group);
    for (; first < items->count && sink->group.size < sink->step; first++)
        if (put_message(sink, &items->items[first], &sink->group, first, delivery))
            mrl_delivery__judge(delivery, first, MRL_VERDICT_TAKEN, NULL);
    return first;
}

static int send_group(struct mrl_sink *sink)
{
    int err = make_ready(sink);

    if (!err)
        err = mrl_link__send(sink->link, sink->group.bytes, sink->group.size);
    return err ? err : mrl_link__await_acks(sink->link);
}

static void deliver_stream(struct mrl_sink *sink,
                           const struct mrl_items *items,
                           struct mrl_delivery *delivery)
{
    size_t first = 0;

    while (first < items->count) {
        size_t next = fill_group(sink, items, first, delivery);

        if (sink->group.failed) {
            mrl_delivery__judge_all(delivery, first, items->count - first, MRL_VERDICT_AGAIN,
                                    "out of memory");
            return;
        }
        if (sink->group.size && send_group(sink)) {
            judge_rest(sink, items, first, delivery);
            sink->step = sink->step > 1 ? sink->step / 2 : 1;
            return;
        }
        remember(sink);
        sink->step = 2 * sink->step < GROUP_MAX ? 2 * sink->step : GROUP_MAX;
        first = next;
    }
}

/* -- datagrams -------------------------------------------------------------------------------- */

/* Whether there was an error of the link. */
static bool send_datagram(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          size_t number,
                          struct mrl_delivery *delivery)
{
    int err;

    mrl_body__empty(&sink->group);
    if (!put_message(sink, &items->items[number], &sink->group, number, delivery))
        return false;
    err = sink->group.failed ? -ENOMEM
                             : mrl_link__send(sink->link, sink->group.bytes, sink->group.size);
    if (err == -EMSGSIZE)
        mrl_delivery__judge(delivery, number, MRL_VERDICT_REFUSED,
                            "a message of %zu bytes is too long for a datagram", sink->group.size);
    else if (!err)
        mrl_delivery__judge(delivery, number, MRL_VERDICT_TAKEN, NULL);
    return err && err != -EMSGSIZE;
}

/* A host where nobody listens may say so. After the first of a request there is time for it: else
 * one event after the other would be sent to nobody. */
static void deliver_datagrams(struct mrl_sink *sink,
                              const struct mrl_items *items,
                              struct mrl_delivery *delivery)
{
    bool has_failed = mrl_link__open(sink->link) < 0;
    size_t i = 0;

    while (!has_failed && i < items->count) {
        has_failed =
            send_datagram(sink, items, i, delivery) || (!i && mrl_link__settle(sink->link));
        i += !has_failed;
    }
    if (has_failed)
        judge_rest(sink, items, i, delivery);
}

/* -- the sink --------------------------------------------------------------------------------- */

static int syslog_close(struct mrl_sink *sink)
{
    mrl_link__free(sink->link);
    mrl_files__done(&sink->files);
    mrl_body__done(&sink->group);
    mrl_body__done(&sink->tail);
    free(sink);
    return 0;
}

static int syslog_reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    /* Of a connection that broke, it is still to be sent again. */
    if (mrl_link__close(sink->link))
        mrl_body__empty(&sink->tail);
    return mrl_stream__take_files(sink->link, fds[0], &sink->files, error);
}

/* Printable ASCII, as RFC 5424 has it. */
static void name_host(char host[65])
{
    snprintf(host, 65, "%s", mrl_ship__host()->name);
    for (char *at = host; *at; at++)
        if (*at < 33 || *at > 126)
            *at = '?';
    if (!*host)
        strcpy(host, "-");
}

static int syslog_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    const char *port = mrl_files__is_tls(target->destination) ? "6514" : "514";
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err;

    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    sink->options = target->options;
    sink->step = GROUP_MAX;
    sink->is_stream = strncmp(target->destination, "udp:", 4) != 0;
    name_host(sink->host);
    err = mrl_stream__open_link(target, port, &sink->files, error, &sink->link);
    if (err)
        syslog_close(sink);
    else
        *ret_sink = sink;
    return err;
}

static int syslog_look(struct mrl_sink *sink, const int *stop, struct mrl_error *error)
{
    return mrl_stream__look(sink->link, stop, error);
}

static void syslog_deliver(struct mrl_sink *sink,
                           const struct mrl_items *items,
                           struct mrl_delivery *ret_delivery)
{
    mrl_link__begin(sink->link, items->stop);
    if (sink->is_stream)
        deliver_stream(sink, items, ret_delivery);
    else
        deliver_datagrams(sink, items, ret_delivery);
}

const struct mrl_stream_destination mrl_stream_syslog = {
    .row = &mrl_sink_syslog,
    .open = syslog_open,
    .deliver = syslog_deliver,
    .look = syslog_look,
    .close = syslog_close,
    .reopen = syslog_reopen,
};
