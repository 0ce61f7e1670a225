// SPDX-License-Identifier: Apache-2.0
/* Watchers of health. */
#include "grpc/health.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/requests.h"

enum { NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

/* Those that were told anything but SERVING, of all servers. A call is in it at most once. */
static struct mrl_call *waiting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void send_status(struct mrl_call *call, const uint8_t *bytes, size_t size);

/* With the lock held. Whoever is told is not waited for any more. */
static bool take(struct mrl_call *call)
{
    for (struct mrl_call **link = &waiting; *link; link = &(*link)->next_watcher)
        if (*link == call) {
            *link = call->next_watcher;
            return true;
        }
    return false;
}

/* The first status is on its way; the next may have come meanwhile. */
static void on_told(struct mrl_call *call, bool ok)
{
    static const uint8_t serving[] = { 0x08, 1 };
    bool tell;

    pthread_mutex_lock(&lock);
    call->is_told = true;
    tell = ok && atomic_load(&mrl_grpc_ready) && take(call);
    pthread_mutex_unlock(&lock);
    if (tell) {
        send_status(call, serving, sizeof(serving));
        mrl_call__release(call);
    }
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

void mrl_health__watch(struct mrl_call *call, const uint8_t *bytes, size_t size)
{
    static const uint8_t unknown[] = { 0x08, SERVICE_UNKNOWN };
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };

    mrl_answer__health(bytes, size, &reply);
    if (reply.status == GRPC_STATUS_NOT_FOUND) {
        send_status(call, unknown, sizeof(unknown));
    } else if (reply.status != GRPC_STATUS_OK) {
        mrl_call__end(call, reply.status, reply.text);
    } else {
        if (reply.size == 2 && reply.bytes[1] == NOT_SERVING) {
            pthread_mutex_lock(&lock);
            mrl_call__hold(call);
            call->next_watcher = waiting;
            waiting = call;
            pthread_mutex_unlock(&lock);
        }
        send_status(call, reply.bytes, reply.size);
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

void mrl_health__serve(void)
{
    struct mrl_call *told[64];
    unsigned int count;

    do {
        count = 0;
        pthread_mutex_lock(&lock);
        for (struct mrl_call *each = waiting, *next; each && count < 64; each = next) {
            next = each->next_watcher;
            if (each->is_told && take(each))
                told[count++] = each;
        }
        pthread_mutex_unlock(&lock);
        for (unsigned int i = 0; i < count; i++) {
            static const uint8_t serving[] = { 0x08, 1 };

            send_status(told[i], serving, sizeof(serving));
            mrl_call__release(told[i]);
        }
    } while (count);
}
