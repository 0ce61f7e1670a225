// SPDX-License-Identifier: Apache-2.0
/* Calls: arrival, requests and answers, the end. Core reports each step on a thread of one of
 * its queues. So two steps of one call may be reported on two threads at the same time. */
#include "side/grpc/server/call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/grpc/common/program.h"
#include "side/grpc/listen/listener.h"

enum { ANSWER_BYTES = 16 * 1024 * 1024 };

/* -- life ------------------------------------------------------------------------------------- */

/* A call is held by each batch that core works on and by the list of subscribers. Core's threads
 * may report these ends in any order; the last one frees the call. */
void mrl_call__hold(struct mrl_call *call)
{
    atomic_fetch_add(&call->holders, 1);
}

/* Before the client can know of the end, as it may begin the next one at once. Harmless twice. */
static void give_share_back(struct mrl_call *call)
{
    mrl_share__give_back(&call->server->shares, atomic_exchange(&call->share, NULL));
}

enum mrl_room_answer mrl_call__enter(struct mrl_call *call, enum mrl_room room)
{
    enum mrl_room_answer answer = mrl_room__take(&call->server->shares, call->peer, room);

    if (answer == MRL_ROOM_TAKEN)
        atomic_fetch_or(&call->rooms, 1U << room);
    return answer;
}

/* Harmless twice. */
void mrl_call__leave(struct mrl_call *call, enum mrl_room room)
{
    if (atomic_fetch_and(&call->rooms, ~(1U << room)) & 1U << room)
        mrl_room__give_back(&call->server->shares, call->peer, room);
}

void mrl_call__release(struct mrl_call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) != 1)
        return;
    if (call->method && call->method->freed)
        call->method->freed(call);
    grpc_byte_buffer_destroy(call->request);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    if (call->core)
        grpc_call_unref(call->core);
    mrl_bounds__received(&call->server->bounds, &call->bounded);
    for (unsigned int room = 0; room < MRL_ROOMS; room++)
        mrl_call__leave(call, room);
    mrl_peer__leave(&call->server->shares, call->peer);
    give_share_back(call);
    free(call);
}

bool mrl_call__start(struct mrl_call *call,
                     const grpc_op *ops,
                     size_t count,
                     struct mrl_call_tag *tag)
{
    grpc_call_error err = GRPC_CALL_ERROR;

    mrl_call__hold(call);
    MRL_RELEASE(tag);
    if (!atomic_load(&call->server->shut))
        err = grpc_call_start_batch(call->core, ops, count, tag, NULL);
    if (err == GRPC_CALL_OK)
        return true;
    mrl_call__release(call);
    return false;
}

/* -- the end ---------------------------------------------------------------------------------- */

static void answer_is_gone(struct mrl_call *call)
{
    atomic_fetch_sub(&call->server->answer_bytes, call->answer_bytes);
    call->answer_bytes = 0;
}

static void on_ended(struct mrl_call *call, bool ok)
{
    (void)ok;
    answer_is_gone(call);
}

static void end_with_message(struct mrl_call *call,
                             grpc_byte_buffer *message,
                             grpc_status_code status,
                             const char *text)
{
    grpc_slice details = grpc_slice_from_copied_string(text);
    grpc_op ops[3] = { 0 };
    size_t count = 0;

    give_share_back(call);
    call->ended = (struct mrl_call_tag){ call, on_ended };
    if (message) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = message;
    }
    ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[count].data.send_status_from_server.status = status;
    ops[count++].data.send_status_from_server.status_details = *text ? &details : NULL;
    mrl_call__start(call, ops, count, &call->ended);
    grpc_slice_unref(details);
}

void mrl_call__end(struct mrl_call *call, grpc_status_code status, const char *text)
{
    end_with_message(call, NULL, status, text);
}

void mrl_call__blame(struct mrl_call *call, unsigned int points)
{
    char peer[128];

    if (call->fd < 0 || !mrl_listener__blame(call->server->listener, call->fd, points, peer))
        return;
    atomic_fetch_add(&call->server->bounds.cut, 1);
    mrl_grpc__log(
        MRL_LOG_WARNING,
        "a client, %s, was cut: it cancels calls by the hundred, or wants more than there "
        "is",
        peer);
}

static void count_refused(struct mrl_call *call, enum mrl_room_answer why)
{
    mrl_bounds__refuse(&call->server->bounds);
    if (why == MRL_ROOM_PART_IS_FULL)
        mrl_call__blame(call, MRL_REFUSED_POINTS);
}

void mrl_call__end_full(struct mrl_call *call, enum mrl_room_answer why, const char *text)
{
    mrl_call__end(call, GRPC_STATUS_RESOURCE_EXHAUSTED, text);
    count_refused(call, why);
}

