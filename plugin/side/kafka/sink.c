// SPDX-License-Identifier: Apache-2.0
/*
 * A topic of Kafka. The producer is idempotent: librdkafka sends again by itself what a broker may
 * or may not have, under the same number, so that the broker tells the two apart. So what has no
 * report yet stays with librdkafka when deliver() returns, and is known again by the next one: the
 * caller's pauses and log lines are as for any destination, and nothing is there twice. The same
 * way, what comes next is with librdkafka before the answers to what is delivered are awaited.
 */
#include "side/kafka/sink.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "side/kafka/judge.h"
#include "side/kafka/producer.h"
#include "side/ship/shipper.h"

enum {
    STEP_MS = 100,
    MESSAGES = 2 * MRL_SHIP_ITEMS, /* of two deliveries */
    PATIENCE_MS = 1000,            /* without a report, where something is known to be wrong */
    SILENCE_MS = 10000,            /* and where nothing is */
    LOOK_MS = 3000,
};

/* From produce() to its verdict. */
struct message {
    struct mrl_item_head head;
    rd_kafka_resp_err_t code;
    bool is_reported;
    bool is_ahead;
};

struct mrl_sink {
    const struct mrl_kafka_options *options;
    char url[MRL_KAFKA_URL_MAX];
    char host[HOST_NAME_MAX + 1];
    struct mrl_producer producer;
    bool is_spent; /* the producer is of no more use */
    struct message pool[MESSAGES];
    struct message *unused[MESSAGES];
    /* Of the items of a delivery; between two, of what is on its way. */
    struct message *messages[MRL_SHIP_ITEMS];
    /* Of what comes behind them, from the front. */
    struct message *ahead[MRL_SHIP_ITEMS];
    struct message *found[MRL_SHIP_ITEMS]; /* while they are looked for */
    size_t unused_count, waiting, ahead_count;
    size_t unreported; /* of those of a delivery */
    int64_t progress_ns;
    enum mrl_kafka_meaning meaning; /* of the trouble */
    char trouble[200];              /* "": none that is known of */
    struct mrl_files files;
};

/* -- what librdkafka calls, while it is polled ------------------------------------------------ */

static void take_report(rd_kafka_t *kafka, const rd_kafka_message_t *report, void *opaque)
{
    struct message *message = report->_private;
    struct mrl_sink *sink = opaque;

    (void)kafka;
    message->code = report->err;
    message->is_reported = true;
    sink->unreported -= !message->is_ahead;
    sink->progress_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    if (!report->err)
        sink->trouble[0] = '\0';
}

/* A broker's words may repeat what it was sent. */
static void note_trouble(struct mrl_sink *sink, rd_kafka_resp_err_t code, const char *reason)
{
    mrl_files__quote(&sink->files, "", reason, strlen(reason), sink->trouble);
    sink->meaning = mrl_kafka__meaning_of_trouble(code, reason);
    sink->is_spent = sink->is_spent || sink->meaning == MRL_KAFKA_BEGIN_ANEW;
}

