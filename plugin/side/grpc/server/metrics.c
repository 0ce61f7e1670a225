// SPDX-License-Identifier: Apache-2.0
/* The counters of the run: as Tracee's API has fields for them, and all of them. */
#include <errno.h>
#include <mrelease/v1/metrics.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>

#include "base/tame.h"
#include "deliver/metrics/tracee.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/requests.h"

/* NULL, with a status in `reply`. */
static struct mrl_metrics *collect(struct mrl_reply *reply)
{
    struct mrl_metrics *metrics = NULL;
    int err = mrl_grpc_program->metrics(&metrics);

    if (err)
        mrl_reply__fail(reply,
                        err == -ENOMEM ? GRPC_STATUS_RESOURCE_EXHAUSTED : GRPC_STATUS_UNAVAILABLE,
                        "the counters are not there: %s", strerror(-err));
    return metrics;
}

/* -- Tracee's --------------------------------------------------------------------------------- */

/* The fields mean what they mean in Tracee, for whose readers they are: LostEvCount is what was
 * lost between kernel and reader, for all outputs. What one output dropped has no field there. */
void mrl_answer__metrics(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Tracee__V1beta1__GetMetricsResponse response = TRACEE__V1BETA1__GET_METRICS_RESPONSE__INIT;
    struct mrl_metrics *metrics = collect(reply);
    struct mrl_tracee_counts counts;

    (void)bytes;
    (void)size;
    if (!metrics)
        return;
    counts = mrl_tracee_counts__of(metrics);
    response.eventcount = counts.events;
    response.eventsfiltered = counts.events_filtered;
    response.errorcount = counts.errors;
    response.lostevcount = counts.lost_events;
    mrl_metrics__free(metrics);
    mrl_reply__pack(reply, &response.base);
}

/* -- all -------------------------------------------------------------------------------------- */

enum { VALUE_BYTES = 512 };

/* A row with room for all that it points to. */
struct row {
    Mrelease__V1__Metric message;
    Mrelease__V1__Label labels[MRL_METRIC_LABELS_MAX];
    char values[MRL_METRIC_LABELS_MAX][VALUE_BYTES];
    Mrelease__V1__Label *label_list[MRL_METRIC_LABELS_MAX];
};

static char *text(const char *of_registry)
{
    return (char *)(uintptr_t)of_registry; /* which protobuf-c only reads */
}

static const Mrelease__V1__Metric__Type types[] = {
    [MRL_METRIC_COUNTER] = MRELEASE__V1__METRIC__TYPE__COUNTER,
    [MRL_METRIC_GAUGE] = MRELEASE__V1__METRIC__TYPE__GAUGE,
    [MRL_METRIC_HISTOGRAM] = MRELEASE__V1__METRIC__TYPE__HISTOGRAM,
    [MRL_METRIC_UNTYPED] = MRELEASE__V1__METRIC__TYPE__GAUGE, /* the registry has none */
};

static void fill(struct row *row, const struct mrl_metric *metric)
{
    mrelease__v1__metric__init(&row->message);
    row->message.name = text(metric->name);
    row->message.help = text(metric->help);
    row->message.type = types[metric->type];
    row->message.labels = row->label_list;
    row->message.n_labels = metric->label_count;
    row->message.value = metric->value;
    row->message.per_unit = metric->per_unit;
    for (unsigned int i = 0; i < metric->label_count; i++) {
        mrelease__v1__label__init(&row->labels[i]);
        row->labels[i].name = text(metric->labels[i].name);
        /* A path need not be UTF-8, and readers refuse a message with a text that is not. */
        snprintf(row->values[i], VALUE_BYTES, "%s", metric->labels[i].value);
        row->labels[i].value = mrl_tame(row->values[i]);
        row->label_list[i] = &row->labels[i];
    }
}

void mrl_answer__all_metrics(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Mrelease__V1__GetMetricsResponse response = MRELEASE__V1__GET_METRICS_RESPONSE__INIT;
    struct mrl_metrics *metrics = collect(reply);
    unsigned int count = metrics ? mrl_metrics__count(metrics) : 0;
    struct row *rows = calloc(count + 1, sizeof(*rows));
    Mrelease__V1__Metric **list = calloc(count + 1, sizeof(void *));

    (void)bytes;
    (void)size;
    if (metrics && rows && list) {
        for (unsigned int i = 0; i < count; i++) {
            fill(&rows[i], mrl_metrics__at(metrics, i));
            list[i] = &rows[i].message;
        }
        response.metrics = list;
        response.n_metrics = count;
        mrl_reply__pack(reply, &response.base);
    } else if (metrics) {
        mrl_reply__fail(reply, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
    }
    free(list);
    free(rows);
    mrl_metrics__free(metrics);
}
