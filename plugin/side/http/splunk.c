// SPDX-License-Identifier: Apache-2.0
/*
 * Splunk: its HTTP Event Collector. 200 says that a request was parsed; that it is indexed is asked
 * for, by the number that came with the answer, on a channel of our own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/random.h>
#include <sys/utsname.h>

#include "side/http/answers/hec.h"
#include "side/http/sink.h"

enum {
    POLL_MS = 100, /* and twice as long each time, up to */
    POLL_MAX_MS = 3200,
    ACK_MAX_MS = 300 * 1000, /* after that it is sent again */
    DISABLED = 14,           /* the token has no acknowledgement */
};

/* Where a code of Splunk's says what HTTP's does not. */
static const struct mrl_http_status codes[] = {
    { 0, 0, MRL_HTTP_READ },          { 1, 4, MRL_HTTP_MISCONFIGURED },   /* the token */
    { 5, 6, MRL_HTTP_HALVE },                                             /* data */
    { 7, 7, MRL_HTTP_MISCONFIGURED },                                     /* the index */
    { 8, 9, MRL_HTTP_AGAIN },         { 10, 11, MRL_HTTP_MISCONFIGURED }, /* the channel */
    { 12, 13, MRL_HTTP_HALVE },       { 14, 14, MRL_HTTP_MISCONFIGURED },
    { 15, 15, MRL_HTTP_HALVE },       { 18, 20, MRL_HTTP_AGAIN },
    { 23, 23, MRL_HTTP_AGAIN },       { 26, 26, MRL_HTTP_AGAIN },
};

