// SPDX-License-Identifier: Apache-2.0
/*
 * Loki: its push API. Few labels: who sends, the host, the event; all else is in the line. An item
 * that comes twice is one line there: it has the same stream, time and text.
 */
#include <mrelease/event.h>
#include <stdio.h>
#include <string.h>

#include <sys/utsname.h>

#include "side/http/sink.h"

/* The good entries of a push that it refuses are stored, so that nothing is gained by halves. */
static const struct mrl_http_status statuses[] = {
    { 400, 400, MRL_HTTP_REFUSED },
    { 0, 0, MRL_HTTP_AGAIN },
};

static void put_labels(struct mrl_body *body, unsigned int event)
{
    const char *name = event < mrl_event_def__count() ? mrl_event_def__at(event)->name : "other";
    struct utsname host;

    uname(&host);
    mrl_body__text(body, "{\"stream\":{\"job\":\"mrelease\",\"host\":");
    mrl_body__json(body, host.nodename, strlen(host.nodename));
    mrl_body__text(body, ",\"event\":");
    mrl_body__json(body, name, strlen(name));
    mrl_body__text(body, "},\"values\":[");
}

static void put_value(struct mrl_body *body, const struct mrl_item *item, bool is_first)
{
    char time[40];

    snprintf(time, sizeof(time), "%s[\"%llu\",", is_first ? "" : ",",
             (unsigned long long)item->head.time_ns);
    mrl_body__text(body, time);
    mrl_body__json(body, item->bytes, mrl_http_item__size(item));
    mrl_body__text(body, "]");
}

/* A stream for each event that there is, in the order of its items. */
static void put_streams(struct mrl_body *body, const struct mrl_items *items)
{
    bool is_first_stream = true;

    mrl_body__text(body, "{\"streams\":[");
    for (unsigned int event = 0; event <= mrl_event_def__count(); event++) {
        bool is_first = true;

        for (size_t i = 0; i < items->count; i++) {
            unsigned int of = items->items[i].head.event;

            if ((of < mrl_event_def__count() ? of : mrl_event_def__count()) != event)
                continue;
            if (is_first) {
                mrl_body__text(body, is_first_stream ? "" : ",");
                put_labels(body, event);
            }
            put_value(body, &items->items[i], is_first);
            is_first = is_first_stream = false;
        }
        mrl_body__text(body, is_first ? "" : "]}");
    }
    mrl_body__text(body, "]}");
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    char tenant[96];
    const char *headers[] = { *sink->options->tenant ? tenant : NULL, NULL };
    struct mrl_http_answer answer;

    snprintf(tenant, sizeof(tenant), "X-Scope-OrgID: %s", sink->options->tenant);
    put_streams(&sink->body, items);
    mrl_http_sink__post(sink, items, "application/json", headers, !sink->options->is_plain,
                        &answer);
    if (mrl_http_sink__judge(sink, items, &answer, delivery))
        mrl_http_sink__take_all(items, delivery);
}

const struct mrl_http_destination mrl_http_loki = {
    .row = &mrl_sink_loki,
    .authorization = "Bearer ",
    .path = "/loki/api/v1/push",
    .statuses = statuses,
    .deliver = deliver,
};
