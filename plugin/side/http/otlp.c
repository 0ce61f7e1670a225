// SPDX-License-Identifier: Apache-2.0
/*
 * OpenTelemetry's logs. An item is one LogRecord, encoded already; a request is what all have in
 * common, and the items behind it. gRPC is one call: HTTP/2, five bytes before the message, and a
 * status in the trailers.
 */
#include <arpa/inet.h>
#include <mrelease/mrelease.h>
#include <openssl/evp.h>
#include <otlp.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/http/answers/otlp_answer.h"
#include "side/http/sink.h"
#include "side/ship/rights.h"

#define GRPC_PATH "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

/* What OTLP has of its own: only these may be sent again, and nothing else is of an item. */
static const struct mrl_http_status statuses[] = {
    { 500, 501, MRL_HTTP_MISCONFIGURED },
    { 505, 599, MRL_HTTP_MISCONFIGURED },
    { 0, 0, MRL_HTTP_AGAIN },
};

/* A status of gRPC. 8 says again only where it says when. */
static const enum mrl_http_meaning codes[] = {
    MRL_HTTP_READ,          /* 0 ok */
    MRL_HTTP_AGAIN,         /* 1 cancelled */
    MRL_HTTP_HALVE,         /* 2 unknown */
    MRL_HTTP_HALVE,         /* 3 invalid argument */
    MRL_HTTP_AGAIN,         /* 4 deadline exceeded */
    MRL_HTTP_MISCONFIGURED, /* 5 not found */
    MRL_HTTP_HALVE,         /* 6 already exists */
    MRL_HTTP_MISCONFIGURED, /* 7 permission denied */
    MRL_HTTP_HALVE,         /* 8 resource exhausted: too large, or else with RetryInfo */
    MRL_HTTP_HALVE,         /* 9 failed precondition */
    MRL_HTTP_AGAIN,         /* 10 aborted */
    MRL_HTTP_AGAIN,         /* 11 out of range */
    MRL_HTTP_MISCONFIGURED, /* 12 unimplemented */
    MRL_HTTP_MISCONFIGURED, /* 13 internal */
    MRL_HTTP_AGAIN,         /* 14 unavailable */
    MRL_HTTP_AGAIN,         /* 15 data loss */
    MRL_HTTP_MISCONFIGURED, /* 16 unauthenticated */
};

/* -- requests --------------------------------------------------------------------------------- */

struct body_buffer {
    ProtobufCBuffer base;
    struct mrl_body *body;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
    mrl_body__put(((struct body_buffer *)buffer)->body, bytes, size);
}

static void put_message(struct mrl_body *body, const ProtobufCMessage *message)
{
    struct body_buffer buffer = { { append }, body };

    protobuf_c_message_pack_to_buffer(message, &buffer.base);
}

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed; /* which protobuf-c only reads */
}

static const char *machine(const char *word)
{
    return !strcmp(word, "x86_64") ? "amd64" : !strcmp(word, "aarch64") ? "arm64" : word;
}

/* The host that sends, which is where the events are from. What is not known of it is left out. */
static void put_resource(struct mrl_sink *sink)
{
    const struct mrl_host_identity *host = mrl_ship__host();
    const struct {
        const char *key, *value;
    } attributes[] = {
        { "service.name", "mrelease" },
        { "service.version", mrl_version() },
        { "host.name", host->name },
        { "host.id", host->machine_id },
        { "host.arch", machine(host->architecture) },
        { "os.type", "linux" },
        { "os.name", host->os_name },
        { "os.version", host->os_version },
        { "mrelease.kernel", host->kernel },
        { "mrelease.boot_id", host->boot_id },
    };
    enum { COUNT = sizeof(attributes) / sizeof(attributes[0]) };
    Otlp__AnyValue values[COUNT];
    Otlp__KeyValue pairs[COUNT], *list[COUNT];
    Otlp__Resource resource = OTLP__RESOURCE__INIT;

    resource.attributes = list;
    for (size_t i = 0; i < COUNT; i++) {
        if (!*attributes[i].value)
            continue;
        otlp__any_value__init(&values[i]);
        values[i].string_value = text(attributes[i].value);
        otlp__key_value__init(&pairs[i]);
        pairs[i].key = text(attributes[i].key);
        pairs[i].value = &values[i];
        list[resource.n_attributes++] = &pairs[i];
    }
    put_message(&sink->resource, &resource.base);
}

