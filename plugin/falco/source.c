// SPDX-License-Identifier: Apache-2.0
/*
 * Sourcing: probes are loaded when a stream is opened, and never before, because a host makes
 * states of this plugin also to look at it. An event is a payload (payload.h) behind Falco's
 * header, in memory that is taken once.
 */
#include <errno.h>
#include <limits.h>
#include <mrelease/extra.h>
#include <mrelease/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/layout.h"
#include "falco/failures.h"
#include "falco/names.h"
#include "falco/state.h"

enum {
    BATCH_EVENTS = 128,
    WAIT_MS = 10, /* the host looks for its own end between calls only */
};

#define EVENT_MAX (sizeof(struct falco_plugin_event) + MRL_PAYLOAD_MAX)

struct falco_instance {
    struct mrl_plugin *plugin;
    struct mrl_falco_names names;
    char *params;            /* the host's are gone when open() returns */
    struct mrl_batch *batch; /* events that were read and not yet handed out; NULL: none */
    unsigned int count, at;
    bool tells_run; /* in payloads: --extra id was asked for */
    int end;        /* what every later call returns, an enum falco_rc; 0: it has not ended */
    struct mrl_failures failures;
    struct falco_event *events[BATCH_EVENTS];
    char bytes[BATCH_EVENTS * EVENT_MAX];
};

/* -- opening and closing ---------------------------------------------------------------------- */

static int read_parameters(const char *params,
                           struct mrl_plugin_options *options,
                           struct mrl_error *error)
{
    static const char replay[] = "replay:";

    if (!*params || !strcmp(params, "live"))
        return 0;
    if (strncmp(params, replay, sizeof(replay) - 1) != 0)
        return mrl_error__set(error, -EINVAL,
                              "open_params '%s': it is empty or live, or replay:FILE", params);
    options->replay = params + sizeof(replay) - 1;
    if (!*options->replay)
        return mrl_error__set(error, -EINVAL, "open_params '%s': which file?", params);
    return 0;
}

static void publish(struct falco_state *state, struct mrl_plugin *plugin)
{
    pthread_mutex_lock(&state->lock);
    state->opened = plugin;
    pthread_mutex_unlock(&state->lock);
}

static void free_instance(struct falco_instance *instance)
{
    if (!instance)
        return;
    mrl_batch__unref(instance->batch);
    mrl_falco_names__rest(&instance->names);
    mrl_plugin__close(instance->plugin);
    mrl_falco_names__done(&instance->names);
    free(instance->params);
    free(instance);
}

static struct falco_instance *new_instance(const char *params)
{
    struct falco_instance *instance = calloc(1, sizeof(*instance));

    if (!instance)
        return NULL;
    mrl_names_bridge__init(&instance->names.bridge);
    instance->params = strdup(params ? params : "");
    if (instance->params)
        return instance;
    free_instance(instance);
    return NULL;
}

struct falco_instance *plugin_open(struct falco_state *state, const char *params, int *rc)
{
    struct falco_instance *instance = new_instance(params);
    struct mrl_plugin_options options = state->config.options;
    int err = instance ? read_parameters(instance->params, &options, &state->error)
                       : mrl_error__set(&state->error, -ENOMEM, "out of memory");

    options.states = mrl_extras__take_states(options.extras);
    if (!err)
        instance->tells_run = options.extras & 1U << MRL_EXTRA_ID;
    if (!err)
        err = mrl_falco_names__open(&instance->names, &state->config, &options, &state->error);
    if (!err)
        err = mrl_plugin__open(&options, &state->error, &instance->plugin);
    *rc = err ? FALCO_FAILURE : FALCO_SUCCESS;
    if (err) {
        free_instance(instance);
        return NULL;
    }
    mrl_falco_names__begin(&instance->names, instance->plugin);
    publish(state, instance->plugin);
    return instance;
}

void plugin_close(struct falco_state *state, struct falco_instance *instance)
{
    if (!instance)
        return;
    pthread_mutex_lock(&state->lock);
    if (state->opened == instance->plugin)
        state->opened = NULL;
    pthread_mutex_unlock(&state->lock);
    free_instance(instance);
}

const char *plugin_list_open_params(struct falco_state *state, int *rc)
{
    (void)state;
    *rc = FALCO_SUCCESS;
    return "[{\"value\":\"live\",\"desc\":\"The calls of this host, as init_config chooses them; so do empty ones\"},"
           "{\"value\":\"replay:FILE\",\"desc\":\"A capture of 'mrelease run --record', without privileges\"}]";
}

/* -- events ----------------------------------------------------------------------------------- */

/* Returns the bytes written; 0 for an event that has no payload. */
static size_t put_event(struct falco_instance *instance, const struct mrl_event *event, char *at)
{
    size_t size =
        mrl_payload__put(at + sizeof(struct falco_plugin_event), event,
                         event->raw ? mrl_failures__count(&instance->failures, event) : 0);
    struct falco_plugin_event head = {
        .head = { .ts = event->entry_ns,
                  .tid = UINT64_MAX,
                  .type = FALCO_PLUGIN_EVENT,
                  .nparams = FALCO_PARAMETERS },
        .id_size = sizeof(head.plugin_id),
    };

    if (!size)
        return 0;
    if (instance->tells_run)
        size = mrl_payload__add_run(at + sizeof(head), size, event);
    size = mrl_payload__add_names(at + sizeof(head), size, event);
    head.head.len = (uint32_t)(sizeof(head) + size);
    head.payload_size = (uint32_t)size;
    memcpy(at, &head, sizeof(head));
    return sizeof(head) + size;
}

static uint32_t hand_out(struct falco_instance *instance)
{
    char *at = instance->bytes;
    uint32_t count = 0;

    for (; instance->at < instance->count && count < BATCH_EVENTS; instance->at++) {
        size_t size = put_event(instance, mrl_batch__at(instance->batch, instance->at), at);

        instance->events[count] = (struct falco_event *)at;
        count += size != 0;
        at += size;
    }
    if (instance->at == instance->count) {
        mrl_batch__unref(instance->batch);
        instance->batch = NULL;
    }
    return count;
}

/* Fetches a batch where none is left. Returns an enum falco_rc. */
static int refill(struct falco_state *state, struct falco_instance *instance)
{
    int count = mrl_plugin__next_batch(instance->plugin, WAIT_MS, &instance->batch);

    if (count > 0) {
        instance->count = (unsigned int)count;
        instance->at = 0;
        return FALCO_SUCCESS;
    }
    if (!count || count == -EAGAIN)
        return FALCO_TIMEOUT;
    instance->end = count == -ENODATA ? FALCO_EOF : FALCO_FAILURE;
    if (instance->end == FALCO_FAILURE)
        mrl_error__set(&state->error, -EIO, "%s", mrl_plugin__error(instance->plugin));
    return instance->end;
}

int plugin_next_batch(struct falco_state *state,
                      struct falco_instance *instance,
                      uint32_t *count,
                      struct falco_event ***events)
{
    int rc = FALCO_SUCCESS;

    *count = 0;
    *events = instance->events;
    if (instance->end)
        return instance->end;
    if (!instance->batch)
        rc = refill(state, instance);
    if (rc == FALCO_SUCCESS)
        *count = hand_out(instance);
    return rc == FALCO_SUCCESS && !*count ? FALCO_TIMEOUT : rc;
}

const char *plugin_get_progress(struct falco_state *state,
                                struct falco_instance *instance,
                                uint32_t *permyriad)
{
    (void)state;
    *permyriad = instance ? mrl_plugin__progress(instance->plugin) : 0;
    return "";
}