static void on_closed(struct mrl_call *call, bool ok)
{
    (void)ok;
    /* Before the method is asked: a stream that begins on another thread at this moment looks here
     * after it has set its subscriber, so that one of the two sees the other. */
    atomic_store(&call->is_closed, true);
    if (call->method && call->method->closed)
        call->method->closed(call);
    if (call->cancelled)
        mrl_call__blame(call, 1);
}

/* Core says "fd:N" of the connections that our listener gave it. */
static void find_connection(struct mrl_call *call)
{
    char *peer = grpc_call_get_peer(call->core);
    struct mrl_peer_id id;

    call->fd = call->server->listener && peer && !strncmp(peer, "fd:", 3)
                   ? (int)strtol(peer + 3, NULL, 10)
                   : -1;
    call->share = mrl_share__take(&call->server->shares, peer ? peer : "");
    gpr_free(peer);
    mrl_listener__peer(call->server->listener, call->fd, &id);
    call->peer = call->share ? mrl_peer__enter(&call->server->shares, &id) : NULL;
}

int mrl_call__connection(const struct mrl_call *call)
{
    return call && call->fd >= 0 ? mrl_listener__duplicate(call->server->listener, call->fd) : -1;
}

/* -- requests --------------------------------------------------------------------------------- */

static void receive(struct mrl_call *call);

/* Its request is waited for, the first one or another. */
static enum mrl_room_answer await_request(struct mrl_call *call)
{
    enum mrl_room_answer answer = mrl_call__enter(call, MRL_ROOM_AWAITED);

    if (answer == MRL_ROOM_TAKEN)
        mrl_bounds__await(&call->server->bounds, &call->bounded);
    return answer;
}

static void on_answered(struct mrl_call *call, bool ok)
{
    enum mrl_room_answer room;

    answer_is_gone(call);
    if (!ok)
        return;
    room = await_request(call);
    if (room == MRL_ROOM_TAKEN)
        receive(call);
    else
        mrl_call__end_full(call, room, "too many requests are waited for");
}

/* Answers that peers do not read stay in memory: ANSWER_BYTES bounds them for all calls
 * together. */
static bool reserve(struct mrl_call *call, size_t size)
{
    /* Added first and taken back when it was too much: a look before the addition would let two
     * threads pass together. */
    if (atomic_fetch_add(&call->server->answer_bytes, size) > ANSWER_BYTES) {
        atomic_fetch_sub(&call->server->answer_bytes, size);
        return false;
    }
    call->answer_bytes = size;
    return true;
}

static void answer(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };
    grpc_byte_buffer *message = NULL;
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };

    reply.call = call;
    call->method->answer(bytes, size, &reply);
    if (reply.status == GRPC_STATUS_OK && !reserve(call, reply.size)) {
        reply.status = GRPC_STATUS_RESOURCE_EXHAUSTED;
        snprintf(reply.text, sizeof(reply.text), "too many answers are not read yet");
    }
    if (reply.status == GRPC_STATUS_OK) {
        grpc_slice slice = grpc_slice_from_copied_buffer((const char *)reply.bytes, reply.size);

        message = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
    }
    free(reply.bytes);
    if (!message || !call->method->repeats) {
        end_with_message(call, message, reply.status, reply.text);
    } else {
        op.data.send_message.send_message = message;
        call->sent = (struct mrl_call_tag){ call, on_answered };
        mrl_call__start(call, &op, 1, &call->sent);
    }
    grpc_byte_buffer_destroy(message);
}