static int begin(struct mrl_sink *sink, struct mrl_error *error)
{
    unsigned char bytes[16];
    size_t used;

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return mrl_error__set(error, -errno, "getrandom: %s", strerror(errno));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    used = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        used += (size_t)sprintf(sink->channel + used,
                                i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    return 0;
}

static void put(struct mrl_sink *sink, const struct mrl_item *item, const char *host)
{
    char id[MRL_EVENT_ID_BYTES], time[64];

    snprintf(time, sizeof(time), "{\"time\":%llu.%09llu,\"host\":",
             (unsigned long long)(item->head.time_ns / 1000000000),
             (unsigned long long)(item->head.time_ns % 1000000000));
    mrl_body__text(&sink->body, time);
    mrl_body__json(&sink->body, host, strlen(host));
    mrl_body__text(&sink->body, ",\"source\":\"mrelease\",\"sourcetype\":\"mrelease:");
    mrl_body__text(&sink->body, sink->format);
    mrl_body__text(&sink->body, "\"");
    if (*sink->options->index) {
        mrl_body__text(&sink->body, ",\"index\":");
        mrl_body__json(&sink->body, sink->options->index, strlen(sink->options->index));
    }
    if (mrl_item__id(&item->head, id)) {
        mrl_body__text(&sink->body, ",\"fields\":{\"id\":\"");
        mrl_body__text(&sink->body, id);
        mrl_body__text(&sink->body, "\"}");
    }
    mrl_body__text(&sink->body, ",\"event\":");
    mrl_body__put(&sink->body, item->bytes, mrl_http_item__size(item));
    mrl_body__text(&sink->body, "}\n");
}

/* -- acknowledgements ------------------------------------------------------------------------- */

static void ask(struct mrl_sink *sink,
                const struct mrl_items *items,
                long long ack,
                struct mrl_http_answer *ret_answer)
{
    char url[sizeof(sink->url) + 64], text[48];
    struct mrl_body body = { .bytes = text };
    const struct mrl_http_request request = {
        .url = url, .content_type = "application/json", .body = &body, .stop = items->stop
    };
    const char *path = strstr(sink->url, "/services/collector");

    body.size = (size_t)snprintf(text, sizeof(text), "{\"acks\":[%lld]}", ack);
    snprintf(url, sizeof(url), "%.*s/services/collector/ack?channel=%s",
             (int)(path ? (size_t)(path - sink->url) : strlen(sink->url)), sink->url,
             sink->channel);
    mrl_http__post(sink->http, &request, ret_answer);
}

/* Before anything is sent: without acknowledgement each try would be stored, and none would count.
 * Returns whether to go on; else all is judged. */
static bool has_acks(struct mrl_sink *sink,
                     const struct mrl_items *items,
                     struct mrl_delivery *delivery)
{
    struct mrl_http_answer answer;
    struct mrl_hec_answer said;

    if (sink->options->no_acks || sink->has_acks)
        return true;
    ask(sink, items, 0, &answer);
    if (answer.result == CURLE_OK && !mrl_hec__read(answer.body, answer.size, &said) &&
        said.code == DISABLED) {
        mrl_http_sink__judge_as(items, MRL_HTTP_MISCONFIGURED,
                                "the token has no acknowledgement: enable it, or say no-acks",
                                delivery);
        return false;
    }
    sink->has_acks = mrl_http_sink__judge(sink, items, &answer, delivery);
    return sink->has_acks;
}

static bool is_stopped(const struct mrl_items *items)
{
    return items->stop && __atomic_load_n(items->stop, __ATOMIC_RELAXED);
}

static void await_ack(struct mrl_sink *sink,
                      const struct mrl_items *items,
                      long long ack,
                      struct mrl_delivery *delivery)
{
    unsigned int step = POLL_MS, waited = 0;
    struct mrl_http_answer answer;

    do {
        ask(sink, items, ack, &answer);
        if (answer.result == CURLE_OK && mrl_hec__is_acked(answer.body, answer.size, ack)) {
            mrl_http_sink__take_all(items, delivery);
            return;
        }
        for (unsigned int i = 0; i < step && !is_stopped(items); i += POLL_MS)
            usleep(POLL_MS * 1000);
        waited += step;
        step = step * 2 < POLL_MAX_MS ? step * 2 : POLL_MAX_MS;
    } while (waited < ACK_MAX_MS && !is_stopped(items));
    mrl_http_sink__judge_as(items, MRL_HTTP_AGAIN, "it was not acknowledged in time", delivery);
}

/* -- answers ---------------------------------------------------------------------------------- */

static enum mrl_http_meaning meaning_of(long code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (code >= codes[i].from && code <= codes[i].to)
            return codes[i].meaning;
    return MRL_HTTP_AGAIN;
}

/* It may say which one spoils the rest, of which nothing is stored. */
static void judge_code(struct mrl_sink *sink,
                       const struct mrl_items *items,
                       const struct mrl_hec_answer *said,
                       struct mrl_delivery *delivery)
{
    char line[200], text[200];

    snprintf(line, sizeof(line), "code %ld: %.150s", said->code,
             mrl_http__quote(sink->http, said->text, strlen(said->text), text));
    if (meaning_of(said->code) == MRL_HTTP_HALVE && said->wrong >= 0 &&
        (unsigned long long)said->wrong < items->count) {
        mrl_http_sink__judge_as(items, MRL_HTTP_AGAIN, "another one of the request was refused",
                                delivery);
        mrl_delivery__judge(delivery, (size_t)said->wrong, MRL_VERDICT_REFUSED, "%s", line);
        return;
    }
    mrl_http_sink__judge_as(items, meaning_of(said->code), line, delivery);
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    char channel[80];
    const char *headers[] = { channel, NULL };
    struct mrl_http_answer answer;
    struct mrl_hec_answer said;
    struct utsname host;

    if (!has_acks(sink, items, delivery))
        return;
    uname(&host);
    for (size_t i = 0; i < items->count; i++)
        put(sink, &items->items[i], host.nodename);
    snprintf(channel, sizeof(channel), "X-Splunk-Request-Channel: %s", sink->channel);
    mrl_http_sink__post(sink, items, "application/json", headers, !sink->options->is_plain,
                        &answer);
    if (answer.result == CURLE_OK && !mrl_hec__read(answer.body, answer.size, &said) && said.code) {
        delivery->wait_ms = answer.wait_ms;
        judge_code(sink, items, &said, delivery);
    } else if (!mrl_http_sink__judge(sink, items, &answer, delivery)) {
        return;
    } else if (mrl_hec__read(answer.body, answer.size, &said) ||
               (!sink->options->no_acks && said.ack < 0)) {
        mrl_http_sink__doubt(sink, items, &answer, delivery);
    } else if (sink->options->no_acks) {
        mrl_http_sink__take_all(items, delivery);
    } else {
        await_ack(sink, items, said.ack, delivery);
    }
}

const struct mrl_http_destination mrl_http_splunk = {
    .row = &mrl_sink_splunk,
    .authorization = "Splunk ",
    .path = "/services/collector/event",
    .begin = begin,
    .deliver = deliver,
};
