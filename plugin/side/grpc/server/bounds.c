// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/bounds.h"

#include "base/clock.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/call.h"
#include "side/grpc/server/listener.h"

static int64_t now_ms(void)
{
    return mrl_clock__ns(CLOCK_MONOTONIC) / 1000000;
}

bool mrl_bounds__admit(struct mrl_call *call)
{
    struct mrl_bounds *bounds = &call->server->bounds;

    call->bounded.is_counted = atomic_fetch_add(&bounds->calls, 1) < MRL_CALLS_MAX;
    if (call->bounded.is_counted)
        return true;
    atomic_fetch_sub(&bounds->calls, 1);
    atomic_fetch_add(&bounds->refused, 1);
    return false;
}

void mrl_bounds__leave(struct mrl_call *call)
{
    mrl_bounds__received(call);
    if (call->bounded.is_counted)
        atomic_fetch_sub(&call->server->bounds.calls, 1);
}

bool mrl_bounds__await(struct mrl_call *call)
{
    struct mrl_bounds *bounds = &call->server->bounds;
    struct mrl_bounded *place = &call->bounded;

    pthread_mutex_lock(&bounds->lock);
    place->is_listed = bounds->awaited < MRL_AWAITED_MAX;
    if (place->is_listed) {
        bounds->awaited++;
        place->since_ms = now_ms();
        place->next = NULL;
        place->previous = bounds->last;
        *(bounds->last ? &bounds->last->bounded.next : &bounds->first) = call;
        bounds->last = call;
    }
    pthread_mutex_unlock(&bounds->lock);
    if (!place->is_listed)
        atomic_fetch_add(&bounds->refused, 1);
    return place->is_listed;
}

/* With the lock held. */
static void unlist(struct mrl_bounds *bounds, struct mrl_call *call)
{
    struct mrl_bounded *place = &call->bounded;

    if (!place->is_listed)
        return;
    place->is_listed = false;
    bounds->awaited--;
    *(place->previous ? &place->previous->bounded.next : &bounds->first) = place->next;
    *(place->next ? &place->next->bounded.previous : &bounds->last) = place->previous;
}

void mrl_bounds__received(struct mrl_call *call)
{
    struct mrl_bounds *bounds = &call->server->bounds;

    pthread_mutex_lock(&bounds->lock);
    unlist(bounds, call);
    pthread_mutex_unlock(&bounds->lock);
}

void mrl_bounds__cancelled(const struct mrl_call *call)
{
    char peer[128];

    if (call->fd < 0 ||
        !mrl_listener__note_cancelled(call->server->listener, call->fd, MRL_CANCELLED_MAX, peer))
        return;
    atomic_fetch_add(&call->server->bounds.cut, 1);
    mrl_grpc__log(MRL_LOG_WARNING, "a client, %s, was cut: it cancels calls by the hundred", peer);
}

/* The oldest that is late, held; NULL: none is. */
static struct mrl_call *take_late(struct mrl_bounds *bounds, int64_t before_ms)
{
    struct mrl_call *call;

    pthread_mutex_lock(&bounds->lock);
    call = bounds->first;
    if (call && call->bounded.since_ms < before_ms) {
        mrl_call__hold(call); /* it is in the list: somebody else holds it as well */
        unlist(bounds, call);
    } else {
        call = NULL;
    }
    pthread_mutex_unlock(&bounds->lock);
    return call;
}

void mrl_bounds__tick(struct mrl_bounds *bounds)
{
    const int64_t before_ms = now_ms() - MRL_REQUEST_MS;
    struct mrl_call *call;

    while ((call = take_late(bounds, before_ms))) {
        atomic_fetch_add(&bounds->late, 1);
        grpc_call_cancel_with_status(call->core, GRPC_STATUS_DEADLINE_EXCEEDED,
                                     "the request did not come", NULL);
        mrl_call__release(call);
    }
}
