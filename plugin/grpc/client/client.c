// SPDX-License-Identifier: Apache-2.0
#include "grpc/client/client.h"

#include <errno.h>
#include <grpc/health/v1/health.pb-c.h>
#include <stdio.h>
#include <string.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>

#include "grpc/client/answer.h"
#include "grpc/client/client_stream.h"
#include "grpc/client/received.h"

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
