// SPDX-License-Identifier: Apache-2.0
/*
 * Streams: each StreamEvents call is a subscriber, which is a place in the backlog and at most one
 * message on its way. Whoever publishes starts a send where none is under way; else the thread of
 * the queue that reports the last one sent starts the next. subscriber->lock keeps these two apart.
 * The order of locks: listener->mutex (its look asks for our progress), server->lock,
 * subscriber->lock, the backlog's. So no listener function is called while one of the other three
 * is held.
 */
#include "side/grpc/server/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/gap.h"
#include "encode/protobuf.h"
#include "event/lost.h"
#include "side/grpc/listen/listener.h"
#include "side/grpc/server/backlog.h"
#include "side/grpc/server/mask.h"
#include "side/grpc/server/requests.h"

enum { TAKEN_AT_ONCE = 32 };

struct mrl_subscriber {
    struct mrl_subscriber *next, **link; /* in the server's list; link NULL: it left */
    struct mrl_call *call;
    struct mrl_wanted wanted;
    pthread_mutex_t lock; /* of what follows */
    bool sending, closed, ending;
    struct mrl_place place;
    bool has_more;             /* behind those that were taken */
    unsigned int first, count; /* of the taken */
    struct mrl_gap missing;    /* before the first */
    atomic_ullong sent;        /* messages that core took; read without the lock */
    uint64_t missed;           /* events told as missing */
    grpc_byte_buffer *message; /* on its way, and used again */
    grpc_slice taken[TAKEN_AT_ONCE];
};

/* -- messages --------------------------------------------------------------------------------- */

/* Takes the slice over. */
static grpc_slice masked(const struct mrl_subscriber *subscriber, grpc_slice slice)
{
    struct mrl_text whole = { (const char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice) };
    grpc_slice part;
    ssize_t size;
    char *target;

    if (!subscriber->wanted.mask)
        return slice;
    /* Without memory the client gets the whole message: more than it asked for, but no event is
     * lost. */
    target = malloc(whole.size + 1);
    size = target ? mrl_mask__apply(subscriber->wanted.mask, whole, target) : -ENOMEM;
    part = size >= 0 ? grpc_slice_from_copied_buffer(target, (size_t)size) : grpc_slice_ref(slice);
    free(target);
    grpc_slice_unref(slice);
    return part;
}

static bool encode_lost(const struct mrl_server *server,
                        const struct mrl_lost *lost,
                        grpc_slice *ret_slice)
{
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_protobuf *encoder = NULL;
    struct mrl_event told;
    struct mrl_text text;
    char *buffer = malloc(MRL_EVENT_TEXT_MAX);
    bool is_ready =
        buffer &&
        !mrl_protobuf__new(server->options.is_main ? MRL_GRPC_MAIN : MRL_GRPC_V0_24, 0, &encoder);

    if (is_ready) {
        mrl_lost__event(lost, values, &told);
        text = mrl_protobuf__put(encoder, &told, buffer);
        *ret_slice = grpc_slice_from_copied_buffer(text.bytes, text.size);
        mrl_protobuf__free(encoder);
    }
    free(buffer);
    return is_ready;
}

/* One of those in a gap that is not empty. */
static struct mrl_missing *first_missing(struct mrl_gap *gap, struct mrl_lost *ret_lost)
{
    unsigned int cause = 0, event = 0;
    struct mrl_missing *missing = &gap->of[cause][event];

    while (!missing->count) {
        event = (event + 1) % MRL_EVENT_COUNT;
        cause += !event;
        missing = &gap->of[cause][event];
    }
    *ret_lost = (struct mrl_lost){ .event = mrl_event_def__at(event),
                                   .count = missing->count,
                                   .cause = (enum mrl_cause)cause,
                                   .from_ns = missing->from_ns,
                                   .to_ns = missing->to_ns };
    return missing;
}

/* The gap of one event and cause, as a message. False without memory: it is still to be told. */
static bool tell_missing(struct mrl_subscriber *subscriber, grpc_slice *ret_slice)
{
    struct mrl_lost lost;
    struct mrl_missing *missing = first_missing(&subscriber->missing, &lost);

    if (!encode_lost(subscriber->call->server, &lost, ret_slice))
        return false;
    subscriber->missing.total -= lost.count;
    subscriber->missed += lost.count;
    *missing = (struct mrl_missing){ 0 };
    return true;
}

/* -- sending ---------------------------------------------------------------------------------- */

static void on_sent(struct mrl_call *call, bool ok);

/* With the lock held. Takes messages from the backlog when all earlier ones are sent. False when
 * there is nothing to send. */
static bool take(struct mrl_subscriber *subscriber)
{
    /* What was taken goes first. The backlog is asked again only when all of it is sent, so that
     * its lock is taken once for many messages. */
    if (subscriber->count || subscriber->missing.total)
        return true;
    subscriber->first = 0;
    subscriber->count =
        mrl_backlog__take(subscriber->call->server->backlog, &subscriber->place, subscriber->taken,
                          TAKEN_AT_ONCE, &subscriber->missing, &subscriber->has_more);
    return subscriber->count || subscriber->missing.total;
}

