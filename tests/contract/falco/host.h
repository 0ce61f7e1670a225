/* SPDX-License-Identifier: Apache-2.0 */
/* A host of the plugin, written from Falco's ABI: finds its functions, and drives them in the order
 * of Falco. */
#ifndef MRL_CONTRACT_FALCO_HOST_H
#define MRL_CONTRACT_FALCO_HOST_H

#include <stdbool.h>

#include "falco/abi.h"

/** A loaded plugin. */
struct falco_host {
    void *image;
/* clang-format off */
#define FALCO_FUNCTIONS(X) \
    X(get_required_api_version) \
    X(get_version) \
    X(get_name) \
    X(get_description) \
    X(get_contact) \
    X(get_init_schema) \
    X(init) \
    X(destroy) \
    X(get_last_error) \
    X(get_metrics) \
    X(get_id) \
    X(get_event_source) \
    X(list_open_params) \
    X(open) \
    X(close) \
    X(next_batch) \
    X(get_progress) \
    X(event_to_string) \
    X(get_fields) \
    X(get_extract_event_sources) \
    X(extract_fields)
/* clang-format on */
#define X(name) __typeof__(plugin_##name) *name;
    FALCO_FUNCTIONS(X)
#undef X
};

/** Loads it as Falco does. Returns false, with dlerror(), when it cannot or a function is missing.
 */
bool falco_host__load(struct falco_host *host, const char *path);

void falco_host__unload(struct falco_host *host);

/** A state; `rc` as the plugin set it. */
struct falco_state *falco_host__init(const struct falco_host *host, const char *config, int *rc);

/** What the host does with an event: the plugin's id is filled in, in place. */
void falco_host__accept(const struct falco_host *host, struct falco_event *event);

/** Whether a plugin that wants API `wanted` is loaded by a host of API `have`. */
bool falco_host__takes_api(const char *have, const char *wanted);

#endif
