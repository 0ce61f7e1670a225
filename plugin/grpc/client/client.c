// SPDX-License-Identifier: Apache-2.0
/* What clients do: calls, and the verbs metrics and health. */
#include "grpc/client/client.h"

#include <errno.h>
#include <grpc/health/v1/health.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>

#include "grpc/client/received.h"

/* -- what all have in common ------------------------------------------------------------------ */

static uint8_t *pack(const ProtobufCMessage *message, size_t *ret_size)
{
    uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);

    *ret_size = bytes ? protobuf_c_message_pack(message, bytes) : 0;
    return bytes;
}

/* Calls with this request; a status that is not OK is an error. */
int mrl_client__call(const struct mrl_grpc_peer *peer,
                     const ProtobufCMessage *request,
                     struct mrl_client_call *call,
                     struct mrl_error *error)
{
    struct mrl_channel *channel;
    int err = mrl_channel__new(peer, error, &channel);
    uint8_t *bytes;

    if (err)
        return err;
    bytes = pack(request, &call->request_size);
    call->request = bytes;
    if (bytes)
        mrl_channel__call(channel, call);
    mrl_channel__free(channel);
    free(bytes);
    if (!bytes)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    if (call->taken || call->status == GRPC_STATUS_OK)
        return call->taken;
    return mrl_error__set(error, call->connected ? -EPROTO : -ECONNREFUSED, "%.128s: %.256s",
                          peer->server, *call->text ? call->text : "no answer");
}

int mrl_client__print(const char *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stdout) == size ? 0 : -EPIPE;
}

int mrl_client__print_json(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int err = text ? mrl_client__print(text, strlen(text)) : -ENOMEM;

    free(text);
    return !err && putchar('\n') == EOF ? -EPIPE : err;
}

static const char *word_of(int err)
{
    return err == -EPIPE    ? "standard output takes nothing"
           : err == -EPROTO ? "the server sent what is no answer"
                            : strerror(-err);
}

/* What take() said is an error becomes one. */
int mrl_client__finish(int err, struct mrl_error *error)
{
    if (!err && fflush(stdout))
        err = -EPIPE;
    if (err == -ENOMEM || err == -EPIPE || (err == -EPROTO && !*error->text))
        mrl_error__set(error, err, "%s", word_of(err));
    return err;
}

/* -- metrics ---------------------------------------------------------------------------------- */

struct metrics {
    bool json;
};

static uint64_t number_at(const ProtobufCMessage *metrics, const ProtobufCFieldDescriptor *field)
{
    uint64_t number;

    memcpy(&number, (const char *)metrics + field->offset, sizeof(number));
    return number;
}

/* Zeros too, and as numbers: counters stay below 2^53. */
static json_t *json_of_metrics(const ProtobufCMessage *metrics)
{
    json_t *json = mrl_received__json(metrics);

    for (unsigned int i = 0; i < metrics->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &metrics->descriptor->fields[i];

        if (field->type == PROTOBUF_C_TYPE_UINT64)
            json_object_set_new(json, field->name,
                                json_integer((json_int_t)number_at(metrics, field)));
    }
    return json;
}

static void print_table(const ProtobufCMessage *metrics)
{
    const Tracee__V1beta1__GetMetricsResponse *all =
        (const Tracee__V1beta1__GetMetricsResponse *)metrics;

    for (unsigned int i = 0; i < metrics->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &metrics->descriptor->fields[i];

        if (field->type == PROTOBUF_C_TYPE_UINT64)
            printf("%-18s %llu\n", field->name, (unsigned long long)number_at(metrics, field));
    }
    for (size_t i = 0; i < all->n_bpfeventstats; i++)
        printf("%-18s %llu attempts, %llu failures\n", all->bpfeventstats[i]->name,
               (unsigned long long)all->bpfeventstats[i]->attempts,
               (unsigned long long)all->bpfeventstats[i]->failures);
}

static int take_metrics(void *context, const uint8_t *bytes, size_t size)
{
    const struct metrics *metrics = context;
    ProtobufCMessage *response =
        mrl_received__unpack(&tracee__v1beta1__get_metrics_response__descriptor, bytes, size);
    int err = response ? 0 : -EPROTO;

    if (response && metrics->json) {
        json_t *json = json_of_metrics(response);

        err = mrl_client__print_json(json);
        json_decref(json);
    } else if (response) {
        print_table(response);
    }
    if (response)
        protobuf_c_message_free_unpacked(response, NULL);
    return err;
}

static int metrics(const struct mrl_grpc_peer *peer, bool json, struct mrl_error *error)
{
    Tracee__V1beta1__GetMetricsRequest request = TRACEE__V1BETA1__GET_METRICS_REQUEST__INIT;
    struct metrics how = { json };
    struct mrl_client_call get = { .path = "/tracee.v1beta1.DiagnosticService/GetMetrics",
                                   .timeout_ms = peer->timeout_ms,
                                   .take = take_metrics,
                                   .context = &how };

    return mrl_client__finish(mrl_client__call(peer, &request.base, &get, error), error);
}

/* -- health ----------------------------------------------------------------------------------- */

static int take_health(void *context, const uint8_t *bytes, size_t size)
{
    Grpc__Health__V1__HealthCheckResponse *response =
        (Grpc__Health__V1__HealthCheckResponse *)mrl_received__unpack(
            &grpc__health__v1__health_check_response__descriptor, bytes, size);
    const ProtobufCEnumValue *word;
    bool *serves = context;

    if (!response)
        return -EPROTO;
    word = protobuf_c_enum_descriptor_get_value(
        &grpc__health__v1__health_check_response__serving_status__descriptor,
        (int)response->status);
    *serves = response->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    puts(word ? word->name : "UNKNOWN");
    grpc__health__v1__health_check_response__free_unpacked(response, NULL);
    return fflush(stdout) ? -EPIPE : 0;
}

static int health(const struct mrl_grpc_peer *peer,
                  const char *service,
                  bool watches,
                  bool *ret_serves,
                  struct mrl_error *error)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct mrl_client_call ask = { .path = watches ? "/grpc.health.v1.Health/Watch"
                                                   : "/grpc.health.v1.Health/Check",
                                   .timeout_ms = watches ? 0 : peer->timeout_ms,
                                   .take = take_health,
                                   .context = ret_serves };
    int err;

    request.service = (char *)(uintptr_t)service;
    err = mrl_client__call(peer, &request.base, &ask, error);
    return mrl_client__finish(err == -ECANCELED ? 0 : err, error);
}

const struct mrl_grpc_client mrl_client = { mrl_client__stream, metrics, health };
