// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/rows.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/latency.h"
#include "event/lost.h"

static const char *const ring_names[] = { "rare", "mlock" };
static const char *const build_names[] = { "version", "rung", "coverage" };

static unsigned int find_index_count(enum mrl_metric_scope scope)
{
    switch (scope) {
    case MRL_PER_EVENT:
    case MRL_PER_PROBE:
    case MRL_PER_FILTER:
    case MRL_PER_OUTPUT:
    case MRL_PER_SPOOLED_EVENT:
        return mrl_event_def__count();
    case MRL_PER_RING:
        return 2;
    case MRL_PER_BUCKET:
        return MRL_LATENCY_BUCKETS;
    case MRL_PER_NAMES:
        return MRL_NAMES_RESULTS;
    case MRL_PER_ANSWER:
        return MRL_NAMES_RESULTS * MRL_RUNTIMES;
    case MRL_PER_WAIT:
        return MRL_NAMES_WAITS;
    default:
        return 0;
    }
}

static bool has_text(enum mrl_metric_scope scope)
{
    return scope == MRL_PER_OUTPUT || scope == MRL_PER_QUEUE || scope == MRL_PER_SENDER ||
           scope == MRL_PER_SPOOL || scope == MRL_PER_SPOOLED_EVENT || scope == MRL_PER_SIDE ||
           scope == MRL_PER_POLICY;
}

static bool is_right(const struct mrl_metrics *metrics, struct mrl_origin origin)
{
    unsigned int count, indices;
    const struct mrl_metric_family *families = mrl_metric_families(&count);

    if (origin.family >= count || metrics->text_count < MRL_METRIC_BUILD_TEXTS)
        return false;
    indices = find_index_count(families[origin.family].scope);
    if (indices ? origin.index >= indices : origin.index != MRL_ORIGIN_NONE)
        return false;
    return has_text(families[origin.family].scope)
               ? origin.text >= MRL_METRIC_BUILD_TEXTS && origin.text < metrics->text_count
               : origin.text == MRL_ORIGIN_NONE;
}

static void label(struct mrl_metric *row, const char *name, const char *value)
{
    row->labels[row->label_count++] = (struct mrl_label){ name, value };
}

static void label_index(struct mrl_metric *row, enum mrl_metric_scope scope, unsigned int index)
{
    static const char *const waits[MRL_NAMES_WAITS] = { "0.001", "0.002", "0.005", "0.01",
                                                        "0.02",  "0.05",  "+Inf" };
    const unsigned int result = scope == MRL_PER_ANSWER ? index / MRL_RUNTIMES : index;

    if (scope == MRL_PER_NAMES || scope == MRL_PER_ANSWER)
        label(row, "names", mrl_names_result__word((enum mrl_names_result)result));
    if (scope == MRL_PER_NAMES)
        return;
    if (scope == MRL_PER_ANSWER)
        label(row, "runtime",
              index % MRL_RUNTIMES ? mrl_runtime__name((enum mrl_runtime)(index % MRL_RUNTIMES))
                                   : "none");
    else if (scope == MRL_PER_WAIT)
        label(row, "le", waits[index]);
    else if (scope == MRL_PER_RING)
        label(row, "ring", ring_names[index]);
    else if (scope == MRL_PER_BUCKET)
        label(row, "le", mrl_latency__bound(index));
    else
        label(row, "event", mrl_event_def__at(index)->name);
}

static const char *text_label(enum mrl_metric_scope scope)
{
    return scope == MRL_PER_SIDE ? "side" : scope == MRL_PER_POLICY ? "policy" : "output";
}

bool mrl_metrics__add(struct mrl_metrics *metrics, struct mrl_origin origin, uint64_t value)
{
    struct mrl_metric *row = &metrics->rows[metrics->count];
    const struct mrl_metric_family *family;
    unsigned int count;

    if (metrics->count == MRL_METRIC_ROWS_MAX || !is_right(metrics, origin))
        return false;
    family = &mrl_metric_families(&count)[origin.family];
    metrics->origins[metrics->count++] = origin;
    *row = (struct mrl_metric){ .name = family->name,
                                .help = family->help,
                                .type = family->type,
                                .value = value,
                                .per_unit = family->per_unit };
    for (unsigned int i = 0; family->scope == MRL_OF_BUILD && i < MRL_METRIC_BUILD_TEXTS; i++)
        label(row, build_names[i], metrics->texts[i]);
    if (origin.text != MRL_ORIGIN_NONE)
        label(row, text_label(family->scope), metrics->texts[origin.text]);
    if (origin.index != MRL_ORIGIN_NONE)
        label_index(row, family->scope, origin.index);
    if (family->cause != MRL_NO_CAUSE)
        label(row, "cause", mrl_cause__name((enum mrl_cause)family->cause).bytes);
    if (family->by)
        label(row, "by", family->by);
    return true;
}

unsigned int mrl_metrics__count(const struct mrl_metrics *metrics)
{
    return metrics->count;
}

const struct mrl_metric *mrl_metrics__at(const struct mrl_metrics *metrics, unsigned int index)
{
    return &metrics->rows[index];
}

static bool has_label(const struct mrl_metric *row, const struct mrl_label *wanted)
{
    for (unsigned int i = 0; i < row->label_count; i++)
        if (!strcmp(row->labels[i].name, wanted->name))
            return !strcmp(row->labels[i].value, wanted->value);
    return false;
}

uint64_t mrl_metrics__sum(const struct mrl_metrics *metrics,
                          const char *name,
                          const struct mrl_label *labels,
                          unsigned int label_count)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < metrics->count; i++) {
        const struct mrl_metric *row = &metrics->rows[i];
        bool fits = !strcmp(row->name, name);

        for (unsigned int j = 0; fits && j < label_count; j++)
            fits = has_label(row, &labels[j]);
        sum += fits ? row->value : 0;
    }
    return sum;
}

void mrl_metrics__free(struct mrl_metrics *metrics)
{
    if (metrics)
        free(metrics->own);
    free(metrics);
}
