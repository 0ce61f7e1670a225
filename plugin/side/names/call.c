// SPDX-License-Identifier: Apache-2.0
#include "side/names/call.h"

#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/protobuf_reader.h"

enum { METADATA_BYTES = 16 * 1024, BACK_OFF_MS = 1000, CONNECT_MS = 5000, DETAILS = 100 };

struct mrl_line {
    grpc_channel *channel;
    grpc_completion_queue *queue;
};

/* -- a connection ----------------------------------------------------------------------------- */

static grpc_channel *make_channel(const char *target)
{
    static const struct {
        const char *key;
        int value;
    } rows[] = {
        { GRPC_ARG_ENABLE_HTTP_PROXY, 0 },
        { GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MRL_ANSWER_BYTES },
        { GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES },
        { GRPC_ARG_ENABLE_RETRIES, 0 },
        { GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1 },
        /* A socket has one connection for each interface, which its asker closes. */
        { GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1 },
        { GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, BACK_OFF_MS },
        /* The time to connect: the deadline of a call comes first, and says that it hangs. */
        { GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_MS },
        { GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, BACK_OFF_MS },
    };
    enum { COUNT = sizeof(rows) / sizeof(rows[0]) };
    grpc_arg arguments[COUNT];
    const grpc_channel_args all = { COUNT, arguments };
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    grpc_channel *channel;

    for (size_t i = 0; i < COUNT; i++) {
        arguments[i] =
            (grpc_arg){ .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)rows[i].key };
        arguments[i].value.integer = rows[i].value;
    }
    channel = grpc_channel_create(target, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return channel;
}

int mrl_line__open(const char *path, struct mrl_line **ret_line)
{
    struct mrl_line *line = calloc(1, sizeof(*line));
    char target[MRL_NAMES_PATH_BYTES + 8];

    if (!line)
        return -ENOMEM;
    snprintf(target, sizeof(target), "unix://%s", path);
    line->channel = make_channel(target);
    line->queue = grpc_completion_queue_create_for_pluck(NULL);
    *ret_line = line;
    return 0;
}

void mrl_line__close(struct mrl_line *line)
{
    if (!line)
        return;
    grpc_completion_queue_shutdown(line->queue);
    grpc_completion_queue_destroy(line->queue);
    grpc_channel_destroy(line->channel);
    free(line);
}

/* -- answers ---------------------------------------------------------------------------------- */

/* An answer of a few bytes may ask for structures of hundreds. */
struct purse {
    size_t left;
    bool is_empty; /* it was asked for more */
};

static void *take(void *context, size_t size)
{
    struct purse *purse = context;

    purse->is_empty |= size > purse->left;
    if (purse->is_empty)
        return NULL;
    purse->left -= size;
    return malloc(size);
}

static void give(void *context, void *bytes)
{
    (void)context;
    free(bytes);
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *descriptor,
                                const void *bytes,
                                size_t size,
                                bool *ret_is_too_large)
{
    struct purse purse = { MRL_UNPACKED_BYTES, false };
    ProtobufCAllocator allocator = { take, give, &purse };
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, size, bytes);

    *ret_is_too_large = purse.is_empty;
    return message;
}

ProtobufCMessage *mrl_answer__unpack(const ProtobufCMessageDescriptor *descriptor,
                                     const void *bytes,
                                     size_t size)
{
    bool is_too_large;

    return unpack(descriptor, bytes, size, &is_too_large);
}

void mrl_answer__free(ProtobufCMessage *answer)
{
    ProtobufCAllocator allocator = { take, give, NULL };

    if (answer)
        protobuf_c_message_free_unpacked(answer, &allocator);
}

int mrl_answer__each(const ProtobufCMessageDescriptor *item,
                     const void *bytes,
                     size_t size,
                     mrl_take_item *take_item,
                     void *context)
{
    struct mrl_protobuf_reader reader = { bytes, (const char *)bytes + size };
    struct mrl_protobuf_field field;
    ProtobufCMessage *message;
    bool are_whole = true;
    int err = 0;

    while (!err && reader.at < reader.end) {
        if (!mrl_protobuf_reader__next(&reader, &field))
            return -EBADMSG;
        if (field.number != 1 || field.wire_type != MRL_PB_BYTES)
            continue;
        message = mrl_answer__unpack(item, field.content.bytes, field.content.size);
        are_whole &= message != NULL;
        err = message ? take_item(context, message) : 0;
        mrl_answer__free(message);
    }
    return err || are_whole ? err : -EBADMSG;
}

/* The bytes of an answer; new. */
static int read_bytes(struct mrl_asker *asker, grpc_byte_buffer *received, grpc_slice *ret_all)
{
    grpc_byte_buffer_reader reader;

    if (!received || !grpc_byte_buffer_reader_init(&reader, received)) {
        mrl_asker__fail(asker, -EBADMSG, "its answer cannot be read");
        return -EBADMSG;
    }
    *ret_all = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return 0;
}

/* -- a call ----------------------------------------------------------------------------------- */