static void take_request(struct mrl_call *call)
{
    grpc_byte_buffer_reader reader;
    grpc_slice all;

    if (!grpc_byte_buffer_reader_init(&reader, call->request)) {
        mrl_call__end(call, GRPC_STATUS_INTERNAL, "the request cannot be read");
        return;
    }
    all = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    if (call->method->stream)
        call->method->stream(call, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
    else
        answer(call, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
    grpc_slice_unref(all);
    grpc_byte_buffer_destroy(call->request);
    /* The next message of a call that repeats is read into the same place. */
    call->request = NULL;
}

static void on_received(struct mrl_call *call, bool ok)
{
    mrl_bounds__received(&call->server->bounds, &call->bounded);
    mrl_call__leave(call, MRL_ROOM_AWAITED);
    if (ok && call->request)
        take_request(call);
    else if (ok && call->method->repeats)
        mrl_call__end(call, GRPC_STATUS_OK, "");
    else
        mrl_call__end(call, GRPC_STATUS_INVALID_ARGUMENT, "there is no request");
}

static void receive(struct mrl_call *call)
{
    grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

    op.data.recv_message.recv_message = &call->request;
    call->received = (struct mrl_call_tag){ call, on_received };
    mrl_call__start(call, &op, 1, &call->received);
}

/* -- arrival ---------------------------------------------------------------------------------- */

static void begin(struct mrl_call *call)
{
    grpc_op ops[2] = { 0 };

    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_MESSAGE;
    ops[1].data.recv_message.recv_message = &call->request;
    call->received = (struct mrl_call_tag){ call, on_received };
    mrl_call__start(call, ops, 2, &call->received);
}

/* Without reading its request, which may be anything. */
static void refuse(struct mrl_call *call, grpc_status_code status, const char *why)
{
    grpc_slice details = grpc_slice_from_static_string(why);
    grpc_op ops[2] = { 0 };

    give_share_back(call);
    call->ended = (struct mrl_call_tag){ call, on_ended };
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[1].data.send_status_from_server.status = status;
    ops[1].data.send_status_from_server.status_details = &details;
    mrl_call__start(call, ops, 2, &call->ended);
}

/* Whoever wants more than its own again and again is cut; not who finds that others have all. */
static void refuse_more(struct mrl_call *call, enum mrl_room_answer why, const char *text)
{
    refuse(call, GRPC_STATUS_RESOURCE_EXHAUSTED, text);
    count_refused(call, why);
}

/* Room for the call, and for its request if it has a method. */
static enum mrl_room_answer admit(struct mrl_call *call)
{
    enum mrl_room_answer answer = mrl_call__enter(call, MRL_ROOM_CALLS);

    if (answer == MRL_ROOM_IS_FULL)
        mrl_bounds__note_full(&call->server->bounds);
    return answer == MRL_ROOM_TAKEN && call->method ? await_request(call) : answer;
}

/* NULL: the server has no such method. */
static const struct mrl_method *find_method(const struct mrl_call *call)
{
    const char *path = (const char *)GRPC_SLICE_START_PTR(call->details.method);
    const size_t size = GRPC_SLICE_LENGTH(call->details.method);

    for (unsigned int i = 0; i < call->server->method_count; i++) {
        const struct mrl_method *method = &call->server->methods[i];

        if (strlen(method->path) == size && !memcmp(method->path, path, size))
            return method;
    }
    return NULL;
}

static void on_arrived(struct mrl_call *call, bool ok)
{
    grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };
    enum mrl_room_answer room;

    if (!ok)
        return; /* the server ends, and there was no call */
    /* At once, before this call is looked at: core gives a new call only to someone who waits for
     * one. */
    mrl_call__await(call->server);
    find_connection(call);
    /* Before the first batch: its end may come on another thread at once, and looks here. */
    call->method = call->share ? find_method(call) : NULL;
    op.data.recv_close_on_server.cancelled = &call->cancelled;
    call->closed = (struct mrl_call_tag){ call, on_closed };
    mrl_call__start(call, &op, 1, &call->closed);
    room = call->share ? admit(call) : MRL_ROOM_PART_IS_FULL;
    if (!call->share)
        refuse_more(call, room,
                    "this connection has 100 calls open: end one, or use another connection");
    else if (room == MRL_ROOM_PART_IS_FULL)
        refuse_more(call, room, "this client has too many calls open");
    else if (room == MRL_ROOM_IS_FULL)
        refuse_more(call, room, "this server has too many calls open");
    else if (call->method)
        begin(call);
    else
        refuse(call, GRPC_STATUS_UNIMPLEMENTED, "this server has no such method");
}

void mrl_call__await(struct mrl_server *server)
{
    struct mrl_call *call = atomic_load(&server->ending) ? NULL : calloc(1, sizeof(*call));
    unsigned int queue;

    if (!call)
        return;
    /* Calls take turns over the queues, so that the threads of these share the work of sending. */
    queue = atomic_fetch_add(&server->next_queue, 1) % (MRL_QUEUE_COUNT - MRL_QUEUE_CALLS);
    call->server = server;
    call->queue = server->queues[MRL_QUEUE_CALLS + queue].core;
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    call->arrived = (struct mrl_call_tag){ call, on_arrived };
    mrl_call__hold(call);
    MRL_RELEASE(&call->arrived);
    if (grpc_server_request_call(server->core, &call->core, &call->details, &call->metadata,
                                 call->queue, server->queues[MRL_QUEUE_NEW].core,
                                 &call->arrived) != GRPC_CALL_OK)
        mrl_call__release(call);
}

/* -- requests that do not come ---------------------------------------------------------------- */

static struct mrl_call *call_of(struct mrl_bounded *bounded)
{
    return (struct mrl_call *)(void *)((char *)bounded - offsetof(struct mrl_call, bounded));
}

static void hold(struct mrl_bounded *bounded)
{
    mrl_call__hold(call_of(bounded));
}

void mrl_calls__end_late(struct mrl_server *server)
{
    struct mrl_bounded *late;

    while ((late = mrl_bounds__take_late(&server->bounds, hold))) {
        grpc_call_cancel_with_status(call_of(late)->core, GRPC_STATUS_DEADLINE_EXCEEDED,
                                     "the request did not come", NULL);
        mrl_call__release(call_of(late));
    }
}
