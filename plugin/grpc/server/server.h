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
#include <mrelease/error.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "grpc/common/module.h"

enum {
    MRL_QUEUE_NEW,       /* of new calls */
    MRL_QUEUE_CALLS,     /* the first of those of calls */
    MRL_QUEUE_COUNT = 3, /* of all */
    MRL_FILE_MAX = 512,  /* of a path in a setting */
};

struct mrl_backlog;
struct mrl_listener;
struct mrl_subscriber;
struct mrl_tls;

/** How a server serves. */
struct mrl_server_options {
    bool is_main;        /* events as Tracee's main branch has them */
    int disconnect_slow; /* 1: a client whose ring is full; 0: its oldest events are dropped */
    bool read_only;      /* clients may change nothing */
    bool insecure;       /* other than loopback addresses are served without TLS */
    unsigned int mode;   /* of a unix socket; 0: 0600 */
    char group[64];      /* of a unix socket, whose members may connect; "": none */
    /* Paths of PEM files; "": none. */
    char cert[MRL_FILE_MAX], key[MRL_FILE_MAX]; /* both or none */
    char client_ca[MRL_FILE_MAX];               /* who signs those of clients, which are wanted */
};

/** Reads "name=value,name=value". Error: -EINVAL, with the nearest word. */
int mrl_server_options__read(struct mrl_server_options *options,
                             const char *settings,
                             struct mrl_error *error);

/** The thread of a queue. */
struct mrl_server_queue {
    grpc_completion_queue *core;
    pthread_t thread;
    atomic_bool is_busy; /* with a tag, and may start a batch */
    char apart[64];      /* each writes its own line of the cache */
};

struct mrl_server {
    struct mrl_server_options options;
    grpc_server *core;
    struct mrl_server_queue queues[MRL_QUEUE_COUNT];
    unsigned int thread_count;
    struct mrl_listener *listener; /* NULL with TLS */
    struct mrl_tls *tls;           /* NULL: plain */
    struct mrl_backlog *backlog;
    atomic_bool ending;  /* no new batch may begin on a queue */
    atomic_bool closing; /* streams that have sent all end */
    atomic_llong published_ms;
    atomic_bool shut;           /* core's shutdown is complete */
    atomic_size_t answer_bytes; /* of all calls but streams, that are not sent yet */
    atomic_uint next_queue;
    pthread_mutex_t lock; /* of the list of subscribers */
    struct mrl_subscriber *subscribers;
    unsigned int subscriber_count;
    /* Of all subscribers that are gone. */
    atomic_ullong clients, sent, missed, sent_away, unsent;
};

/** What the services know of the program, and whether the probes are proven. */
extern const struct mrl_grpc_program *mrl_grpc_program;
extern atomic_bool mrl_grpc_ready;

/** Formats a line for the program's log. */
__attribute__((format(printf, 2, 3))) void mrl_grpc__log(enum mrl_log_level level,
                                                         const char *format,
                                                         ...);

/** ms of a clock that only moves on. */
int64_t mrl_server__now_ms(void);

/** Listens, and begins to serve. `*ret_server` is new. Errors: as bind() and listen(), with a line;
 * -EADDRINUSE another server is alive there. */
int mrl_server__open(const char *destination,
                     const struct mrl_server_options *options,
                     struct mrl_error *error,
                     struct mrl_server **ret_server);

/** Reads the files of TLS again, for connections from now on. Errors: as mrl_tls__open(); those in
 * use stay. */
int mrl_server__reload(struct mrl_server *server, struct mrl_error *error);

/** Tells all clients UNAVAILABLE, ends within two seconds whatever they do, and frees it. */
void mrl_server__close(struct mrl_server *server);

#endif
