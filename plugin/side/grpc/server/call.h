/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a client, from its arrival to its last tag. A call is freed when nobody holds it: each
 * batch that is under way does, and the list of subscribers.
 */
#ifndef MRL_GRPC_SERVER_CALL_H
#define MRL_GRPC_SERVER_CALL_H

#include <grpc/grpc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "side/grpc/server/bounds.h"
#include "side/grpc/server/reply.h"
#include "side/grpc/server/server.h"
#include "side/grpc/server/share.h"

/** For the thread sanitizer, which does not see how core hands a tag from one thread to another. */
#if defined(__SANITIZE_THREAD__)
#    include <sanitizer/tsan_interface.h>
#    define MRL_ACQUIRE(tag) __tsan_acquire(tag)
#    define MRL_RELEASE(tag) __tsan_release(tag)
#else
#    define MRL_ACQUIRE(tag) (void)(tag)
#    define MRL_RELEASE(tag) (void)(tag)
#endif

struct mrl_call;

/** What core hands back through a queue when a batch ends: the call, and what to do now. */
struct mrl_call_tag {
    struct mrl_call *call;
    void (*done)(struct mrl_call *call, bool ok);
};

/** A method: one row. */
struct mrl_method {
    const char *path;
    /** Answers a request, which may be any bytes: one message, or a status that is not OK. */
    void (*answer)(const uint8_t *bytes, size_t size, struct mrl_reply *reply);
    /** Instead: takes the call over, once its request is there. */
    void (*stream)(struct mrl_call *call, const uint8_t *bytes, size_t size);
    /** Each request is answered, until the client has no more. */
    bool repeats;
    /** Of those that take calls over: NULL, or called when core has nothing more to say of the
     * call, and when nobody holds it any more. */
    void (*closed)(struct mrl_call *call);
    void (*freed)(struct mrl_call *call);
};

struct mrl_call {
    struct mrl_server *server;
    grpc_call *core;
    grpc_completion_queue *queue;
    grpc_call_details details;
    grpc_metadata_array metadata;
    const struct mrl_method *method;
    atomic_uint holders;
    struct mrl_call_tag arrived, closed, received, sent, ended;
    grpc_byte_buffer *request;
    int cancelled;
    struct mrl_subscriber *subscriber;
    struct mrl_bounded bounded;
    struct mrl_call *next_watcher, **watcher_link; /* of health; link NULL: it is in no list */
    /* Of a watcher: it is told of changes; a status is on its way; the last one was SERVING. */
    bool wants_status, is_sending, told_serving;
    bool is_ended;         /* a watcher got its last */
    atomic_bool is_closed; /* core has nothing more to say of the call */
    int fd;                /* of its connection; -1: not known */
    size_t answer_bytes;   /* on their way */
    /* Of its connection; NULL: that has too many calls, or this one has given its share back. */
    struct mrl_share *_Atomic share;
    struct mrl_peer *peer; /* NULL: without memory, or without a share */
    atomic_uint rooms;     /* a bit for each enum mrl_room that it takes room in */
};

/** A duplicate of the connection that the call came by, the caller's to close; -1: it is not known,
 * or gone. NULL is allowed. */
int mrl_call__connection(const struct mrl_call *call);

/** Asks core for the next call, whose tags will come on one of the queues of calls. */
void mrl_call__await(struct mrl_server *server);

/** Cancels calls whose request takes too long. One thread at a time. */
void mrl_calls__end_late(struct mrl_server *server);

void mrl_call__hold(struct mrl_call *call);
void mrl_call__release(struct mrl_call *call);

/** Starts a batch whose end is `tag`. Returns whether it began. */
bool mrl_call__start(struct mrl_call *call,
                     const grpc_op *ops,
                     size_t count,
                     struct mrl_call_tag *tag);

/** The client has done what few calls should do (mrl_listener__blame()). */
void mrl_call__blame(struct mrl_call *call, unsigned int points);

/** Room until mrl_call__leave(), or until the call is freed. */
enum mrl_room_answer mrl_call__enter(struct mrl_call *call, enum mrl_room room);
void mrl_call__leave(struct mrl_call *call, enum mrl_room room);

/** Ends a call that has begun, for want of room. A peer that wants more than its part is blamed. */
void mrl_call__end_full(struct mrl_call *call, enum mrl_room_answer why, const char *text);

/** Ends the call with a status, after all that was sent before. */
void mrl_call__end(struct mrl_call *call, grpc_status_code status, const char *text);

#endif
