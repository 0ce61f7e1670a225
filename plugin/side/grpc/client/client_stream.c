// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/client/client_stream.h"

#include <errno.h>
#include <google/protobuf/field_mask.pb-c.h>
#include <mrelease/encode.h>
#include <mrelease/sink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tracee/v1beta1/tracee.pb-c.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/terminal.h"
#include "side/grpc/client/answer.h"
#include "side/grpc/client/received.h"
#include "side/grpc/common/program.h"

enum { WAIT_FIRST_MS = 200, WAIT_MOST_MS = 5000, WAIT_STEP_MS = 50, MASK_PATHS_MAX = 256 };
enum { UNKNOWN_NAMES_MAX = 8, UNKNOWN_NAME_BYTES = 64 };

struct streaming {
    const struct mrl_grpc_peer *peer;
    const struct mrl_grpc_subscription *wanted;
    struct mrl_encoder *encoder; /* NULL: JSON of the message itself */
    char *line;
    uint64_t shown;
    int64_t lost_ns;
    bool was_connected, is_connected; /* ever; in this attempt */
    uint64_t unknown;
    char unknown_names[UNKNOWN_NAMES_MAX][UNKNOWN_NAME_BYTES];
};

/* Says once of each event that a format cannot show that there are such. */
static void note_unknown(struct streaming *streaming, const char *name)
{
    unsigned int i = 0;

    streaming->unknown++;
    while (i < UNKNOWN_NAMES_MAX && *streaming->unknown_names[i]) {
        if (!strncmp(streaming->unknown_names[i], name, UNKNOWN_NAME_BYTES - 1))
            return;
        i++;
    }
    if (i == UNKNOWN_NAMES_MAX)
        return;
    snprintf(streaming->unknown_names[i], UNKNOWN_NAME_BYTES, "%s", name);
    mrl_grpc__log(MRL_LOG_WARNING,
                  "event '%.64s' is none of mrelease's: only --format json-v1beta1 shows it", name);
}

static int show(struct streaming *streaming, const Tracee__V1beta1__Event *event)
{
    struct mrl_received received;
    ssize_t size;
    json_t *json;
    int err;

    if (!streaming->encoder) {
        streaming->shown++;
        json = mrl_received__json(&event->base);
        err = mrl_client__print_json(json);
        json_decref(json);
        return err;
    }
    if (!mrl_received__event(event, &received)) {
        note_unknown(streaming, event->name);
        return 0;
    }
    streaming->shown++;
    size =
        mrl_encoder__put(streaming->encoder, &received.event, streaming->line, MRL_EVENT_TEXT_MAX);
    return size < 0 ? (int)size : mrl_client__print(streaming->line, (size_t)size);
}

/* Lines go out at once where nothing else is there yet; stdio's buffer collects a burst only as far
 * as the messages that core has already. */
static int take_event(void *context, const uint8_t *bytes, size_t size)
{
    struct streaming *streaming = context;
    Tracee__V1beta1__StreamEventsResponse *response =
        (Tracee__V1beta1__StreamEventsResponse *)mrl_received__unpack(
            &tracee__v1beta1__stream_events_response__descriptor, bytes, size);
    int err = response ? 0 : -EPROTO;

    if (response && response->event)
        err = show(streaming, response->event);
    if (response)
        tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
    if (!err && fflush(stdout))
        err = -EPIPE;
    if (!err && streaming->wanted->count && streaming->shown >= streaming->wanted->count)
        err = -ENODATA; /* enough */
    return err;
}

static void on_begun(void *context)
{
    struct streaming *streaming = context;

    if (streaming->was_connected)
        mrl_grpc__log(MRL_LOG_WARNING,
                      "connected again after %.1f s: what happened meanwhile is not shown",
                      (double)(mrl_clock__ns(CLOCK_MONOTONIC) - streaming->lost_ns) / 1e9);
    else
        mrl_grpc__log(MRL_LOG_INFO, "connected to %.128s", streaming->peer->server);
    streaming->was_connected = streaming->is_connected = true;
}

/* -- calling ---------------------------------------------------------------------------------- */

/* Follows a path along the messages of an event. */
static int check_path(const char *path, struct mrl_error *error)
{
    const ProtobufCMessageDescriptor *type = &tracee__v1beta1__event__descriptor;
    const char *names[64];
    char word[64];

    for (const char *at = path; *at;) {
        size_t size = strcspn(at, ".");
        const ProtobufCFieldDescriptor *field;
        unsigned int count = 0;

        snprintf(word, sizeof(word), "%.*s", (int)(size < 63 ? size : 63), at);
        field = protobuf_c_message_descriptor_get_field_by_name(type, word);
        for (; count < type->n_fields && count < 64; count++)
            names[count] = type->fields[count].name;
        if (!field)
            return mrl_error__unknown(error, "field", word, names, count);
        at += size + (at[size] == '.');
        if (!*at || field->type != PROTOBUF_C_TYPE_MESSAGE)
            break; /* words after a scalar say nothing more */
        type = field->descriptor;
    }
    return 0;
}

static int make_mask(const char *list,
                     char *paths[MASK_PATHS_MAX],
                     Google__Protobuf__FieldMask *mask,
                     struct mrl_error *error)
{
    struct mrl_error reason = { "" };
    char *at = strdup(list), *path;
    int err = 0;

