// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/bounds.h"

#include <stddef.h>

#include "base/clock.h"

bool mrl_bounds__admit(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    call->is_counted = atomic_fetch_add(&bounds->calls, 1) < MRL_CALLS_MAX;
    if (call->is_counted)
        return true;
    atomic_fetch_sub(&bounds->calls, 1);
    atomic_store(&bounds->full_ms, mrl_clock__ms());
    return false;
}

void mrl_bounds__refuse(struct mrl_bounds *bounds)
{
    atomic_fetch_add(&bounds->refused, 1);
}

bool mrl_bounds__are_full(const struct mrl_bounds *bounds)
{
    int64_t full_ms = atomic_load(&bounds->full_ms);

    return full_ms && mrl_clock__ms() - full_ms < MRL_FULL_MS;
}

void mrl_bounds__leave(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    mrl_bounds__received(bounds, call);
    if (call->is_counted)
        atomic_fetch_sub(&bounds->calls, 1);
}

bool mrl_bounds__await(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    bool has_room;

    pthread_mutex_lock(&bounds->lock);
    has_room = bounds->awaited < MRL_AWAITED_MAX;
    if (has_room) {
        bounds->awaited++;
        *call = (struct mrl_bounded){ NULL, bounds->last, mrl_clock__ms(), call->is_counted, true };
        *(bounds->last ? &bounds->last->next : &bounds->first) = call;
        bounds->last = call;
    }
    pthread_mutex_unlock(&bounds->lock);
    return has_room;
}

/* With the lock held. */
static void unlist(struct mrl_bounds *bounds, struct mrl_bounded *call)
{
    if (!call->is_listed)
        return;
    call->is_listed = false;
    bounds->awaited--;
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
