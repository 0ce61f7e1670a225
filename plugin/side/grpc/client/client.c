// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/client/client.h"

#include <errno.h>
#include <grpc/health/v1/health.pb-c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/grpc/client/answer.h"
#include "side/grpc/client/client_stream.h"
#include "side/grpc/client/metrics.h"
#include "side/grpc/client/received.h"
#include "side/grpc/common/program.h"

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

/* -- words ------------------------------------------------------------------------------------ */

static int stop_requested;

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&stop_requested, 1, __ATOMIC_RELAXED);
}

static void catch_signals(void)
{
    const struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* NULL: nothing was said. */
static const char *said(char **words, enum mrl_client_word word)
{
    return *words[word] ? words[word] : NULL;
}

static int stream(const struct mrl_grpc_peer *peer,
                  int count,
                  char **words,
                  struct mrl_error *error)
{
    struct mrl_grpc_subscription wanted = { .format = words[MRL_CLIENT_FORMAT],
                                            .mask = said(words, MRL_CLIENT_MASK),
                                            .count = strtoull(words[MRL_CLIENT_COUNT], NULL, 10),
                                            .waits = *words[MRL_CLIENT_FLAG] };

    for (int i = MRL_CLIENT_POLICIES; i < count; i++)
        wanted.policies[wanted.policy_count++] = words[i];
    return mrl_client__stream(peer, &wanted, error);
}

enum { WRONG_WORDS = 2 }; /* as the program's own exit status for them */

static int end(int err, const struct mrl_error *error)
{
    if (!err || err == -ECANCELED)
        return EXIT_SUCCESS;
    mrl_grpc__log(MRL_LOG_ERROR, "%s", error->text);
    return err == -EINVAL ? WRONG_WORDS : EXIT_FAILURE;
}

int mrl_client__main(int count, char **words)
{
    const bool flag = count > MRL_CLIENT_FLAG && *words[MRL_CLIENT_FLAG];
    struct mrl_grpc_peer peer = { .stop = &stop_requested };
    struct mrl_error error = { "" };
    bool serves = false;
    int status;

    if (count < MRL_CLIENT_POLICIES || count > MRL_CLIENT_WORDS_MAX)
        return WRONG_WORDS; /* nobody but 'mrelease' starts it */
    catch_signals();
    peer.server = words[MRL_CLIENT_SERVER];
    peer.ca = said(words, MRL_CLIENT_CA);
    peer.cert = said(words, MRL_CLIENT_CERT);
    peer.key = said(words, MRL_CLIENT_KEY);
    peer.timeout_ms = (int)strtol(words[MRL_CLIENT_TIMEOUT_MS], NULL, 10);
    if (!strcmp(words[MRL_CLIENT_VERB], "stream"))
        return end(stream(&peer, count, words, &error), &error);
    if (!strcmp(words[MRL_CLIENT_VERB], "metrics"))
        return end(mrl_client__metrics(&peer, words[MRL_CLIENT_FORMAT], &error), &error);
    status = end(health(&peer, words[MRL_CLIENT_SERVICE], flag, &serves, &error), &error);
    return status || serves || flag ? status : EXIT_FAILURE;
}
