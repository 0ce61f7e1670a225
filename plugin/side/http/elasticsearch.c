// SPDX-License-Identifier: Apache-2.0
/*
 * Elasticsearch and OpenSearch: _bulk. Each item is made under its id: what is there already was
 * stored by an earlier try, and counts as taken. The answer has a status for each.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "side/http/answers/bulk.h"
#include "side/http/sink.h"

static int begin(struct mrl_sink *sink, struct mrl_error *error)
{
    size_t size = strlen(sink->url);

    (void)error;
    size -= sink->url[size - 1] == '/';
    snprintf(sink->url + size, sizeof(sink->url) - size,
             "/_bulk?filter_path=errors,error.type,error.reason,items.*.status,"
             "items.*.error.type,items.*.error.reason");
    return 0;
}

static void put(struct mrl_body *body, const struct mrl_item *item)
{
    char id[MRL_EVENT_ID_BYTES], line[MRL_EVENT_ID_BYTES + 32];

    if (mrl_item__id(&item->head, id))
        snprintf(line, sizeof(line), "{\"create\":{\"_id\":\"%s\"}}\n", id);
    else
        snprintf(line, sizeof(line), "{\"create\":{}}\n");
    mrl_body__text(body, line);
    mrl_body__put(body, item->bytes, mrl_http_item__size(item));
    mrl_body__put(body, "\n", 1);
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    struct mrl_http_answer answer;

    for (size_t i = 0; i < items->count; i++)
        put(&sink->body, &items->items[i]);
    mrl_http_sink__post(sink, items, "application/x-ndjson", NULL, !sink->options->is_plain,
                        &answer);
    if (mrl_http_sink__judge(sink, items, &answer, delivery) &&
        mrl_bulk__judge(sink->http, answer.body, answer.size, items->count, delivery))
        mrl_http_sink__doubt(sink, items, &answer, delivery);
}

const struct mrl_http_destination mrl_http_elasticsearch = {
    .row = &mrl_sink_elasticsearch,
    .authorization = "ApiKey ",
    .begin = begin,
    .deliver = deliver,
};
