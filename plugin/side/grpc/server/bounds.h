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

enum {
    MRL_CALLS_MAX = 4096,    /* open at a time, of all connections */
    MRL_AWAITED_MAX = 1024,  /* of them without a request */
    MRL_REQUEST_MS = 10000,  /* that a request may take */
    MRL_FULL_MS = 500,       /* that new clients are refused, after a call was one too many */
    MRL_WATCHERS_MAX = 1024, /* of health */
    MRL_REFUSED_POINTS = 30, /* that one over a bound is worth; one that is cancelled: 1 */
};

/** A call, as far as it is bounded; zeroed at first. */
struct mrl_bounded {
    struct mrl_bounded *next, *previous;
    int64_t since_ms;
    bool is_counted, is_listed;
};

/** Of one server; zeroed but for the lock. */
struct mrl_bounds {
    atomic_uint calls;
    pthread_mutex_t lock;             /* of the list: */
    struct mrl_bounded *first, *last; /* calls without a request, the oldest first */
    unsigned int awaited;
    atomic_ullong refused, late, cut; /* in all */
    atomic_llong full_ms;             /* when one more call was too many last */
};

/** Whether one more call may be open; if so, it counts until mrl_bounds__leave(), and else no new
 * client is let in for a while. */
bool mrl_bounds__admit(struct mrl_bounds *bounds, struct mrl_bounded *call);
void mrl_bounds__leave(struct mrl_bounds *bounds, struct mrl_bounded *call);

/** Counts a call that is refused for want of room. */
void mrl_bounds__refuse(struct mrl_bounds *bounds);

/** Whether that while has not passed. */
bool mrl_bounds__are_full(const struct mrl_bounds *bounds);

/** Its request is waited for. Returns false when too many are: then it is not. */
bool mrl_bounds__await(struct mrl_bounds *bounds, struct mrl_bounded *call);

/** Its request is there, or will not come. Harmless twice. */
void mrl_bounds__received(struct mrl_bounds *bounds, struct mrl_bounded *call);

/** The oldest call whose request takes too long, which is waited for no more; NULL: there is none.
 * `hold` is called before anybody else can let it go. */
struct mrl_bounded *mrl_bounds__take_late(struct mrl_bounds *bounds,
                                          void (*hold)(struct mrl_bounded *call));

#endif
