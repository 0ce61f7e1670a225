// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/health.h"

#include <stdlib.h>
#include <string.h>

#include "side/grpc/common/program.h"
#include "side/grpc/server/requests.h"

enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

/* All watchers, of all servers. A call is in it at most once, and held by it. */
static struct mrl_call *watchers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void send_status(struct mrl_call *call, const uint8_t *bytes, size_t size);
static void send_told(struct mrl_call *call);

/* With the lock held. Whether it was in the list. */
static bool take(struct mrl_call *call)
{
    if (!call->watcher_link)
        return false;
    *call->watcher_link = call->next_watcher;
    if (call->next_watcher)
        call->next_watcher->watcher_link = call->watcher_link;
    call->watcher_link = NULL;
    mrl_call__leave(call, MRL_ROOM_WATCHERS);
    return true;
}

/* With the lock held. Whether it is to be told what holds now, which is then noted as told. */
static bool is_due(struct mrl_call *call)
{
    const bool serves = atomic_load(&mrl_grpc_ready);
    const bool due = call->wants_status && !call->is_sending && call->told_serving != serves;

    if (due)
        call->told_serving = serves;
    call->is_sending |= due;
    return due;
}

/* It may have changed while a status was on its way. */
static void on_told(struct mrl_call *call, bool ok)
{
    bool tell;

    pthread_mutex_lock(&lock);
    call->is_sending = false;
    tell = ok && is_due(call);
    pthread_mutex_unlock(&lock);
    if (tell)
        send_told(call);
}

static void send_status(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes, size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = { .op = GRPC_OP_SEND_MESSAGE };

    op.data.send_message.send_message = message;
    call->sent = (struct mrl_call_tag){ call, on_told };
    mrl_call__start(call, &op, 1, &call->sent);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
}

static void send_told(struct mrl_call *call)
{
    const uint8_t status[] = { 0x08, call->told_serving ? SERVING : NOT_SERVING };

    send_status(call, status, sizeof(status));
}

/* Its first status is on its way. */
static void enlist(struct mrl_call *call, bool is_known, bool serves)
{
    pthread_mutex_lock(&lock);
    mrl_call__hold(call);
    call->wants_status = is_known;
    call->told_serving = serves;
    call->is_sending = true;
    call->next_watcher = watchers;
    if (watchers)
        watchers->watcher_link = &call->next_watcher;
    call->watcher_link = &watchers;
    watchers = call;
    pthread_mutex_unlock(&lock);
    if (atomic_load(&call->is_closed))
        mrl_health__forget(call);
}

static void begin(struct mrl_call *call, const struct mrl_reply *reply)
{
    static const uint8_t unknown[] = { 0x08, SERVICE_UNKNOWN };
    const bool is_known = reply->status == GRPC_STATUS_OK;

    enlist(call, is_known, reply->size == 2 && reply->bytes[1] == SERVING);
    if (is_known)
        send_status(call, reply->bytes, reply->size);
    else
        send_status(call, unknown, sizeof(unknown));
}

void mrl_health__watch(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };
    enum mrl_room_answer room;

    mrl_answer__health(bytes, size, &reply);
    if (reply.status != GRPC_STATUS_OK && reply.status != GRPC_STATUS_NOT_FOUND) {
        mrl_call__end(call, reply.status, reply.text);
    } else {
        room = mrl_call__enter(call, MRL_ROOM_WATCHERS);
        if (room == MRL_ROOM_TAKEN)
            begin(call, &reply);
        else
            mrl_call__end_full(call, room, "there are too many watchers");
    }
    free(reply.bytes);
}

void mrl_health__forget(struct mrl_call *call)
{
    bool was_there;

    pthread_mutex_lock(&lock);
    was_there = take(call);
    pthread_mutex_unlock(&lock);
    if (was_there)
        mrl_call__release(call);
}

enum { AT_ONCE = 64 };

/* Collects those that `wanted` takes, each of them once, and holds them. */
static unsigned int collect(bool (*wanted)(struct mrl_call *call, const struct mrl_server *server),
                            const struct mrl_server *server,
                            struct mrl_call *found[AT_ONCE])
{
    unsigned int count = 0;

    pthread_mutex_lock(&lock);
    for (struct mrl_call *each = watchers; each && count < AT_ONCE; each = each->next_watcher)
        if (wanted(each, server)) {
            mrl_call__hold(each);
            found[count++] = each;
        }
    pthread_mutex_unlock(&lock);
    return count;
}

static bool can_be_told(struct mrl_call *call, const struct mrl_server *server)
{
    (void)server;
    return is_due(call);
}

static bool can_be_ended(struct mrl_call *call, const struct mrl_server *server)
{
    bool can = call->server == server && !call->is_ended;

    call->is_ended |= can;
    return can;
}

void mrl_health__set(bool serves)
{
    struct mrl_call *found[AT_ONCE];
    unsigned int count;

    atomic_store(&mrl_grpc_ready, serves);
    while ((count = collect(can_be_told, NULL, found)))
        for (unsigned int i = 0; i < count; i++) {
            send_told(found[i]);
            mrl_call__release(found[i]);
        }
}

void mrl_health__end(const struct mrl_server *server)
{
    struct mrl_call *found[AT_ONCE];
    unsigned int count;

    while ((count = collect(can_be_ended, server, found)))
        for (unsigned int i = 0; i < count; i++) {
            mrl_call__end(found[i], GRPC_STATUS_UNAVAILABLE, "the server ends");
            mrl_call__release(found[i]);
        }
}
