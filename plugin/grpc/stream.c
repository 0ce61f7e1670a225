// SPDX-License-Identifier: Apache-2.0
/* Subscribers. */
#include "grpc/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/gap.h"
#include "core/lost.h"
#include "encode/mask.h"
#include "encode/protobuf.h"
#include "grpc/requests.h"

enum { RING_MESSAGES = 1024 };

/* A publication that all subscribers hold, so that a ring is small. */
struct message {
    atomic_uint holders;
    struct mrl_grpc_frame frame;
    grpc_slice slice;
};

struct mrl_subscriber {
    struct mrl_subscriber *next, **link; /* in the server's list; link NULL: it left */
    struct mrl_call *call;
    struct mrl_mask *mask; /* NULL: everything */
    pthread_mutex_t lock;  /* of what follows */
    bool sending, closed, ending;
    unsigned int first, count;
    struct mrl_missing missing[MRL_EVENT_COUNT]; /* before the first */
    uint64_t missing_total;
    grpc_byte_buffer *on_its_way;
    struct message *ring[RING_MESSAGES];
};

/* -- messages --------------------------------------------------------------------------------- */

static void release(struct message *message)
{
    if (atomic_fetch_sub(&message->holders, 1) != 1)
        return;
    grpc_slice_unref(message->slice);
    free(message);
}

static grpc_slice masked(const struct mrl_subscriber *subscriber, grpc_slice slice)
{
    struct mrl_text whole = { (const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice) };
    grpc_slice part;
    ssize_t size;
    char *target;

    if (!subscriber->mask)
        return grpc_slice_ref(slice);
    target = malloc(whole.size + 1);
    size = target ? mrl_mask__apply(subscriber->mask, whole, target) : -ENOMEM;
    part = size >= 0 ? grpc_slice_from_copied_buffer(target, (size_t)size) : grpc_slice_ref(slice);
    free(target);
    return part;
}

/* The gap of one event, as a message. */
static grpc_slice tell_missing(struct mrl_subscriber *subscriber)
{
    unsigned int event = 0;
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_protobuf *encoder;
    struct mrl_event told;
    struct mrl_text text;
    struct mrl_lost lost;
    grpc_slice slice = grpc_empty_slice();
    char *buffer = malloc(MRL_EVENT_TEXT_MAX);

    while (!subscriber->missing[event].count)
        event++;
    lost =
        (struct mrl_lost){ mrl_event_def__at(event), subscriber->missing[event].count,
                           mrl_cause__name(MRL_CAUSE_QUEUE_FULL),
                           subscriber->missing[event].from_ns, subscriber->missing[event].to_ns };
    if (buffer && !mrl_protobuf__new(subscriber->call->server->options.is_main ? MRL_GRPC_MAIN
                                                                               : MRL_GRPC_V0_24,
                                     0, &encoder)) {
        mrl_lost__event(&lost, values, &told);
        text = mrl_protobuf__put(encoder, &told, buffer);
        slice = grpc_slice_from_copied_buffer(text.bytes, text.size);
        mrl_protobuf__free(encoder);
        subscriber->missing_total -= lost.count;
        subscriber->missing[event] = (struct mrl_missing){ 0 };
    }
    free(buffer);
    return slice;
}

/* A gap that is dropped stays one. */
static void note_missing(struct mrl_subscriber *subscriber, const struct mrl_grpc_frame *frame)
{
    struct mrl_missing *missing =
        &subscriber->missing[frame->lost ? frame->lost_event : frame->event];
    uint64_t count = frame->lost ? frame->lost : 1;

    if (!missing->count)
        missing->from_ns = frame->time_ns;
    missing->to_ns = frame->time_ns;
    missing->count += count;
    subscriber->missing_total += count;
}

/* With the lock held. */
static void drop_oldest(struct mrl_subscriber *subscriber)
{
    struct message *oldest = subscriber->ring[subscriber->first];

    note_missing(subscriber, &oldest->frame);
    release(oldest);
    subscriber->first = (subscriber->first + 1) % RING_MESSAGES;
    subscriber->count--;
}

/* -- sending ---------------------------------------------------------------------------------- */

static void on_sent(struct mrl_call *call, bool ok);

/* With the lock held; there is something. The last message that there is goes out at once, others
 * are collected. */
static void send_next(struct mrl_subscriber *subscriber)
{
    struct mrl_call *call = subscriber->call;
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };
    grpc_slice slice, part;

    if (subscriber->missing_total) {
        slice = tell_missing(subscriber);
    } else {
        slice = grpc_slice_ref(subscriber->ring[subscriber->first]->slice);
        release(subscriber->ring[subscriber->first]);
        subscriber->first = (subscriber->first + 1) % RING_MESSAGES;
        subscriber->count--;
    }
    part = masked(subscriber, slice);
    grpc_slice_unref(slice);
    subscriber->on_its_way = grpc_raw_byte_buffer_create(&part, 1);
    grpc_slice_unref(part);
    op.data.send_message.send_message = subscriber->on_its_way;
    op.flags = subscriber->count ? GRPC_WRITE_BUFFER_HINT : 0;
    call->sent = (struct mrl_call_tag){ call, on_sent };
    subscriber->sending = mrl_call__start(call, &op, 1, &call->sent);
    if (!subscriber->sending) {
        grpc_byte_buffer_destroy(subscriber->on_its_way);
        subscriber->on_its_way = NULL;
    }
}

