// SPDX-License-Identifier: Apache-2.0
/*
 * A topic of Kafka. The producer is idempotent: librdkafka sends again by itself what a broker may
 * or may not have, under the same number, so that the broker tells the two apart. So what has no
 * report yet stays with librdkafka when deliver() returns, and is known again by the next one: the
 * caller's pauses and log lines are as for any destination, and nothing is there twice. The same
 * way, what comes next is with librdkafka before the answers to what is delivered are awaited.
 * Which messages these are is in window.h.
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
#include "side/kafka/window.h"

enum {
    STEP_MS = 100,
    PATIENCE_MS = 1000, /* without a report, where something is known to be wrong */
    SILENCE_MS = 10000, /* and where nothing is */
    LOOK_MS = 3000,
};

struct mrl_sink {
    const struct mrl_kafka_options *options;
    char url[MRL_KAFKA_URL_MAX];
    char host[HOST_NAME_MAX + 1];
    struct mrl_producer producer;
    bool is_spent; /* the producer is of no more use */
    struct mrl_kafka_window window;
    int64_t progress_ns;
    enum mrl_kafka_meaning meaning; /* of the trouble */
    char trouble[200];              /* "": none that is known of */
    struct mrl_files files;
};

/* -- what librdkafka calls, while it is polled ------------------------------------------------ */

static void take_report(rd_kafka_t *kafka, const rd_kafka_message_t *report, void *opaque)
{
    struct mrl_sink *sink = opaque;

    (void)kafka;
    mrl_kafka_window__report(&sink->window, report->_private, report->err);
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

/* Gives up what is on its way, which is sent again. */
static void take_producer(struct mrl_sink *sink, const struct mrl_producer *producer)
{
    mrl_producer__close(&sink->producer);
    sink->producer = *producer;
    sink->trouble[0] = '\0';
    sink->is_spent = false;
    mrl_kafka_window__restart(&sink->window);
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

static bool is_stopped(const struct mrl_items *items)
{
    return items->stop && __atomic_load_n(items->stop, __ATOMIC_RELAXED);
}

static void await_reports(struct mrl_sink *sink, const struct mrl_items *items)
{
    int64_t quiet_ms = 0;

    sink->progress_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    while (sink->window.unreported && !is_stopped(items) && !sink->is_spent &&
           quiet_ms < (*sink->trouble ? PATIENCE_MS : SILENCE_MS)) {
        /* With nothing behind it, the last request leaves at once. */
        if (sink->window.ahead_count)
            rd_kafka_poll(sink->producer.kafka, STEP_MS);
        else
            rd_kafka_flush(sink->producer.kafka, STEP_MS);
        quiet_ms = (mrl_clock__ns(CLOCK_MONOTONIC) - sink->progress_ns) / 1000000;
    }
}

static void judge_reported(
    struct mrl_sink *sink, size_t item, size_t count, bool shared, struct mrl_delivery *delivery)
{
    rd_kafka_resp_err_t code = sink->window.messages[item]->code;
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

    for (size_t i = 0; i < items->count; i++)
        if (sink->window.messages[i]->is_reported)
            judge_reported(sink, i, items->count, shared, delivery);
        else
            mrl_delivery__judge(delivery, i, verdict, "%s", why);
    mrl_kafka_window__end(&sink->window, items->count);
}

static void kafka_deliver(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          struct mrl_delivery *ret_delivery)
{
    const struct mrl_kafka_way way = { &sink->producer, sink->options->no_key ? "" : sink->host };
    struct mrl_kafka_window *window = &sink->window;
    struct mrl_error error = { "" };
    int err = renew_producer(sink, &error);
    bool shared;

    if (!err && !mrl_kafka_window__find(window, items)) {
        sink->is_spent = true;
        err = renew_producer(sink, &error);
        if (!err)
            mrl_kafka_window__find(window, items);
    }
    if (err) {
        mrl_delivery__judge_all(ret_delivery, 0, items->count, MRL_VERDICT_AGAIN, "%s", error.text);
        return;
    }
    mrl_kafka_window__put(window, &way, items);
    mrl_kafka_window__put_ahead(window, &way, items);
    shared = mrl_kafka_window__is_shared(window);
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
