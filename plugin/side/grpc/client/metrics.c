// SPDX-License-Identifier: Apache-2.0
/*
 * The verb metrics: the counters of Tracee's API, which every server has, and the rows of our own,
 * where the server has them.
 */
#include "side/grpc/client/metrics.h"

#include <errno.h>
#include <mrelease/v1/metrics.pb-c.h>
#include <stdio.h>
#include <string.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>

#include "base/tame.h"
#include "deliver/metrics/text.h"
#include "side/grpc/client/answer.h"
#include "side/grpc/client/received.h"

/* Both answers. */
struct answers {
    Tracee__V1beta1__GetMetricsResponse *tracee;
    Mrelease__V1__GetMetricsResponse *all; /* NULL: the server is none of ours */
};

/* -- a table ---------------------------------------------------------------------------------- */

static uint64_t number_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    uint64_t number;

    memcpy(&number, (const char *)message + field->offset, sizeof(number));
    return number;
}

static void print_counters(const Tracee__V1beta1__GetMetricsResponse *counters)
{
    const ProtobufCMessageDescriptor *type = counters->base.descriptor;

    for (unsigned int i = 0; i < type->n_fields; i++)
        if (type->fields[i].type == PROTOBUF_C_TYPE_UINT64)
            printf("%-18s %llu\n", type->fields[i].name,
                   (unsigned long long)number_at(&counters->base, &type->fields[i]));
    for (size_t i = 0; i < counters->n_bpfeventstats; i++)
        printf("%-18s %llu attempts, %llu failures\n", mrl_tame(counters->bpfeventstats[i]->name),
               (unsigned long long)counters->bpfeventstats[i]->attempts,
               (unsigned long long)counters->bpfeventstats[i]->failures);
}

/* A row of a server, whose texts are borrowed, and made harmless. */
static struct mrl_metric read_row(const Mrelease__V1__Metric *row)
{
    struct mrl_metric metric = { .name = mrl_tame(row->name),
                                 .help = mrl_tame(row->help),
                                 .type = row->type <= MRELEASE__V1__METRIC__TYPE__HISTOGRAM
                                             ? (enum mrl_metric_type)row->type
                                             : MRL_METRIC_GAUGE,
                                 .value = row->value,
                                 .per_unit = row->per_unit };

    for (size_t i = 0; i < row->n_labels && i < MRL_METRIC_LABELS_MAX; i++)
        metric.labels[metric.label_count++] =
            (struct mrl_label){ mrl_tame(row->labels[i]->name), row->labels[i]->value };
    return metric;
}

static void print_table(const struct answers *answers)
{
    print_counters(answers->tracee);
    for (size_t i = 0; answers->all && i < answers->all->n_metrics; i++) {
        const struct mrl_metric row = read_row(answers->all->metrics[i]);

        mrl_metrics_text__put_row(&row, stdout);
    }
}

/* For a scraper: without Tracee's, which have no names there. */
static int print_text(const struct answers *answers, struct mrl_error *error)
{
    struct mrl_metrics_text text = { .to = stdout, .format = MRL_METRICS_PROMETHEUS };

    if (!answers->all)
        return mrl_error__set(error, -EOPNOTSUPP,
                              "the server has no such metrics: it is none of ours");
    for (size_t i = 0; i < answers->all->n_metrics; i++) {
        const struct mrl_metric row = read_row(answers->all->metrics[i]);

        mrl_metrics_text__put(&text, &row);
    }
    mrl_metrics_text__end(&text);
    return 0;
}

/* -- JSON ------------------------------------------------------------------------------------- */

/* Zeros too, and as numbers: counters stay below 2^53. */
static json_t *json_of_counters(const Tracee__V1beta1__GetMetricsResponse *counters)
{
    const ProtobufCMessageDescriptor *type = counters->base.descriptor;
    json_t *json = mrl_received__json(&counters->base);

    for (unsigned int i = 0; i < type->n_fields; i++)
        if (type->fields[i].type == PROTOBUF_C_TYPE_UINT64)
            json_object_set_new(
                json, type->fields[i].name,
                json_integer((json_int_t)number_at(&counters->base, &type->fields[i])));
    return json;
}

