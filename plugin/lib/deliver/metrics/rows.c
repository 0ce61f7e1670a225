// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/rows.h"

#include <stdlib.h>
#include <string.h>

#include "event/lost.h"

static const char *const build_names[] = { "version", "rung", "coverage" };

static bool is_right(const struct mrl_metrics *metrics,
                     const struct mrl_metric_scope *scope,
                     struct mrl_origin origin)
{
    if (metrics->text_count < MRL_METRIC_BUILD_TEXTS)
        return false;
    if (scope->index_count ? origin.index >= scope->index_count : origin.index != MRL_ORIGIN_NONE)
        return false;
    return scope->text_label
               ? origin.text >= MRL_METRIC_BUILD_TEXTS && origin.text < metrics->text_count
               : origin.text == MRL_ORIGIN_NONE;
}

void mrl_metric__label(struct mrl_metric *row, const char *name, const char *value)
{
    row->labels[row->label_count++] = (struct mrl_label){ name, value };
}

bool mrl_metrics__add(struct mrl_metrics *metrics,
                      const struct mrl_metric_family *family,
                      struct mrl_origin origin,
                      uint64_t value)
{
    struct mrl_metric *row = &metrics->rows[metrics->count];
    const struct mrl_metric_scope *scope = family->scope;

    if (metrics->count == MRL_METRIC_ROWS_MAX || !is_right(metrics, scope, origin))
        return false;
    metrics->origins[metrics->count++] = origin;
    *row = (struct mrl_metric){ .name = family->name,
                                .help = family->help,
                                .type = family->type,
                                .value = value,
                                .per_unit = family->per_unit };
    for (unsigned int i = 0; scope->says_build && i < MRL_METRIC_BUILD_TEXTS; i++)
        mrl_metric__label(row, build_names[i], metrics->texts[i]);
    if (origin.text != MRL_ORIGIN_NONE)
        mrl_metric__label(row, scope->text_label, metrics->texts[origin.text]);
    if (origin.index != MRL_ORIGIN_NONE)
        scope->label_index(row, origin.index);
    if (family->cause != MRL_NO_CAUSE)
        mrl_metric__label(row, "cause", mrl_cause__name((enum mrl_cause)family->cause).bytes);
    if (family->by)
        mrl_metric__label(row, "by", family->by);
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
