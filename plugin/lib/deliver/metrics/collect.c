// SPDX-License-Identifier: Apache-2.0
/* The registry of a run: a sample of all that has numbers, and the rows of it. */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/metrics/families.h"
#include "deliver/metrics/rows.h"
#include "deliver/metrics/scopes.h"

/* -- the sample ------------------------------------------------------------------------------- */

static unsigned int count_words(const char *list)
{
    unsigned int count = *list != '\0';

    for (; *list; list++)
        count += *list == ',';
    return count;
}

static int sample_plugin(struct mrl_plugin *plugin, struct mrl_sample *sample)
{
    int err = 0;

    sample->has_plugin = true;
    sample->chosen = mrl_plugin__events(plugin);
    sample->unproven = count_words(mrl_plugin__unproven(plugin));
    mrl_plugin__status(plugin, &sample->plugin);
    sample->has_names = mrl_plugin__names(plugin, &sample->names);
    for (unsigned int i = 0; i < MRL_NAMES_WAITS; i++)
        sample->waits += sample->names.waits[i];
    while (
        sample->policy_count < MRL_POLICIES_MAX &&
        !mrl_plugin__policy(plugin, sample->policy_count, &sample->policies[sample->policy_count]))
        sample->policy_count++;
    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++)
        if (sample->chosen & (1U << i)) {
            err = mrl_plugin__counts(plugin, i, &sample->counts[i]);
            sample->missed = sample->counts[i].missed;
        }
    return err;
}

static void sample_pipeline(const struct mrl_pipeline *pipeline, struct mrl_sample *sample)
{
    sample->has_pipeline = true;
    sample->pipeline = pipeline;
    sample->output_count = mrl_pipeline__outputs(pipeline);
    for (unsigned int i = 0; i < sample->output_count; i++) {
        sample->has_spool[i] = mrl_pipeline__kept(pipeline, i, &sample->kept[i]);
        sample->has_sent[i] = mrl_pipeline__sent(pipeline, i, &sample->sent[i]);
    }
    mrl_pipeline__latency(pipeline, &sample->latency);
}

static int take_sample(const struct mrl_metrics_sources *sources, struct mrl_sample *sample)
{
    int err = 0;

    sample->chosen = UINT32_MAX;
    if (sources->plugin)
        err = sample_plugin(sources->plugin, sample);
    if (sources->pipeline)
        sample_pipeline(sources->pipeline, sample);
    sample->sides = sources->sides;
    sample->side_count = sources->side_count;
    sample->has_sides = sources->side_count;
    sample->has_process = sources->process && mrl_process__look(&sample->process);
    return err;
}

/* -- the rows --------------------------------------------------------------------------------- */

static void collect_family(const struct mrl_collecting *rows)
{
    const struct mrl_metric_scope *scope = rows->family->scope;
    const bool *is_there = (const void *)((const char *)rows->sample + scope->is_there);

    if (*is_there)
        scope->collect(rows);
}

static void collect_rows(struct mrl_metrics *metrics, const struct mrl_sample *sample)
{
    unsigned int count;
    const struct mrl_metric_family *families = mrl_metric_families(&count);

    metrics->count = 0;
    for (unsigned int i = 0; i < count; i++)
        collect_family(&(struct mrl_collecting){ metrics, i, &families[i], sample });
}

/* -- all -------------------------------------------------------------------------------------- */

int mrl_metrics__collect_from(const struct mrl_metrics_sources *given,
                              struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics = malloc(sizeof(*metrics));
    struct mrl_sample *sample = calloc(1, sizeof(*sample));
    struct mrl_metrics_sources sources = { .size = 0 };
    int err = metrics && sample ? 0 : -ENOMEM;

    if (metrics)
        metrics->own = NULL;
    memcpy(&sources, given, given->size < sizeof(sources) ? given->size : sizeof(sources));
    if (sources.side_count > MRL_METRIC_SIDES_MAX)
        sources.side_count = MRL_METRIC_SIDES_MAX;
    if (!err)
        err = take_sample(&sources, sample);
    if (!err)
        err = mrl_metrics__copy_texts(metrics, &sources, sample);
    if (err) {
        mrl_metrics__free(metrics);
        free(sample);
        return err;
    }
    collect_rows(metrics, sample);
    free(sample);
    *ret_metrics = metrics;
    return 0;
}

int mrl_metrics__collect(struct mrl_plugin *plugin,
                         const struct mrl_pipeline *pipeline,
                         struct mrl_metrics **ret_metrics)
{
    const struct mrl_metrics_sources sources = { .size = sizeof(sources),
                                                 .plugin = plugin,
                                                 .pipeline = pipeline };

    return mrl_metrics__collect_from(&sources, ret_metrics);
}
