// SPDX-License-Identifier: Apache-2.0
#include "grpc/client/client.h"

#include <errno.h>
#include <grpc/health/v1/health.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "grpc/client/answer.h"
#include "grpc/client/client_stream.h"
#include "grpc/client/metrics.h"
#include "grpc/client/received.h"

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

const struct mrl_grpc_client mrl_client = { mrl_client__stream, mrl_client__metrics, health };
