// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/client/channel.h"

#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/grpc/common/pem.h"
#include "side/grpc/common/verbs.h"
#include "sinks/listen/address.h"

enum {
    STOP_LOOK_MS = 100,
    MESSAGE_BYTES = 1024 * 1024,
    /* What servers of grpc-go allow without being told more; a host that is gone is noticed. */
    KEEPALIVE_MS = 301 * 1000,
    KEEPALIVE_TIMEOUT_MS = 20 * 1000,
};

struct mrl_channel {
    grpc_channel *core;
    const int *stop;
};

/* -- channels --------------------------------------------------------------------------------- */

/* NULL with a line: a file is not what it should be. */
static grpc_channel_credentials *make_tls(const struct mrl_grpc_peer *peer, struct mrl_error *error)
{
    const struct mrl_pem_files files = { { peer->cert, -1 }, { peer->key, -1 }, { peer->ca, -1 } };
    grpc_channel_credentials *credentials;
    grpc_ssl_pem_key_cert_pair pair;
    struct mrl_pem pem;

    if (mrl_pem__read(&files, &pem, error))
        return NULL;
    pair = (grpc_ssl_pem_key_cert_pair){ pem.key, pem.cert };
    credentials = grpc_ssl_credentials_create(pem.ca, pem.cert ? &pair : NULL, NULL, NULL);
    mrl_pem__free(&pem);
    return credentials;
}

/* As core names it. */
static int name_target(const char *server, char target[256], struct mrl_error *error)
{
    struct sockaddr_un local;
    char host[256];
    int err = 0;

    if (!strncmp(server, "unix:", 5)) {
        if (!server[5] || strlen(server + 5) >= sizeof(local.sun_path))
            return mrl_error__set(error, -EINVAL, "unix:%.100s: a path of 1 to %zu bytes",
                                  server + 5, sizeof(local.sun_path) - 1);
        snprintf(target, 256, "%s", server);
    } else if (!strncmp(server, "tcp:", 4)) {
        const char *port;

        err = mrl_address__split(server + 4, host, &port, error);
        if (!err)
            snprintf(target, 256, "dns:%.240s", server + 4);
    } else {
        err = mrl_error__set(error, -EINVAL, "'%.100s': it is unix:PATH or tcp:HOST:PORT", server);
    }
    return err;
}

int mrl_channel__new(const struct mrl_grpc_peer *peer,
                     struct mrl_error *error,
                     struct mrl_channel **ret_channel)
{
    grpc_arg rows[] = {
        { .type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY },
        { .type = GRPC_ARG_INTEGER,
          .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
          .value.integer = MESSAGE_BYTES },
        { .type = GRPC_ARG_INTEGER,
          .key = (char *)GRPC_ARG_KEEPALIVE_TIME_MS,
          .value.integer = KEEPALIVE_MS },
        { .type = GRPC_ARG_INTEGER,
          .key = (char *)GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
          .value.integer = KEEPALIVE_TIMEOUT_MS },
        { .type = GRPC_ARG_INTEGER,
          .key = (char *)GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA,
          .value.integer = 0 },
    };
    grpc_channel_args arguments = { sizeof(rows) / sizeof(rows[0]), rows };
    grpc_channel_credentials *credentials;
    struct mrl_channel *channel;
    char target[256];
    int err = name_target(peer->server, target, error);

    if (err)
        return err;
    credentials = peer->ca ? make_tls(peer, error) : grpc_insecure_credentials_create();
    if (!credentials)
        return -EBADMSG;
    channel = calloc(1, sizeof(*channel));
    if (channel) {
        channel->stop = peer->stop;
        channel->core = grpc_channel_create(target, credentials, &arguments);
    }
    grpc_channel_credentials_release(credentials);
    if (!channel)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    *ret_channel = channel;
    return 0;
}

void mrl_channel__free(struct mrl_channel *channel)
{
    if (!channel)
        return;
    grpc_channel_destroy(channel->core);
    free(channel);
}

/* -- calls ------------------------------------------------------------------------------------ */

enum tag { TAG_SENT, TAG_HEADERS, TAG_MESSAGE, TAG_STATUS };

/* A call that is under way, and what core writes to. */
struct flight {
    struct mrl_channel *channel;
    struct mrl_client_call *call;
    grpc_call *core;
    grpc_completion_queue *queue;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *message;
    grpc_slice details;
    unsigned int pending;
};

/* Two batches of a call never carry one tag at a time. */
static void start(struct flight *flight, const grpc_op *ops, size_t count, enum tag tag)
{
    if (grpc_call_start_batch(flight->core, ops, count, (void *)(uintptr_t)tag, NULL) ==
        GRPC_CALL_OK)
        flight->pending++;
}

static void receive(struct flight *flight)
{
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

    op.data.recv_message.recv_message = &flight->message;
    start(flight, &op, 1, TAG_MESSAGE);
}