    paths[0] = at; /* freed by the caller */
    if (!at)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    mask->paths = paths + 1;
    while (!err && (path = strsep(&at, ","))) {
        if (!*path)
            continue;
        err = mask->n_paths == MASK_PATHS_MAX - 1
                  ? mrl_error__set(error, -EINVAL, "--mask: more than %d paths", MASK_PATHS_MAX - 1)
                  : check_path(path, &reason);
        if (err && reason.text[0])
            mrl_error__set(error, err, "--mask: %s", reason.text);
        if (!err)
            mask->paths[mask->n_paths++] = path;
    }
    if (!err && !mask->n_paths)
        err = mrl_error__set(error, -EINVAL, "--mask '%.64s' names no field", list);
    return err;
}

/* What a server says, or core in its place, when it goes away: that it ends the calls under way. */
static bool is_gone(grpc_status_code status)
{
    return status == GRPC_STATUS_UNAVAILABLE || status == GRPC_STATUS_CANCELLED;
}

/* One stream, from its begin to its end. */
static int stream_once(struct streaming *streaming, struct mrl_error *error)
{
    const struct mrl_grpc_subscription *wanted = streaming->wanted;
    Tracee__V1beta1__StreamEventsRequest request = TRACEE__V1BETA1__STREAM_EVENTS_REQUEST__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    struct mrl_client_call stream = { .path = "/tracee.v1beta1.TraceeService/StreamEvents",
                                      .take = take_event,
                                      .begun = on_begun,
                                      .context = streaming };
    char *paths[MASK_PATHS_MAX] = { NULL };
    int err = wanted->mask ? make_mask(wanted->mask, paths, &mask, error) : 0;

    streaming->is_connected = false;
    request.policies = (char **)(uintptr_t)wanted->policies;
    request.n_policies = wanted->policy_count;
    request.mask = wanted->mask ? &mask : NULL;
    if (!err)
        err = mrl_client__call(streaming->peer, &request.base, &stream, error);
    free(paths[0]);
    if (!err) { /* a stream has no end of its own: a server is there, and said so */
        streaming->was_connected = streaming->is_connected = true;
        err = mrl_error__set(error, -ECONNREFUSED, "%.128s: the stream ended",
                             streaming->peer->server);
    }
    if (err == -EPROTO && !stream.taken && is_gone(stream.status))
        err = -ECONNREFUSED;
    return err;
}

/* In steps, so that the end is noticed. Returns whether it was not. */
static bool pause_for(const struct mrl_grpc_peer *peer, unsigned int ms)
{
    for (unsigned int slept = 0; slept < ms; slept += WAIT_STEP_MS) {
        if (__atomic_load_n(peer->stop, __ATOMIC_RELAXED))
            return false;
        mrl_clock__pause_ms(WAIT_STEP_MS);
    }
    return true;
}

/* Over restarts of the server. */
static int stream_on(struct streaming *streaming, struct mrl_error *error)
{
    unsigned int wait_ms = WAIT_FIRST_MS;
    bool is_said = false;

    for (;;) {
        int err;

        error->text[0] = '\0'; /* of an earlier attempt */
        err = stream_once(streaming, error);
        if (err == -ENODATA || err == -ECANCELED)
            return 0;
        if (err != -ECONNREFUSED || (!streaming->was_connected && !streaming->wanted->waits))
            return err;
        if (streaming->is_connected) { /* this time */
            streaming->lost_ns = mrl_clock__ns(CLOCK_MONOTONIC);
            wait_ms = WAIT_FIRST_MS;
            is_said = false;
        }
        if (!is_said)
            mrl_grpc__log(MRL_LOG_WARNING, "%s: trying again", error->text);
        is_said = true;
        if (!pause_for(streaming->peer, wait_ms))
            return 0;
        wait_ms = 2 * wait_ms < WAIT_MOST_MS ? 2 * wait_ms : WAIT_MOST_MS;
    }
}

static unsigned int ask_columns(const void *context)
{
    (void)context;
    return mrl_sink__columns_fd(STDOUT_FILENO);
}

int mrl_client__stream(const struct mrl_grpc_peer *peer,
                       const struct mrl_grpc_subscription *subscription,
                       struct mrl_error *error)
{
    struct streaming streaming = { .peer = peer, .wanted = subscription };
    struct mrl_text head;
    int err = 0;

    if (strcmp(subscription->format, "json-v1beta1") != 0) {
        const unsigned int columns = mrl_sink__columns_fd(STDOUT_FILENO);
        const struct mrl_encoder_options options = {
            .colour = columns && !mrl_terminal__is_plain(),
            .width = columns,
            .columns = columns ? ask_columns : NULL,
            .ascii = columns && mrl_terminal__is_ascii(),
            .user_names = !strncmp(peer->server, "unix:", strlen("unix:")), /* they are ours */
        };

        err = mrl_encoder__new(subscription->format, &options, error, &streaming.encoder);
        if (err)
            return err;
        head = mrl_encoder__preamble(streaming.encoder);
        err = mrl_client__print(head.bytes, head.size);
    }
    streaming.line = malloc(MRL_EVENT_TEXT_MAX);
    if (!err)
        err = streaming.line ? stream_on(&streaming, error) : -ENOMEM;
    if (streaming.unknown)
        mrl_grpc__log(MRL_LOG_WARNING, "%llu events of other kinds are not shown",
                      (unsigned long long)streaming.unknown);
    mrl_encoder__free(streaming.encoder);
    free(streaming.line);
    if (err == -EPIPE && __atomic_load_n(peer->stop, __ATOMIC_RELAXED))
        return 0; /* a signal ended the write, and the program */
    return mrl_client__finish(err, error);
}