/* With the lock held. A client that was left behind is told to go, where that is asked for. */
static bool send_away(struct mrl_subscriber *subscriber)
{
    struct mrl_server *server = subscriber->call->server;

    if (!server->options.disconnect_slow || subscriber->ending || subscriber->closed ||
        !mrl_backlog__has_overtaken(server->backlog, &subscriber->place))
        return false;
    subscriber->ending = true;
    atomic_fetch_add(&server->sent_away, 1);
    grpc_call_cancel_with_status(subscriber->call->core, GRPC_STATUS_RESOURCE_EXHAUSTED,
                                 "events came faster than this client read them", NULL);
    return true;
}

/* With the lock held, when all was sent: ends the call if the server is closing. With OK, as Tracee
 * does: the client has everything. Whoever did not get it all is cancelled: UNAVAILABLE. */
static void end_politely(struct mrl_subscriber *subscriber)
{
    if (!atomic_load(&subscriber->call->server->closing) || subscriber->ending ||
        subscriber->closed)
        return;
    subscriber->ending = true;
    mrl_call__end(subscriber->call, GRPC_STATUS_OK, "");
}

/* With the lock held, while no message is on its way: core allows one send at a time per call. The
 * buffer hint lets core collect messages while more follow; the last one is flushed at once. */
static void send_next(struct mrl_subscriber *subscriber)
{
    struct mrl_call *call = subscriber->call;
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };
    grpc_slice_buffer *content = &subscriber->message->data.raw.slice_buffer;
    grpc_slice slice;

    /* The buffer of the last message is used again, so that a message costs no allocation of its
     * own. */
    grpc_slice_buffer_reset_and_unref(content);
    if (subscriber->closed || subscriber->ending || send_away(subscriber))
        return;
    if (!take(subscriber)) {
        end_politely(subscriber);
        return;
    }
    if (!subscriber->missing.total) {
        slice = subscriber->taken[subscriber->first++];
        subscriber->count--;
    } else if (!tell_missing(subscriber, &slice)) {
        return; /* no memory: whoever publishes next tries again */
    }
    grpc_slice_buffer_add(content, masked(subscriber, slice));
    /* The gap precedes what was taken with it: it is about events that are older than these. */
    op.data.send_message.send_message = subscriber->message;
    op.flags = subscriber->count || subscriber->has_more ? GRPC_WRITE_BUFFER_HINT : 0;
    call->sent = (struct mrl_call_tag){ call, on_sent };
    subscriber->sending = mrl_call__start(call, &op, 1, &call->sent);
}

static void on_sent(struct mrl_call *call, bool ok)
{
    struct mrl_subscriber *subscriber = call->subscriber;

    pthread_mutex_lock(&subscriber->lock);
    subscriber->sending = false;
    /* A send fails only when the call is over: nobody is there to send the next one to. */
    subscriber->closed |= !ok;
    if (ok)
        atomic_fetch_add_explicit(&subscriber->sent, 1, memory_order_relaxed);
    else if (atomic_load(&call->server->ending))
        atomic_fetch_add(&call->server->unsent, 1); /* the others: close_subscriber() */
    send_next(subscriber);
    pthread_mutex_unlock(&subscriber->lock);
}