static void take_trouble(rd_kafka_t *kafka, int err, const char *reason, void *opaque)
{
    rd_kafka_resp_err_t code = (rd_kafka_resp_err_t)err;
    struct mrl_sink *sink = opaque;
    char why[256];

    if (code == RD_KAFKA_RESP_ERR__FATAL && rd_kafka_fatal_error(kafka, why, sizeof(why)))
        reason = why;
    /* That none is left says less than what became of the last one. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*sink->trouble)
        note_trouble(sink, code, reason);
}

/* -- opening ---------------------------------------------------------------------------------- */

static int make(struct mrl_sink *sink,
                const struct mrl_files *files,
                struct mrl_error *error,
                struct mrl_producer *ret_producer)
{
    const struct mrl_producer_calls calls = { take_report, take_trouble, sink };

    return mrl_producer__open(sink->url, sink->options, files, &calls, error, ret_producer);
}

/* Of what comes next, only what was taken: what is on its way is given up. */
static void keep_taken(struct mrl_sink *sink)
{
    size_t kept = 0;

    for (size_t i = 0; i < MESSAGES; i++)
        sink->pool[i].is_ahead = false;
    for (size_t i = 0; i < sink->ahead_count; i++) {
        struct message *message = sink->ahead[i];

        message->is_ahead = message->is_reported && !message->code;
        if (message->is_ahead)
            sink->ahead[kept++] = message;
    }
    sink->ahead_count = kept;
    sink->unused_count = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        if (!sink->pool[i].is_ahead)
            sink->unused[sink->unused_count++] = &sink->pool[i];
}

/* Gives up what is on its way, which is sent again. */
static void take_producer(struct mrl_sink *sink, const struct mrl_producer *producer)
{
    mrl_producer__close(&sink->producer);
    sink->producer = *producer;
    sink->trouble[0] = '\0';
    sink->is_spent = false;
    sink->waiting = 0;
    keep_taken(sink);
}

static int kafka_close(struct mrl_sink *sink)
{
    mrl_producer__close(&sink->producer);
    mrl_files__done(&sink->files);
    free(sink);
    return 0;
}

static int kafka_open(const struct mrl_sink_target *target,
                      struct mrl_error *error,
                      struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int fd = target->fds ? target->fds[0] : -1;
    struct mrl_producer producer;
    int err =
        sink ? target->ops->check(target, error) : mrl_error__set(error, -ENOMEM, "out of memory");

    if (!err) {
        sink->options = target->options;
        snprintf(sink->url, sizeof(sink->url), "%s", target->destination);
        if (gethostname(sink->host, sizeof(sink->host) - 1))
            sink->host[0] = '\0';
        err = mrl_files__read(fd, &sink->files);
        err = err ? mrl_error__set(error, err, "secrets: %s", strerror(-err))
                  : make(sink, &sink->files, error, &producer);
    }
    if (!err)
        take_producer(sink, &producer);
    if (fd >= 0)
        close(fd);
    if (err && sink)
        kafka_close(sink);
    if (!err)
        *ret_sink = sink;
    return err;
}

static bool is_same(const struct mrl_files *one, const struct mrl_files *other)
{
    return one->size == other->size && !memcmp(one->bytes, other->bytes, one->size) &&
           !memcmp(one->sizes, other->sizes, sizeof(one->sizes));
}

/* What is on its way is sent again, and may then be there twice: only where something is new. */
static int kafka_reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    struct mrl_producer producer;
    struct mrl_files files;
    int err = mrl_files__read(fds[0], &files);

    if (err)
        return mrl_error__set(error, err, "secrets: %s", strerror(-err));
    if (!is_same(&files, &sink->files)) {
        err = make(sink, &files, error, &producer);
        if (!err) {
            struct mrl_files old = sink->files;

            take_producer(sink, &producer);
            sink->files = files;
            files = old;
        }
    }
    mrl_files__done(&files);
    return err;
}

/* One that is of use. */
static int renew_producer(struct mrl_sink *sink, struct mrl_error *error)
{
    struct mrl_producer producer;
    int err;

    if (!sink->is_spent)
        return 0;
    err = make(sink, &sink->files, error, &producer);
    if (!err)
        take_producer(sink, &producer);
    return err;
}

/* -- delivering ------------------------------------------------------------------------------- */

static bool is_of(const struct message *message, const struct mrl_item *item)
{
    return !memcmp(&message->head, &item->head, sizeof(item->head));
}

/* Of the messages from `*at` to `count`, the next, if it is this item's; otherwise NULL. */
static struct message *next_of(struct message *const *messages,
                               size_t count,
                               size_t *at,
                               const struct mrl_item *item)
{
    return *at < count && is_of(messages[*at], item) ? messages[(*at)++] : NULL;
}