static void on_sent(struct mrl_call *call, bool ok)
{
    struct mrl_subscriber *subscriber = call->subscriber;

    pthread_mutex_lock(&subscriber->lock);
    grpc_byte_buffer_destroy(subscriber->on_its_way);
    subscriber->on_its_way = NULL;
    subscriber->sending = false;
    if (ok && !subscriber->closed && !subscriber->ending &&
        (subscriber->count || subscriber->missing_total))
        send_next(subscriber);
    pthread_mutex_unlock(&subscriber->lock);
}

/* A full ring: the client loses the oldest, or is told to go. Returns whether it stays. */
static bool make_room(struct mrl_subscriber *subscriber)
{
    if (subscriber->call->server->options.disconnect_slow) {
        subscriber->ending = true;
        grpc_call_cancel_with_status(subscriber->call->core, GRPC_STATUS_RESOURCE_EXHAUSTED,
                                     "events came faster than this client read them", NULL);
        return false;
    }
    drop_oldest(subscriber);
    return true;
}

/* `message` is NULL where there was no memory for it. */
static void give(struct mrl_subscriber *subscriber,
                 struct message *message,
                 const struct mrl_grpc_frame *frame)
{
    pthread_mutex_lock(&subscriber->lock);
    if (!message) {
        note_missing(subscriber, frame);
    } else if (!subscriber->closed && !subscriber->ending &&
               (subscriber->count < RING_MESSAGES || make_room(subscriber))) {
        atomic_fetch_add(&message->holders, 1);
        subscriber->ring[(subscriber->first + subscriber->count++) % RING_MESSAGES] = message;
        if (!subscriber->sending)
            send_next(subscriber);
    }
    pthread_mutex_unlock(&subscriber->lock);
}

void mrl_server__publish(struct mrl_server *server, const struct mrl_publication *publication)
{
    struct message *message;

    pthread_mutex_lock(&server->lock);
    message = server->subscribers ? malloc(sizeof(*message)) : NULL;
    if (message)
        *message = (struct message){ 1, publication->frame, grpc_slice_ref(publication->slice) };
    for (struct mrl_subscriber *each = server->subscribers; each; each = each->next)
        give(each, message, &publication->frame);
    if (message)
        release(message);
    pthread_mutex_unlock(&server->lock);
}

/* -- subscribing ------------------------------------------------------------------------------ */

static void enlist(struct mrl_server *server, struct mrl_subscriber *subscriber)
{
    pthread_mutex_lock(&server->lock);
    mrl_call__hold(subscriber->call);
    subscriber->next = server->subscribers;
    if (subscriber->next)
        subscriber->next->link = &subscriber->next;
    subscriber->link = &server->subscribers;
    server->subscribers = subscriber;
    server->subscriber_count++;
    pthread_mutex_unlock(&server->lock);
}

static bool leave(struct mrl_server *server, struct mrl_subscriber *subscriber)
{
    bool was_there;

    pthread_mutex_lock(&server->lock);
    was_there = subscriber->link;
    if (was_there) {
        *subscriber->link = subscriber->next;
        if (subscriber->next)
            subscriber->next->link = subscriber->link;
        subscriber->link = NULL;
        server->subscriber_count--;
    }
    pthread_mutex_unlock(&server->lock);
    return was_there;
}

void mrl_stream__begin(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    struct mrl_subscriber *subscriber = calloc(1, sizeof(*subscriber));
    struct mrl_reply reply = { .status = GRPC_STATUS_RESOURCE_EXHAUSTED, .text = "out of memory" };

    if (!subscriber || !mrl_request__stream(bytes, size, &subscriber->mask, &reply)) {
        free(subscriber);
        mrl_call__end(call, reply.status, reply.text);
        return;
    }
    pthread_mutex_init(&subscriber->lock, NULL);
    subscriber->call = call;
    call->subscriber = subscriber;
    enlist(call->server, subscriber);
    if (call->cancelled)
        mrl_subscriber__close(subscriber);
}

bool mrl_subscriber__close(struct mrl_subscriber *subscriber)
{
    struct mrl_call *call = subscriber->call;
    bool was_there = leave(call->server, subscriber), sending;

    pthread_mutex_lock(&subscriber->lock);
    subscriber->closed = true;
    sending = subscriber->sending;
    while (subscriber->count)
        drop_oldest(subscriber);
    pthread_mutex_unlock(&subscriber->lock);
    if (was_there)
        mrl_call__release(call);
    return sending;
}

void mrl_server__end_streams(struct mrl_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct mrl_subscriber *each = server->subscribers; each; each = each->next) {
        pthread_mutex_lock(&each->lock);
        if (!each->ending && !each->closed) {
            each->ending = true;
            mrl_call__end(each->call, GRPC_STATUS_UNAVAILABLE, "the server ends");
        }
        pthread_mutex_unlock(&each->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

void mrl_subscriber__free(struct mrl_subscriber *subscriber)
{
    if (!subscriber)
        return;
    while (subscriber->count)
        drop_oldest(subscriber);
    mrl_mask__free(subscriber->mask);
    pthread_mutex_destroy(&subscriber->lock);
    free(subscriber);
}