/* Tamed first: jansson makes nothing of texts that are no UTF-8. */
static json_t *json_of_row(const Mrelease__V1__Metric *row)
{
    json_t *labels = json_object();

    for (size_t i = 0; i < row->n_labels; i++)
        json_object_set_new(labels, mrl_tame(row->labels[i]->name),
                            json_string(mrl_tame(row->labels[i]->value)));
    return json_pack("{s:s, s:o, s:o}", "name", mrl_tame(row->name), "labels", labels, "value",
                     row->per_unit ? json_real((double)row->value / (double)row->per_unit)
                                   : json_integer((json_int_t)row->value));
}

static int print_json(const struct answers *answers)
{
    json_t *json = json_of_counters(answers->tracee);
    json_t *rows = answers->all ? json_array() : NULL;
    int err;

    for (size_t i = 0; rows && i < answers->all->n_metrics; i++)
        json_array_append_new(rows, json_of_row(answers->all->metrics[i]));
    if (rows)
        json_object_set_new(json, "metrics", rows);
    err = mrl_client__print_json(json);
    json_decref(json);
    return err;
}

/* -- asking ----------------------------------------------------------------------------------- */

static int take_counters(void *context, const uint8_t *bytes, size_t size)
{
    struct answers *answers = context;

    if (!answers->tracee)
        answers->tracee = (Tracee__V1beta1__GetMetricsResponse *)mrl_received__unpack(
            &tracee__v1beta1__get_metrics_response__descriptor, bytes, size);
    return answers->tracee ? 0 : -EPROTO;
}

static int take_all(void *context, const uint8_t *bytes, size_t size)
{
    struct answers *answers = context;

    if (!answers->all)
        answers->all = (Mrelease__V1__GetMetricsResponse *)mrl_received__unpack(
            &mrelease__v1__get_metrics_response__descriptor, bytes, size);
    return answers->all ? 0 : -EPROTO;
}

/* A server that is none of ours does not know the service, which is no error. */
static int ask(const struct mrl_grpc_peer *peer, struct answers *answers, struct mrl_error *error)
{
    Tracee__V1beta1__GetMetricsRequest request = TRACEE__V1BETA1__GET_METRICS_REQUEST__INIT;
    Mrelease__V1__GetMetricsRequest request_all = MRELEASE__V1__GET_METRICS_REQUEST__INIT;
    struct mrl_client_call call = { .path = "/tracee.v1beta1.DiagnosticService/GetMetrics",
                                    .timeout_ms = peer->timeout_ms,
                                    .take = take_counters,
                                    .context = answers };
    struct mrl_client_call call_all = { .path = "/mrelease.v1.MetricsService/GetMetrics",
                                        .timeout_ms = peer->timeout_ms,
                                        .take = take_all,
                                        .context = answers };
    int err = mrl_client__call(peer, &request.base, &call, error);

    if (!err && !answers->tracee)
        err = -EPROTO; /* a good end, and no answer */
    if (err)
        return err;
    err = mrl_client__call(peer, &request_all.base, &call_all, error);
    return call_all.status == GRPC_STATUS_UNIMPLEMENTED ? 0 : err;
}

int mrl_client__metrics(const struct mrl_grpc_peer *peer,
                        const char *format,
                        struct mrl_error *error)
{
    struct answers answers = { NULL, NULL };
    int err = ask(peer, &answers, error);

    if (!err && !strcmp(format, "json"))
        err = print_json(&answers);
    else if (!err && !strcmp(format, "prometheus"))
        err = print_text(&answers, error);
    else if (!err)
        print_table(&answers);
    if (answers.tracee)
        tracee__v1beta1__get_metrics_response__free_unpacked(answers.tracee, NULL);
    if (answers.all)
        mrelease__v1__get_metrics_response__free_unpacked(answers.all, NULL);
    return mrl_client__finish(err, error);
}
