/* SPDX-License-Identifier: Apache-2.0 */
/* The policies that a client has chosen, by their names: a reload may change what there is. */
#ifndef MRL_GRPC_SERVER_CHOSEN_H
#define MRL_GRPC_SERVER_CHOSEN_H

#include <mrelease/event.h>
#include <mrelease/metrics.h>
#include <stdbool.h>

struct mrl_chosen {
    unsigned int count;
    struct mrl_text names[MRL_POLICIES_MAX];
    char bytes[MRL_POLICY_NAMES_MAX];
};

/** Whether the run has a policy of this name now. */
bool mrl_chosen__is_there(const struct mrl_metrics *metrics, const char *name);

/** Adds a name, which is copied; twice is once. Returns false where there is no room for it. */
bool mrl_chosen__add(struct mrl_chosen *chosen, const char *name);

/** Whether a StreamEventsResponse names one of them. */
bool mrl_chosen__wants(const struct mrl_chosen *chosen, const char *message, size_t size);

#endif
