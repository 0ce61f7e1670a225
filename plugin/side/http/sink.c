// SPDX-License-Identifier: Apache-2.0
#include "side/http/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct mrl_http_destination *const destinations[] = {
    &mrl_http_elasticsearch,
    &mrl_http_otlp,
    &mrl_http_webhook,
    &mrl_http_victorialogs,
    &mrl_http_loki,
    &mrl_http_splunk,
    NULL,
};

static const struct mrl_http_destination *find(const char *name)
{
    const struct mrl_http_destination *const *at = destinations;

    while (*at && strcmp((*at)->row->name, name) != 0)
        at++;
    return *at;
}

/* gRPC is HTTP; and where the URL ends in its host, the destination's own path stands behind it. */
static void set_url(struct mrl_sink *sink, const char *destination)
{
    const char *rest = strstr(destination, "://");
    const char *path = strchr(rest + 3, '/');
    bool has_path = path && path[1];

    sink->is_grpc = !strncmp(destination, "grpc", 4);
    sink->is_tls = rest[-1] == 's';
    snprintf(sink->url, sizeof(sink->url), "http%s%.*s%s", sink->is_tls ? "s" : "",
             (int)(has_path || !path ? strlen(rest) : (size_t)(path - rest)), rest,
             has_path || !sink->destination->path ? "" : sink->destination->path);
}

static int http_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int fd = target->fds ? target->fds[0] : -1;
    int err = sink ? 0 : mrl_error__set(error, -ENOMEM, "out of memory");

    if (!err)
        sink->destination = find(target->ops->name);
    if (!err && !sink->destination)
        err = mrl_error__set(error, -EINVAL, "no destination '%.32s' here", target->ops->name);
    if (!err)
        err = target->ops->check(target, error);
    if (!err) {
        sink->options = target->options;
        snprintf(sink->format, sizeof(sink->format), "%s", target->format);
        set_url(sink, target->destination);
        err = mrl_http__new(target->destination, sink->options, sink->destination->authorization,
                            fd, error, &sink->http);
    }
    if (!err && sink->destination->begin)
        err = sink->destination->begin(sink, error);
    if (fd >= 0)
        close(fd);
    if (err && sink) {
        mrl_http__free(sink->http);
        free(sink);
    }
    if (!err)
        *ret_sink = sink;
    return err;
}

static void http_deliver(struct mrl_sink *sink,
                         const struct mrl_items *items,
                         struct mrl_delivery *ret_delivery)
{
    mrl_body__empty(&sink->body);
    sink->destination->deliver(sink, items, ret_delivery);
}

static int http_look(struct mrl_sink *sink, const int *stop, struct mrl_error *error)
{
    return mrl_http__look(sink->http, sink->url, stop, error);
}

static int http_close(struct mrl_sink *sink)
{
    mrl_http__free(sink->http);
    mrl_body__done(&sink->body);
    mrl_body__done(&sink->resource);
    free(sink);
    return 0;
}

static int http_reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    return mrl_http__take_files(sink->http, fds[0], error);
}

static const struct mrl_sink_ops *row(const char *name)
{
    static struct mrl_sink_ops ops; /* one output, one program */
    const struct mrl_http_destination *found = find(name);

    if (!found)
        return NULL;
    ops = *found->row;
    ops.open = http_open;
    ops.deliver = http_deliver;
    ops.look = http_look;
    ops.close = http_close;
    return &ops;
}

const struct mrl_ship_program mrl_http_program = { row, http_reopen };

size_t mrl_http_item__size(const struct mrl_item *item)
{
    return item->size && item->bytes[item->size - 1] == '\n' ? item->size - 1 : item->size;
}

void mrl_http_sink__post(struct mrl_sink *sink,
                         const struct mrl_items *items,
                         const char *content_type,
                         const char *const *headers,
                         bool is_compressed,
                         struct mrl_http_answer *ret_answer)
{
    const struct mrl_http_request request = { .url = sink->url,
                                              .content_type = content_type,
                                              .headers = headers,
                                              .body = &sink->body,
                                              .is_compressed = is_compressed,
                                              .stop = items->stop };

    mrl_http__post(sink->http, &request, ret_answer);
}
