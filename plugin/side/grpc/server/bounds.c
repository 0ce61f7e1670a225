// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/bounds.h"

#include <stddef.h>

#include "base/clock.h"

void mrl_bounds__refuse(struct mrl_bounds *bounds)
{
    atomic_fetch_add(&bounds->refused, 1);
}

void mrl_bounds__note_full(struct mrl_bounds *bounds)
{
    atomic_store(&bounds->full_ms, mrl_clock__ms());
}

bool mrl_bounds__are_full(const struct mrl_bounds *bounds)
{
    int64_t full_ms = atomic_load(&bounds->full_ms);

    return full_ms && mrl_clock__ms() - full_ms < MRL_FULL_MS;
}

void mrl_bounds__await(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    pthread_mutex_lock(&bounds->lock);
    *call = (struct mrl_bounded){ NULL, bounds->last, mrl_clock__ms(), true };
    *(bounds->last ? &bounds->last->next : &bounds->first) = call;
    bounds->last = call;
    pthread_mutex_unlock(&bounds->lock);
}

/* With the lock held. */
static void unlist(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    if (!call->is_listed)
        return;
    call->is_listed = false;
    *(call->previous ? &call->previous->next : &bounds->first) = call->next;
    *(call->next ? &call->next->previous : &bounds->last) = call->previous;
}

void mrl_bounds__received(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    pthread_mutex_lock(&bounds->lock);
    unlist(bounds, call);
    pthread_mutex_unlock(&bounds->lock);
}

struct mrl_bounded *mrl_bounds__take_late(struct mrl_bounds *bounds,
                                          void (*hold)(struct mrl_bounded *call))
{
    const int64_t before_ms = mrl_clock__ms() - MRL_REQUEST_MS;
    struct mrl_bounded *call;

    pthread_mutex_lock(&bounds->lock);
    call = bounds->first && bounds->first->since_ms < before_ms ? bounds->first : NULL;
    if (call) {
        hold(call);
        unlist(bounds, call);
    }
    pthread_mutex_unlock(&bounds->lock);
    if (call)
        atomic_fetch_add(&bounds->late, 1);
    return call;
}