/* What gRPC is beside HTTP is set once. */
static int begin(struct mrl_sink *sink, struct mrl_error *error)
{
    char *path = strstr(sink->url, "://") + 3;

    (void)error;
    put_resource(sink);
    if (!sink->is_grpc)
        return 0;
    path += strcspn(path, "/");
    snprintf(path, sizeof(sink->url) - (size_t)(path - sink->url), "%s", GRPC_PATH);
    curl_easy_setopt(
        mrl_http__curl(sink->http), CURLOPT_HTTP_VERSION,
        (long)(sink->is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
    /* libcurl 7.88 breaks off the second request of a plain connection. */
    curl_easy_setopt(mrl_http__curl(sink->http), CURLOPT_FORBID_REUSE, sink->is_tls ? 0L : 1L);
    return 0;
}

/* The request in the sink's body; gRPC has five bytes before it. */
static void put_request(struct mrl_sink *sink, const struct mrl_items *items)
{
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
    Otlp__ScopeLogs logs = OTLP__SCOPE_LOGS__INIT, *scopes[] = { &logs };
    Otlp__ResourceLogs of_host = OTLP__RESOURCE_LOGS__INIT, *resources[] = { &of_host };
    Otlp__ExportLogsServiceRequest request = OTLP__EXPORT_LOGS_SERVICE_REQUEST__INIT;
    const size_t head = sink->is_grpc ? 5 : 0;
    uint32_t size;

    scope.name = text("mrelease");
    logs.scope = &scope;
    logs.n_log_records = items->count;
    logs.log_records = calloc(items->count, sizeof(*logs.log_records));
    sink->body.failed |= !logs.log_records || sink->resource.failed;
    if (!logs.log_records)
        return;
    for (size_t i = 0; i < items->count; i++)
        logs.log_records[i] =
            (ProtobufCBinaryData){ items->items[i].size, (uint8_t *)text(items->items[i].bytes) };
    of_host.resource =
        (ProtobufCBinaryData){ sink->resource.size, (uint8_t *)sink->resource.bytes };
    of_host.scope_logs = scopes;
    of_host.n_scope_logs = request.n_resource_logs = 1;
    request.resource_logs = resources;
    mrl_body__put(&sink->body, "\0\0\0\0", head);
    put_message(&sink->body, &request.base);
    free(logs.log_records);
    if (sink->is_grpc && !sink->body.failed) {
        size = htonl((uint32_t)(sink->body.size - head));
        memcpy(sink->body.bytes + 1, &size, sizeof(size));
    }
}

/* -- answers ---------------------------------------------------------------------------------- */

/* It says how many were refused, not which, and that none may be sent again. */
static void judge_answer(struct mrl_sink *sink,
                         const struct mrl_items *items,
                         const struct mrl_http_answer *http,
                         const char *bytes,
                         size_t size,
                         struct mrl_delivery *delivery)
{
    struct mrl_otlp_answer answer;
    size_t refused;
    char text[200];

    if (mrl_otlp__read_answer(bytes, size, &answer)) {
        mrl_http_sink__doubt(sink, items, http, delivery);
        return;
    }
    refused = answer.rejected < items->count ? (size_t)answer.rejected : items->count;
    mrl_http_sink__take_all(items, delivery);
    if (refused)
        mrl_delivery__judge_all(
            delivery, items->count - refused, refused, MRL_VERDICT_REFUSED,
            "%zu of %zu were refused, and which ones is not said: %s", refused, items->count,
            mrl_http__quote(sink->http, answer.text, strlen(answer.text), text));
}

/* A header or a trailer of the last answer; NULL: there is none. */
static const char *trailer(struct mrl_sink *sink, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(mrl_http__curl(sink->http), name, 0, CURLH_TRAILER, -1, &header) &&
                   curl_easy_header(mrl_http__curl(sink->http), name, 0, CURLH_HEADER, -1, &header)
               ? NULL
               : header->value;
}

/* RetryInfo of grpc-status-details-bin, which is base64 with or without its padding. */
static bool find_retry(struct mrl_sink *sink, uint32_t *ret_ms)
{
    const char *text = trailer(sink, "grpc-status-details-bin");
    unsigned char digits[4096], bytes[4096];
    size_t size = text ? strcspn(text, "=") : 0;
    int all;

    if (!size || size + 4 > sizeof(digits))
        return false;
    memcpy(digits, text, size);
    memset(digits + size, '=', 3);
    all = EVP_DecodeBlock(bytes, digits, (int)((size + 3) / 4 * 4));
    return all > 0 && mrl_otlp__read_retry(bytes, (size_t)all - (4 - size % 4) % 4, ret_ms);
}

static void judge_grpc(struct mrl_sink *sink,
                       const struct mrl_items *items,
                       const struct mrl_http_answer *answer,
                       struct mrl_delivery *delivery)
{
    const char *word = trailer(sink, "grpc-status"), *said = trailer(sink, "grpc-message");
    char *end;
    unsigned long code = word ? strtoul(word, &end, 10) : 0;
    char line[300], text[200];
    enum mrl_http_meaning meaning;

    if (!word || !*word || *end || code >= sizeof(codes) / sizeof(codes[0])) {
        mrl_http_sink__doubt(sink, items, answer, delivery);
        return;
    }
    meaning = codes[code];
    if (find_retry(sink, &delivery->wait_ms) && code == 8)
        meaning = MRL_HTTP_AGAIN;
    if (meaning == MRL_HTTP_READ) {
        if (answer->size < 5 || *answer->body)
            mrl_http_sink__doubt(sink, items, answer, delivery);
        else
            judge_answer(sink, items, answer, answer->body + 5, answer->size - 5, delivery);
        return;
    }
    said = said ? said : "";
    snprintf(line, sizeof(line), "gRPC status %lu: %s", code,
             mrl_http__quote(sink->http, said, strlen(said), text));
    mrl_http_sink__judge_as(items, meaning, line, delivery);
}

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    static const char *const grpc_headers[] = { "TE: trailers", NULL };
    struct mrl_http_answer answer;

    put_request(sink, items);
    if (sink->is_grpc)
        mrl_http_sink__post(sink, items, "application/grpc", grpc_headers, false, &answer);
    else
        mrl_http_sink__post(sink, items, "application/x-protobuf", NULL, !sink->options->is_plain,
                            &answer);
    /* A message that is too large for gRPC: the server resets the stream. */
    if (sink->is_grpc && answer.result == CURLE_HTTP2_STREAM && items->count > 1)
        mrl_http_sink__judge_as(items, MRL_HTTP_HALVE, "the server reset the stream", delivery);
    else if (!mrl_http_sink__judge(sink, items, &answer, delivery))
        return;
    else if (sink->is_grpc)
        judge_grpc(sink, items, &answer, delivery);
    else
        judge_answer(sink, items, &answer, answer.body, answer.size, delivery);
}

const struct mrl_http_destination mrl_http_otlp = {
    .row = &mrl_sink_otlp,
    .authorization = "Bearer ",
    .path = "/v1/logs",
    .statuses = statuses,
    .begin = begin,
    .deliver = deliver,
};
