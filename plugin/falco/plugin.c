// SPDX-License-Identifier: Apache-2.0
/* The plugin itself: who it is, its states, their errors and metrics. Nothing here touches BPF. */
#include <errno.h>
#include <mrelease/encode.h>
#include <mrelease/metrics.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "falco/state.h"

enum { ID = 1073741831 /* of the private-use range */, METRICS_MAX = 96, NAME_BYTES = 96 };

const char *plugin_get_required_api_version(void)
{
    return MRL_FALCO_API;
}

const char *plugin_get_version(void)
{
    return mrl_version();
}

const char *plugin_get_name(void)
{
    return "mrelease";
}

const char *plugin_get_description(void)
{
    return "process_mrelease and the mlock family: whose memory was released, how many bytes came back, why it failed";
}

const char *plugin_get_contact(void)
{
    return "https://github.com/mrelease/mrelease";
}

uint32_t plugin_get_id(void)
{
    return ID;
}

const char *plugin_get_event_source(void)
{
    return "mrelease";
}

const char *plugin_get_extract_event_sources(void)
{
    return "[\"mrelease\"]";
}

const char *plugin_get_fields(void)
{
    const char *fields = mrl_falco_fields__json();

    return fields ? fields : "[]";
}

const char *plugin_get_init_schema(int *ret_type)
{
    const char *schema = mrl_falco_config__schema();

    *ret_type = schema ? FALCO_SCHEMA_JSON : FALCO_SCHEMA_NONE;
    return schema;
}

/* -- states ----------------------------------------------------------------------------------- */

static int prepare(struct falco_state *state, const char *config)
{
    struct mrl_encoder_options options = { 0 };
    unsigned int count;
    int err;

    mrl_extra__all(&count);
    options.extras = (1U << count) - 1;
    err = mrl_falco_config__read(&state->config, config, &state->error);
    return err ? err : mrl_encoder__new("json-v0.24", &options, &state->error, &state->json);
}

/* A state comes back also when it failed, so that the host can ask why. */
struct falco_state *plugin_init(const struct falco_init_input *input, int *rc)
{
    struct falco_state *state = calloc(1, sizeof(*state));

    *rc = FALCO_FAILURE;
    if (!state)
        return NULL;
    pthread_mutex_init(&state->lock, NULL);
    if (!prepare(state, input ? input->config : NULL))
        *rc = FALCO_SUCCESS;
    return state;
}

void plugin_destroy(struct falco_state *state)
{
    if (!state)
        return;
    mrl_encoder__free(state->json);
    mrl_falco_config__done(&state->config);
    pthread_mutex_destroy(&state->lock);
    free(state);
}

const char *plugin_get_last_error(struct falco_state *state)
{
    return state ? state->error.text : "out of memory";
}

/* -- metrics ---------------------------------------------------------------------------------- */

/* Asked by several threads at once, each of which may keep the rows until it asks again. */
static __thread struct {
    char names[METRICS_MAX][NAME_BYTES];
    struct falco_metric rows[METRICS_MAX];
} told;

/* "mrelease_events_lost_total" of the event mlock, by a full ring: "events_lost.mlock.ring_full".
 */
static void name_metric(const struct mrl_metric *metric, char name[NAME_BYTES])
{
    static const char lead[] = "mrelease_", tail[] = "_total";
    size_t size = strlen(metric->name), used;
    const char *rest = metric->name;

    if (!strncmp(rest, lead, sizeof(lead) - 1)) {
        rest += sizeof(lead) - 1;
        size -= sizeof(lead) - 1;
    }
    if (size > sizeof(tail) && !strcmp(rest + size - (sizeof(tail) - 1), tail))
        size -= sizeof(tail) - 1;
    used = (size_t)snprintf(name, NAME_BYTES, "%.*s", (int)size, rest);
    for (unsigned int i = 0; i < metric->label_count && used < NAME_BYTES; i++)
        used += (size_t)snprintf(name + used, NAME_BYTES - used, ".%s", metric->labels[i].value);
}

static uint32_t tell(const struct mrl_metrics *metrics)
{
    uint32_t count = 0;

    for (unsigned int i = 0; i < mrl_metrics__count(metrics) && count < METRICS_MAX; i++) {
        const struct mrl_metric *metric = mrl_metrics__at(metrics, i);

        name_metric(metric, told.names[count]);
        told.rows[count] = (struct falco_metric){
            .name = told.names[count],
            .type = metric->type == MRL_METRIC_COUNTER ? FALCO_MONOTONIC : FALCO_NON_MONOTONIC,
            .value = { .u64 = metric->value },
            .value_type = FALCO_METRIC_U64,
        };
        count++;
    }
    return count;
}

struct falco_metric *plugin_get_metrics(struct falco_state *state, uint32_t *count)
{
    struct mrl_metrics *metrics = NULL;

    *count = 0;
    if (!state)
        return told.rows;
    pthread_mutex_lock(&state->lock);
    if (state->opened && !mrl_metrics__collect(state->opened, NULL, &metrics))
        *count = tell(metrics);
    mrl_metrics__free(metrics);
    pthread_mutex_unlock(&state->lock);
    return told.rows;
}