/* In advance: it may have been spoilt by one that it was sent with, and is sent again. */
static bool has_failed(const struct message *message)
{
    return message->is_reported && message->code != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The messages of those items that are on their way; NULL, of the others. Returns false where some
 * are on their way that nobody asks for any more. */
static bool find_messages(struct mrl_sink *sink, const struct mrl_items *items)
{
    size_t old = 0, ahead = 0;

    for (size_t i = 0; i < items->count; i++) {
        sink->found[i] = next_of(sink->messages, sink->waiting, &old, &items->items[i]);
        if (!sink->found[i])
            sink->found[i] = next_of(sink->ahead, sink->ahead_count, &ahead, &items->items[i]);
    }
    if (old < sink->waiting)
        return false;
    for (size_t i = 0; i < items->count; i++)
        if (sink->found[i] && has_failed(sink->found[i])) {
            sink->unused[sink->unused_count++] = sink->found[i];
            sink->found[i] = NULL;
        }
    sink->ahead_count -= ahead;
    memmove(sink->ahead, sink->ahead + ahead, sink->ahead_count * sizeof(struct message *));
    memcpy(sink->messages, sink->found, items->count * sizeof(struct message *));
    return true;
}

static struct message *put_new(struct mrl_sink *sink, const struct mrl_item *item, bool is_ahead)
{
    struct message *message = sink->unused[--sink->unused_count];

    *message = (struct message){ .head = item->head, .is_ahead = is_ahead };
    message->code =
        mrl_producer__put(&sink->producer, item, sink->options->no_key ? "" : sink->host, message);
    message->is_reported = message->code != RD_KAFKA_RESP_ERR_NO_ERROR;
    return message;
}

static void put_all(struct mrl_sink *sink, const struct mrl_items *items)
{
    sink->unreported = 0;
    for (size_t i = 0; i < items->count; i++) {
        if (!sink->messages[i])
            sink->messages[i] = put_new(sink, &items->items[i], false);
        sink->messages[i]->is_ahead = false;
        sink->unreported += !sink->messages[i]->is_reported;
    }
    sink->waiting = items->count;
}

/* What there is no room for waits for its turn. */
static void put_ahead(struct mrl_sink *sink, const struct mrl_items *items)
{
    if (sink->ahead_count)
        return;
    for (size_t i = 0; i < items->ahead_count && sink->unused_count; i++) {
        struct message *message = put_new(sink, &items->ahead[i], true);

        if (message->is_reported) {
            sink->unused[sink->unused_count++] = message;
            return;
        }
        sink->ahead[sink->ahead_count++] = message;
    }
}

/* Whether a broker may get what is delivered together with what comes next. */
static bool is_shared(const struct mrl_sink *sink)
{
    for (size_t i = 0; i < sink->ahead_count; i++)
        if (!sink->ahead[i]->is_reported)
            return true;
    return false;
}

static bool is_stopped(const struct mrl_items *items)
{
    return items->stop && __atomic_load_n(items->stop, __ATOMIC_RELAXED);
}

static void await_reports(struct mrl_sink *sink, const struct mrl_items *items)
{
    int64_t quiet_ms = 0;

    sink->progress_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    while (sink->unreported && !is_stopped(items) && !sink->is_spent &&
           quiet_ms < (*sink->trouble ? PATIENCE_MS : SILENCE_MS)) {
        /* With nothing behind it, the last request leaves at once. */
        if (sink->ahead_count)
            rd_kafka_poll(sink->producer.kafka, STEP_MS);
        else
            rd_kafka_flush(sink->producer.kafka, STEP_MS);
        quiet_ms = (mrl_clock__ns(CLOCK_MONOTONIC) - sink->progress_ns) / 1000000;
    }
}

static void judge_reported(
    struct mrl_sink *sink, size_t item, size_t count, bool shared, struct mrl_delivery *delivery)
{
    rd_kafka_resp_err_t code = sink->messages[item]->code;
    enum mrl_kafka_meaning meaning = mrl_kafka__meaning(code);
    enum mrl_item_verdict verdict = MRL_VERDICT_AGAIN;

    if (!code) {
        mrl_delivery__judge(delivery, item, MRL_VERDICT_TAKEN, NULL);
        return;
    }
    /* A producer remembers for minutes that there was no such topic, or that it may not write. */
    if (meaning == MRL_KAFKA_BEGIN_ANEW || meaning == MRL_KAFKA_MISCONFIGURED)
        sink->is_spent = true;
    /* One that was not alone is, the next time: nothing is in advance after a failure. */
    if (meaning == MRL_KAFKA_HALVE && count == 1 && !shared)
        verdict = MRL_VERDICT_REFUSED;
    else if (meaning < MRL_KAFKA_HALVE)
        verdict = (enum mrl_item_verdict)meaning;
    delivery->halve |= meaning == MRL_KAFKA_HALVE && (count > 1 || !shared);
    mrl_delivery__judge(delivery, item, verdict, "%s", rd_kafka_err2str(code));
}

/* Those without a report stay in their order. */
static void judge(struct mrl_sink *sink,
                  const struct mrl_items *items,
                  bool shared,
                  struct mrl_delivery *delivery)
{
    const char *why = is_stopped(items) ? "the sensor ends"
                      : *sink->trouble  ? sink->trouble
                                        : "the brokers say nothing";
    enum mrl_item_verdict verdict = *sink->trouble && sink->meaning == MRL_KAFKA_MISCONFIGURED
                                        ? MRL_VERDICT_MISCONFIGURED
                                        : MRL_VERDICT_AGAIN;
    size_t left = 0;

    for (size_t i = 0; i < items->count; i++) {
        struct message *message = sink->messages[i];

        if (message->is_reported) {
            judge_reported(sink, i, items->count, shared, delivery);
            sink->unused[sink->unused_count++] = message;
        } else {
            mrl_delivery__judge(delivery, i, verdict, "%s", why);
            sink->messages[left++] = message;
        }
    }
    sink->waiting = left;
}

static void kafka_deliver(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          struct mrl_delivery *ret_delivery)
{
    struct mrl_error error = { "" };
    int err = renew_producer(sink, &error);
    bool shared;

    if (!err && !find_messages(sink, items)) {
        sink->is_spent = true;
        err = renew_producer(sink, &error);
        if (!err)
            find_messages(sink, items);
    }
    if (err) {
        mrl_delivery__judge_all(ret_delivery, 0, items->count, MRL_VERDICT_AGAIN, "%s", error.text);
        return;
    }
    put_all(sink, items);
    put_ahead(sink, items);
    shared = is_shared(sink);
    await_reports(sink, items);
    judge(sink, items, shared, ret_delivery);
}

/* It connects by itself, and tells of trouble when it is asked for anything. */
static int kafka_look(struct mrl_sink *sink, const int *stop, struct mrl_error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    for (int waited_ms = 0; code && !*sink->trouble && waited_ms < LOOK_MS; waited_ms += STEP_MS) {
        if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
            return 0;
        code = rd_kafka_metadata(sink->producer.kafka, 0, sink->producer.topic, &metadata, STEP_MS);
        if (!code)
            rd_kafka_metadata_destroy(metadata);
        rd_kafka_poll(sink->producer.kafka, 0);
    }
    return code ? mrl_error__set(error, -EHOSTUNREACH, "%s",
                                 *sink->trouble ? sink->trouble : "the brokers say nothing")
                : 0;
}

static const struct mrl_sink_ops *row(const char *name)
{
    static struct mrl_sink_ops ops;

    if (strcmp(name, mrl_sink_kafka.name) != 0)
        return NULL;
    ops = mrl_sink_kafka;
    ops.open = kafka_open;
    ops.deliver = kafka_deliver;
    ops.look = kafka_look;
    ops.close = kafka_close;
    return &ops;
}

const struct mrl_ship_program mrl_kafka_program = { row, kafka_reopen };