static void begin(struct flight *flight)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)flight->call->request,
                                                     flight->call->request_size);
    grpc_byte_buffer *request = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op send[3] = { { .op = GRPC_OP_SEND_INITIAL_METADATA },
                        { .op = GRPC_OP_SEND_MESSAGE },
                        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT } };
    grpc_op initial = { .op = GRPC_OP_RECV_INITIAL_METADATA };
    grpc_op status = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

    send[1].data.send_message.send_message = request;
    initial.data.recv_initial_metadata.recv_initial_metadata = &flight->initial;
    status.data.recv_status_on_client.trailing_metadata = &flight->trailing;
    status.data.recv_status_on_client.status = &flight->call->status;
    status.data.recv_status_on_client.status_details = &flight->details;
    start(flight, &status, 1, TAG_STATUS);
    start(flight, &initial, 1, TAG_HEADERS);
    start(flight, send, 3, TAG_SENT);
    receive(flight);
    grpc_byte_buffer_destroy(request);
    grpc_slice_unref(slice);
}

static void give_up(struct flight *flight, int why)
{
    if (!flight->call->taken)
        flight->call->taken = why;
    grpc_call_cancel(flight->core, NULL);
}

/* A connection has the request: the server may send its headers no sooner than its first message.
 * Core says that a request was sent also where there was no server. */
static void on_sent(struct flight *flight)
{
    if (grpc_channel_check_connectivity_state(flight->channel->core, 0) != GRPC_CHANNEL_READY)
        return;
    flight->call->connected = true;
    if (flight->call->begun)
        flight->call->begun(flight->call->context);
}

static void on_message(struct flight *flight)
{
    grpc_byte_buffer_reader reader;
    grpc_slice all;
    int err;

    if (!flight->message)
        return; /* there are no more */
    if (flight->call->taken || !grpc_byte_buffer_reader_init(&reader, flight->message))
        return;
    all = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    flight->call->connected = true;
    err = flight->call->take(flight->call->context, GRPC_SLICE_START_PTR(all),
                             GRPC_SLICE_LENGTH(all));
    grpc_slice_unref(all);
    grpc_byte_buffer_destroy(flight->message);
    flight->message = NULL;
    if (err)
        give_up(flight, err);
    else
        receive(flight);
}

static void look_for_stop(struct flight *flight)
{
    if (flight->channel->stop && __atomic_load_n(flight->channel->stop, __ATOMIC_RELAXED))
        give_up(flight, -ECANCELED);
}

static void run(struct flight *flight)
{
    while (flight->pending) {
        grpc_event event = grpc_completion_queue_next(
            flight->queue,
            gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                         gpr_time_from_millis(STOP_LOOK_MS, GPR_TIMESPAN)),
            NULL);

        look_for_stop(flight);
        if (event.type != GRPC_OP_COMPLETE)
            continue;
        flight->pending--;
        if ((uintptr_t)event.tag == TAG_SENT && event.success)
            on_sent(flight);
        if ((uintptr_t)event.tag == TAG_MESSAGE && event.success)
            on_message(flight);
    }
}

static gpr_timespec deadline_of(const struct mrl_client_call *call)
{
    if (!call->timeout_ms)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(call->timeout_ms, GPR_TIMESPAN));
}

/* What core says of a server that is not there has the reason behind its last colon. */
static void say_plainly(struct mrl_client_call *call)
{
    static const char lead[] = "failed to connect to all addresses";
    const char *colon = strrchr(call->text, ':');
    static const int reasons[] = { ECONNREFUSED, ENOENT, EACCES };

    if (strncmp(call->text, lead, sizeof(lead) - 1) != 0 || !colon)
        return;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (colon[1] && !strcmp(colon + 2, strerror(reasons[i]))) {
            snprintf(call->text, sizeof(call->text),
                     reasons[i] == EACCES
                         ? "the socket does not let this user in: %s"
                         : "no server is there: %s (a run serves there with --output grpc:ADDRESS)",
                     strerror(reasons[i]));
            return;
        }
}

void mrl_channel__call(struct mrl_channel *channel, struct mrl_client_call *call)
{
    struct flight flight = { .channel = channel,
                             .call = call,
                             .queue = grpc_completion_queue_create_for_next(NULL),
                             .details = grpc_empty_slice() };
    grpc_slice path = grpc_slice_from_copied_string(call->path);
    size_t size;

    flight.core = grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS,
                                           flight.queue, path, NULL, deadline_of(call), NULL);
    grpc_slice_unref(path);
    grpc_metadata_array_init(&flight.initial);
    grpc_metadata_array_init(&flight.trailing);
    call->status = GRPC_STATUS_UNKNOWN;
    begin(&flight);
    run(&flight);
    size = GRPC_SLICE_LENGTH(flight.details);
    snprintf(call->text, sizeof(call->text), "%.*s", (int)(size < 255 ? size : 255),
             (const char *)GRPC_SLICE_START_PTR(flight.details));
    say_plainly(call);
    grpc_slice_unref(flight.details);
    grpc_byte_buffer_destroy(flight.message);
    grpc_metadata_array_destroy(&flight.initial);
    grpc_metadata_array_destroy(&flight.trailing);
    grpc_call_unref(flight.core);
    grpc_completion_queue_shutdown(flight.queue);
    while (
        grpc_completion_queue_next(flight.queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
        GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(flight.queue);
}