/* What core writes to while a call is under way. */
struct flight {
    grpc_call *call;
    grpc_metadata_array initial, trailing;
    grpc_metadata name_space;
    grpc_byte_buffer *request, *answer;
    grpc_status_code status;
    grpc_slice details;
};

static grpc_byte_buffer *pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

static void set_ops(struct flight *flight, const struct mrl_call *call, grpc_op ops[6])
{
    memset(ops, 0, 6 * sizeof(*ops));
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    if (call->name_space) {
        flight->name_space.key = grpc_slice_from_static_string("containerd-namespace");
        flight->name_space.value = grpc_slice_from_copied_string(call->name_space);
        ops[0].data.send_initial_metadata.count = 1;
        ops[0].data.send_initial_metadata.metadata = &flight->name_space;
    }
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = flight->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &flight->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &flight->answer;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &flight->trailing;
    ops[5].data.recv_status_on_client.status = &flight->status;
    ops[5].data.recv_status_on_client.status_details = &flight->details;
}

/* The deadline ends it, whatever the runtime does. */
static void run(struct mrl_line *line, struct flight *flight, const struct mrl_call *call)
{
    const gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis((int64_t)call->timeout_ms, GPR_TIMESPAN));
    grpc_slice method = grpc_slice_from_copied_string(call->method);
    grpc_op ops[6];

    flight->call = grpc_channel_create_call(line->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                            line->queue, method, NULL, deadline, NULL);
    grpc_slice_unref(method);
    flight->request = pack(call->request);
    set_ops(flight, call, ops);
    if (grpc_call_start_batch(flight->call, ops, 6, flight, NULL) == GRPC_CALL_OK)
        grpc_completion_queue_pluck(line->queue, flight, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    else
        flight->status = GRPC_STATUS_INTERNAL;
}

static void done(struct flight *flight, const struct mrl_call *call)
{
    if (call->name_space)
        grpc_slice_unref(flight->name_space.value);
    grpc_byte_buffer_destroy(flight->request);
    grpc_byte_buffer_destroy(flight->answer);
    grpc_metadata_array_destroy(&flight->initial);
    grpc_metadata_array_destroy(&flight->trailing);
    grpc_slice_unref(flight->details);
    grpc_call_unref(flight->call);
}

static const struct {
    grpc_status_code status;
    int err;
} errors[] = {
    { GRPC_STATUS_NOT_FOUND, -ENOENT },
    { GRPC_STATUS_DEADLINE_EXCEEDED, -ETIMEDOUT },
    { GRPC_STATUS_UNAVAILABLE, -ENOTCONN },
    { GRPC_STATUS_UNIMPLEMENTED, -EOPNOTSUPP },
};

static int read_status(struct mrl_asker *asker, const struct flight *flight)
{
    const size_t size = GRPC_SLICE_LENGTH(flight->details);
    int err = -EBADMSG;

    if (flight->status == GRPC_STATUS_OK)
        return 0;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].status == flight->status)
            err = errors[i].err;
    return mrl_asker__fail(asker, err, "status %d: %.*s", (int)flight->status,
                           (int)(size < DETAILS ? size : DETAILS),
                           (const char *)GRPC_SLICE_START_PTR(flight->details));
}

/* `*ret_all` is new. */
static int exchange(struct mrl_line *line,
                    struct mrl_asker *asker,
                    const struct mrl_call *call,
                    grpc_slice *ret_all)
{
    struct flight flight = { .status = GRPC_STATUS_UNKNOWN, .details = grpc_empty_slice() };
    int err;

    grpc_metadata_array_init(&flight.initial);
    grpc_metadata_array_init(&flight.trailing);
    run(line, &flight, call);
    err = read_status(asker, &flight);
    if (!err)
        err = read_bytes(asker, flight.answer, ret_all);
    done(&flight, call);
    return err;
}

int mrl_line__call(struct mrl_line *line,
                   struct mrl_asker *asker,
                   const struct mrl_call *call,
                   ProtobufCMessage **ret_answer)
{
    ProtobufCMessage *answer;
    bool is_too_large;
    grpc_slice all;
    int err = exchange(line, asker, call, &all);

    if (err)
        return err;
    answer = unpack(call->answer, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all), &is_too_large);
    grpc_slice_unref(all);
    if (!answer)
        return mrl_asker__fail(asker, -EBADMSG, "its answer %s",
                               is_too_large ? "is too large" : "cannot be read");
    *ret_answer = answer;
    return 0;
}

int mrl_line__list(struct mrl_line *line,
                   struct mrl_asker *asker,
                   const struct mrl_call *call,
                   mrl_take_item *take_item,
                   void *context)
{
    grpc_slice all;
    int err = exchange(line, asker, call, &all);

    if (err)
        return err;
    err = mrl_answer__each(call->answer, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all),
                           take_item, context);
    grpc_slice_unref(all);
    return err == -EBADMSG ? mrl_asker__fail(asker, err, "some of it cannot be read") : err;
}
