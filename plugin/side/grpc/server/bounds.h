/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose request is waited for, the oldest first, and counts of what was over a bound. How
 * much there is of what: share.h. For what happens inside core, there are its resource quota, and
 * the bound on the memory of the process.
 */
#ifndef MRL_GRPC_SERVER_BOUNDS_H
#define MRL_GRPC_SERVER_BOUNDS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MRL_REQUEST_MS = 10000,  /* that a request may take */
    MRL_FULL_MS = 500,       /* that new clients are refused, after a call was one too many */
    MRL_REFUSED_POINTS = 30, /* that one over a bound is worth; one that is cancelled: 1 */
};

/** A call, as far as its request is waited for; zeroed at first. */
struct mrl_bounded {
    struct mrl_bounded *next, *previous;
    int64_t since_ms;
    bool is_listed;
};

/** Of one server; zeroed but for the lock. */
struct mrl_bounds {
    pthread_mutex_t lock;             /* of the list: */
    struct mrl_bounded *first, *last; /* calls without a request, the oldest first */
    atomic_ullong refused, late, cut; /* in all */
    atomic_llong full_ms;             /* when one more call was too many last */
};

/** Counts a call that is refused for want of room. */
void mrl_bounds__refuse(struct mrl_bounds *bounds);

/** No more calls can be open: no new client is let in for a while. */
void mrl_bounds__note_full(struct mrl_bounds *bounds);

/** Whether that while has not passed. */
bool mrl_bounds__are_full(const struct mrl_bounds *bounds);

/** Its request is waited for. */
void mrl_bounds__await(struct mrl_bounds *bounds, struct mrl_bounded *call);

/** Its request is there, or will not come. Harmless twice. */
void mrl_bounds__received(struct mrl_bounds *bounds, struct mrl_bounded *call);

/** The oldest call whose request takes too long, which is waited for no more; NULL: there is none.
 * `hold` is called before anybody else can let it go. */
struct mrl_bounded *mrl_bounds__take_late(struct mrl_bounds *bounds,
                                          void (*hold)(struct mrl_bounded *call));

#endif
