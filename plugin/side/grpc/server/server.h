/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on gRPC core: its queues and their threads, its calls, its clients. One per output.
 *
 * Threads. One thread accepts connections and watches them. New calls arrive on a queue that never
 * streams, so that no busy stream keeps them waiting; calls live on one of two others. Each queue
 * has a thread. Events come on the thread of the output.
 */
#ifndef MRL_GRPC_SERVER_SERVER_H
#define MRL_GRPC_SERVER_SERVER_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "side/grpc/server/bounds.h"
#include "side/grpc/server/share.h"
#include "sinks/grpc_options.h"

enum {
    MRL_QUEUE_NEW,       /* of new calls */
    MRL_QUEUE_CALLS,     /* the first of those of calls */
    MRL_QUEUE_COUNT = 3, /* of all */
};

struct mrl_backlog;
struct mrl_listener;
struct mrl_method;
struct mrl_relays;
struct mrl_subscriber;
struct mrl_tls;

/** The thread of a queue. */
struct mrl_server_queue {
    grpc_completion_queue *core;
    pthread_t thread;
    atomic_bool is_busy;       /* with a tag, and may start a batch */
    atomic_ulong done;         /* tags */
    unsigned long done_before; /* at the last look */
    char apart[64];            /* each writes its own line of the cache */
};

struct mrl_server {
    struct mrl_server_options options;
    const struct mrl_method *methods; /* what clients can call */
    unsigned int method_count;
    grpc_server *core;
    struct mrl_server_queue queues[MRL_QUEUE_COUNT];
    unsigned int thread_count;
    struct mrl_listener *listener;
    struct mrl_tls *tls; /* NULL: plain */
    struct mrl_relays *relays;
    struct mrl_backlog *backlog;
    atomic_bool ending;  /* no new batch may begin on a queue */
    atomic_bool closing; /* streams that have sent all end */
    atomic_llong published_ms;
    atomic_bool shut;           /* core's shutdown is complete */
    atomic_size_t answer_bytes; /* of all calls but streams, that are not sent yet */
    atomic_uint next_queue;
    struct mrl_shares shares;
    struct mrl_bounds bounds;
    pthread_mutex_t lock; /* of the list of subscribers */
    struct mrl_subscriber *subscribers;
    unsigned int subscriber_count;
    /* Of all subscribers that are gone. */
    atomic_ullong clients, sent, missed, sent_away, unsent, cut_short;
};

#endif