void mrl_server__publish(struct mrl_server *server, const struct mrl_chunk *chunk)
{
    /* All of the chunk is there before the first client is woken: each then finds that more
     * follows, and core puts many messages into one write. */
    mrl_backlog__put(server->backlog, chunk);
    atomic_store(&server->published_ms, mrl_clock__ns(CLOCK_MONOTONIC) / 1000000);
    pthread_mutex_lock(&server->lock);
    for (struct mrl_subscriber *each = server->subscribers; each; each = each->next) {
        pthread_mutex_lock(&each->lock);
        send_away(each);
        if (!each->sending)
            send_next(each);
        pthread_mutex_unlock(&each->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

/* -- subscribing ------------------------------------------------------------------------------ */

static void enlist(struct mrl_server *server, struct mrl_subscriber *subscriber)
{
    pthread_mutex_lock(&server->lock);
    /* The list holds the call, since whoever publishes may be using a subscriber while core reports
     * its call as closed on another thread. */
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
    /* Closing may come twice, from begin() and from core. Only the first one finds the link, and
     * only that one counts the rest and lets the call go. */
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

static void drop_taken(struct mrl_subscriber *subscriber)
{
    while (subscriber->count) {
        grpc_slice_unref(subscriber->taken[subscriber->first++]);
        subscriber->count--;
    }
}

/* How many events this client had still to get when it was closed. */
static uint64_t count_unsent(const struct mrl_subscriber *subscriber)
{
    return subscriber->count + subscriber->missing.total +
           mrl_backlog__behind(subscriber->call->server->backlog, &subscriber->place);
}

/* The call is over: leaves the list, and sends no more. Returns whether to cut the
 * connection, because a message is still on its way. Not where the server ended the call: the
 * status goes the same way, and must arrive. */
static bool close_subscriber(struct mrl_subscriber *subscriber)
{
    struct mrl_call *call = subscriber->call;
    bool was_there = leave(call->server, subscriber), must_cut;

    pthread_mutex_lock(&subscriber->lock);
    subscriber->closed = true;
    must_cut = subscriber->sending && !subscriber->ending;
    if (was_there && atomic_load(&call->server->ending))
        atomic_fetch_add(&call->server->unsent, count_unsent(subscriber));
    drop_taken(subscriber);
    pthread_mutex_unlock(&subscriber->lock);
    if (was_there)
        mrl_call__release(call);
    return must_cut;
}

void mrl_stream__begin(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    const enum mrl_room_answer room = mrl_call__enter(call, MRL_ROOM_STREAMS);
    struct mrl_subscriber *subscriber;
    struct mrl_reply reply = { .status = GRPC_STATUS_RESOURCE_EXHAUSTED, .text = "out of memory" };

    if (room != MRL_ROOM_TAKEN) {
        mrl_call__end_full(call, room, "there are too many streams");
        return;
    }
    subscriber = calloc(1, sizeof(*subscriber));
    if (!subscriber || !mrl_request__stream(bytes, size, &subscriber->wanted, &reply)) {
        free(subscriber);
        mrl_call__end(call, reply.status, reply.text);
        return;
    }
    pthread_mutex_init(&subscriber->lock, NULL);
    subscriber->call = call;
    subscriber->message = grpc_raw_byte_buffer_create(NULL, 0);
    mrl_backlog__join(call->server->backlog, &subscriber->place);
    subscriber->place.wants = subscriber->wanted.wants;
    subscriber->place.chosen = subscriber->wanted.chosen;
    call->subscriber = subscriber;
    enlist(call->server, subscriber);
    /* The call may have been closed before `subscriber` was set, when mrl_stream__closed() found
     * none. Nobody else would then take this one off the list. */
    if (atomic_load(&call->is_closed))
        close_subscriber(subscriber);
    pthread_mutex_lock(&subscriber->lock);
    if (!subscriber->sending)
        send_next(subscriber); /* the server may be ending */
    pthread_mutex_unlock(&subscriber->lock);
}

/* A message that a peer's full socket holds up would keep the connection for as long as the peer
 * likes, so that it is cut. With TLS there is no number to cut it by; there keepalive does it. A
 * client that was sent away and does not read either is cut by the listener, some seconds later. */
void mrl_stream__closed(struct mrl_call *call)
{
    if (call->subscriber && close_subscriber(call->subscriber) && call->fd >= 0)
        mrl_listener__cut(call->server->listener, call->fd);
}

bool mrl_server__has_drained(struct mrl_server *server)
{
    bool has_drained = true;

    pthread_mutex_lock(&server->lock);
    for (struct mrl_subscriber *each = server->subscribers; has_drained && each;
         each = each->next) {
        pthread_mutex_lock(&each->lock);
        has_drained = each->closed || each->ending ||
                      (!each->sending && !mrl_backlog__behind(server->backlog, &each->place));
        pthread_mutex_unlock(&each->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return has_drained;
}

/* Subscribers with a message on its way are skipped here; on_sent() ends them after the last. */
void mrl_server__end_streams(struct mrl_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct mrl_subscriber *each = server->subscribers; each; each = each->next) {
        pthread_mutex_lock(&each->lock);
        if (!each->sending)
            send_next(each);
        pthread_mutex_unlock(&each->lock);
    }
    pthread_mutex_unlock(&server->lock);
}

uint64_t mrl_server__progress(void *context, int fd)
{
    struct mrl_server *server = context;
    uint64_t sent = 0;

    pthread_mutex_lock(&server->lock);
    for (const struct mrl_subscriber *each = server->subscribers; each; each = each->next)
        /* Not under each->lock: that is held while core is told to send, and the listener's look
         * would wait for it. `sent` is atomic for this one reader. */
        if (each->call->fd == fd)
            sent += atomic_load_explicit(&each->sent, memory_order_relaxed);
    pthread_mutex_unlock(&server->lock);
    return sent;
}

void mrl_stream__freed(struct mrl_call *call)
{
    struct mrl_subscriber *subscriber = call->subscriber;

    if (!subscriber)
        return;
    drop_taken(subscriber);
    atomic_fetch_add(&call->server->clients, 1);
    atomic_fetch_add(&call->server->sent, atomic_load(&subscriber->sent));
    atomic_fetch_add(&call->server->missed, subscriber->missed);
    grpc_byte_buffer_destroy(subscriber->message);
    mrl_wanted__done(&subscriber->wanted);
    pthread_mutex_destroy(&subscriber->lock);
    free(subscriber);
}
