// SPDX-License-Identifier: Apache-2.0
/* What a client wants of StreamEvents: policies, and a mask of fields. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "abi/record.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/backlog.h"
#include "side/grpc/server/requests.h"

static bool make_mask(const Google__Protobuf__FieldMask *mask,
                      struct mrl_mask **ret_mask,
                      struct mrl_reply *reply)
{
    struct mrl_text *paths = mask ? calloc(mask->n_paths + 1, sizeof(*paths)) : NULL;
    int err = 0;

    *ret_mask = NULL;
    if (!mask || !mask->n_paths) {
        free(paths);
        return true;
    }
    for (size_t i = 0; paths && i < mask->n_paths; i++)
        paths[i] = (struct mrl_text){ mask->paths[i], strlen(mask->paths[i]) };
    err = paths ? mrl_mask__new(paths, mask->n_paths, ret_mask) : -ENOMEM;
    free(paths);
    if (err)
        mrl_reply__fail(reply, GRPC_STATUS_RESOURCE_EXHAUSTED, "the mask: %s", strerror(-err));
    return !err;
}

/* The empty name is all events, whether or not there are policies that have names: a reload may
 * bring some while the client is there. */
static bool add_policy(struct mrl_wanted *wanted,
                       const char *name,
                       struct mrl_chosen *chosen,
                       struct mrl_metrics **metrics,
                       struct mrl_reply *reply)
{
    int err = 0;

    if (!*name) {
        wanted->wants |= MRL_WANTS_EVENTS;
        return true;
    }
    if (!strcmp(name, mrl_event_def__at(MRL_EVENT_SENSOR_STATE)->name)) {
        wanted->wants |= MRL_WANTS_STATES;
        return true;
    }
    if (!*metrics)
        err = mrl_grpc_program->metrics(metrics);
    if (err) {
        mrl_reply__fail(reply, GRPC_STATUS_UNAVAILABLE, "the policies are not there: %s",
                        strerror(-err));
        return false;
    }
    wanted->wants |= MRL_WANTS_EVENTS;
    if (mrl_chosen__is_there(*metrics, name) && mrl_chosen__add(chosen, name))
        return true;
    mrl_reply__fail(reply, GRPC_STATUS_NOT_FOUND, "policy [%.253s] not found", name);
    return false;
}

static bool read_policies(const Tracee__V1beta1__StreamEventsRequest *request,
                          struct mrl_wanted *wanted,
                          struct mrl_reply *reply)
{
    struct mrl_chosen *chosen = request->n_policies ? calloc(1, sizeof(*chosen)) : NULL;
    struct mrl_metrics *metrics = NULL;
    bool right = chosen || !request->n_policies, has_all = !request->n_policies;

    if (!right)
        mrl_reply__fail(reply, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
    if (has_all)
        wanted->wants = MRL_WANTS_EVENTS;
    for (size_t i = 0; right && i < request->n_policies; i++) {
        right = add_policy(wanted, request->policies[i], chosen, &metrics, reply);
        has_all |= !*request->policies[i];
    }
    mrl_metrics__free(metrics);
    if (right && !has_all && chosen->count)
        wanted->chosen = chosen;
    else
        free(chosen);
    return right;
}

/* One policy has the empty name, one is sensor_state, the others are those of the run; a request
 * for any other is an error. */
bool mrl_request__stream(const uint8_t *bytes,
                         size_t size,
                         struct mrl_wanted *ret_wanted,
                         struct mrl_reply *reply)
{
    Tracee__V1beta1__StreamEventsRequest *request =
        tracee__v1beta1__stream_events_request__unpack(NULL, size, bytes);
    struct mrl_wanted wanted = { .wants = 0 };
    bool right = request && read_policies(request, &wanted, reply) &&
                 make_mask(request->mask, &wanted.mask, reply);

    if (!request)
        mrl_reply__fail(reply, GRPC_STATUS_INVALID_ARGUMENT,
                        "the request is no tracee.v1beta1.StreamEventsRequest");
    else
        tracee__v1beta1__stream_events_request__free_unpacked(request, NULL);
    if (right)
        *ret_wanted = wanted;
    else
        mrl_wanted__done(&wanted);
    return right;
}

void mrl_wanted__done(struct mrl_wanted *wanted)
{
    free(wanted->chosen);
    mrl_mask__free(wanted->mask);
}
