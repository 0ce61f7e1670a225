/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers may take of a server, as far as calls show it: how many are open, how many of them
 * have sent no request yet, and for how long. For what happens inside core, there are its resource
 * quota, and the bound on the memory of the process.
 */
#ifndef MRL_GRPC_SERVER_BOUNDS_H
#define MRL_GRPC_SERVER_BOUNDS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mrl_call;

enum {
    MRL_CALLS_MAX = 4096,    /* open at a time, of all connections */
    MRL_AWAITED_MAX = 1024,  /* of them without a request */
    MRL_REQUEST_MS = 10000,  /* that a request may take */
    MRL_WATCHERS_MAX = 1024, /* of health */
    MRL_CANCELLED_MAX = 300, /* of a connection in a second; more are cut */
};

/** Of one server. */
struct mrl_bounds {
    atomic_uint calls;
    pthread_mutex_t lock; /* of the list: calls without a request, the oldest first */
    struct mrl_call *first, *last;
    unsigned int awaited;
    atomic_ullong refused, late, cut; /* in all */
};

/** A call's place in the list. */
struct mrl_bounded {
    struct mrl_call *next, *previous;
    int64_t since_ms;
    bool is_counted, is_listed;
};

/** Whether one more call may be open; if so, it counts until mrl_bounds__leave(). */
bool mrl_bounds__admit(struct mrl_call *call);
void mrl_bounds__leave(struct mrl_call *call);

/** Its request is waited for. Returns false when too many are: then it is not. */
bool mrl_bounds__await(struct mrl_call *call);

/** Its request is there, or will not come. Harmless twice. */
void mrl_bounds__received(struct mrl_call *call);

/** A client has cancelled it: of one that does so too often, the connection is cut. */
void mrl_bounds__cancelled(const struct mrl_call *call);

/** Cancels calls whose request takes too long. Once a second, on one thread. */
void mrl_bounds__tick(struct mrl_bounds *bounds);

#endif
