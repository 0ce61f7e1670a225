// SPDX-License-Identifier: Apache-2.0
/*
 * VictoriaLogs: lines of JSON. It says 200 whatever it does with them, so that what it would drop
 * without a word is refused here.
 */
#include <stdio.h>
#include <string.h>

#include "side/http/sink.h"

/* VictoriaLogs drops lines that are longer. */
enum { LINE_MAX_BYTES = 256 * 1024 };

/* Where a shape has what VictoriaLogs wants to know. The first that fits. */
static const struct {
    const char *format, *query;
} shapes[] = {
    { "ecs", "?_time_field=@timestamp&_msg_field=message&_stream_fields=host.name,event.dataset" },
    { "ocsf", "?_time_field=time&_msg_field=message&_stream_fields=device.hostname,class_uid" },
    { "json-v1beta1", "?_time_field=timestamp&_msg_field=name&_stream_fields=name" },
    { "json", "?_time_field=timestamp&_msg_field=eventName&_stream_fields=hostName,eventName" },
};

static int begin(struct mrl_sink *sink, struct mrl_error *error)
{
    size_t size = strlen(sink->url);

    (void)error;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (strncmp(sink->format, shapes[i].format, strlen(shapes[i].format)) != 0)
            continue;
        snprintf(sink->url + size, sizeof(sink->url) - size, "%s", shapes[i].query);
        break;
    }
    return 0;
}

static void refuse_long(const struct mrl_items *items, struct mrl_delivery *delivery)
{
    for (size_t i = 0; i < items->count; i++)
        if (mrl_http_item__size(&items->items[i]) > LINE_MAX_BYTES)
            mrl_delivery__judge(delivery, i, MRL_VERDICT_REFUSED,
                                "VictoriaLogs drops lines of more than %d bytes", LINE_MAX_BYTES);
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    struct mrl_http_answer answer;

    for (size_t i = 0; i < items->count; i++) {
        size_t size = mrl_http_item__size(&items->items[i]);

        if (size > LINE_MAX_BYTES)
            continue;
        mrl_body__put(&sink->body, items->items[i].bytes, size);
        mrl_body__put(&sink->body, "\n", 1);
    }
    /* With any other type it stores nothing, and says 200. */
    mrl_http_sink__post(sink, items, "application/stream+json", NULL, !sink->options->is_plain,
                        &answer);
    if (mrl_http_sink__judge(sink, items, &answer, delivery))
        mrl_http_sink__take_all(items, delivery);
    refuse_long(items, delivery);
}

const struct mrl_http_destination mrl_http_victorialogs = {
    .row = &mrl_sink_victorialogs,
    .authorization = "Bearer ",
    .path = "/insert/jsonline",
    .begin = begin,
    .deliver = deliver,
};
