// SPDX-License-Identifier: Apache-2.0
/* The registry of a run: a sample of all that has numbers, and the rows of it. */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "deliver/metrics/rows.h"
#include "event/lost.h"

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

static int take_sample(const struct mrl_metrics_sources *sources, struct mrl_sample *sample)
{
    const struct mrl_pipeline *pipeline = sources->pipeline;
    int err = 0;

    sample->pipeline = pipeline;
    sample->chosen = UINT32_MAX;
    if (sources->plugin)
        err = sample_plugin(sources->plugin, sample);
    for (unsigned int i = 0; pipeline && i < mrl_pipeline__outputs(pipeline); i++) {
        sample->has_spool[i] = mrl_pipeline__kept(pipeline, i, &sample->kept[i]);
        sample->has_sent[i] = mrl_pipeline__sent(pipeline, i, &sample->sent[i]);
    }
    if (pipeline)
        mrl_pipeline__latency(pipeline, &sample->latency);
    sample->has_process = sources->process && mrl_process__look(&sample->process);
    return err;
}

/* -- the rows --------------------------------------------------------------------------------- */

static uint64_t member(const void *counts, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)counts + offset, sizeof(value));
    return value;
}

/* Of an event, those of a LOST by its cause. */
static uint64_t count_of(const struct mrl_metric_family *family,
                         const struct mrl_event_counts *counts)
{
    return member(counts, family->cause != MRL_NO_CAUSE
                              ? mrl_cause_def__of((enum mrl_cause)family->cause)->in_counts
                              : family->offset);
}

static struct mrl_origin of_event(unsigned int family, unsigned int event)
{
    return (struct mrl_origin){ (uint8_t)family, (uint8_t)event, MRL_ORIGIN_NONE };
}

static struct mrl_origin of_output(unsigned int family, unsigned int index, unsigned int output)
{
    return (struct mrl_origin){ (uint8_t)family, (uint8_t)index,
                                (uint8_t)(MRL_METRIC_BUILD_TEXTS + output) };
}

static void add_events(struct mrl_metrics *metrics,
                       unsigned int index,
                       const struct mrl_metric_family *family,
                       const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        if (!(sample->chosen & (1U << i)))
            continue;
        if (family->scope == MRL_PER_EVENT && sample->has_plugin)
            mrl_metrics__add(metrics, of_event(index, i), count_of(family, &sample->counts[i]));
        if (family->scope == MRL_PER_PROBE && sample->has_plugin &&
            mrl_event_def__at(i)->is_syscall)
            mrl_metrics__add(metrics, of_event(index, i), !(sample->plugin.unseen & (1U << i)));
        if (family->scope == MRL_PER_FILTER && sample->pipeline)
            mrl_metrics__add(metrics, of_event(index, i),
                             mrl_pipeline__filtered(sample->pipeline, i));
    }
}

static bool is_shown(const struct mrl_sample *sample, unsigned int output)
{
    return !(sample->hidden & 1U << output);
}

/* Also of what is no call: outputs tell of losses, and of the sensor. */
static void add_outputs(struct mrl_metrics *metrics,
                        unsigned int index,
                        const struct mrl_metric_family *family,
                        const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_pipeline__outputs(sample->pipeline) &&
                                 (sample->chosen & (1U << i) || !*mrl_event_def__at(i)->syscall);
             j++) {
            const struct mrl_output_counts counts = mrl_pipeline__counts(sample->pipeline, j, i);

            if (is_shown(sample, j))
                mrl_metrics__add(metrics, of_output(index, i, j), member(&counts, family->offset));
        }
}

static void add_queues(struct mrl_metrics *metrics,
                       unsigned int index,
                       const struct mrl_metric_family *family,
                       const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(sample->pipeline); i++) {
        struct mrl_waiting waiting = { .size = 0 };

        mrl_pipeline__waiting(sample->pipeline, i, &waiting);
        if (waiting.size)
            mrl_metrics__add(metrics, of_output(index, MRL_ORIGIN_NONE, i),
                             member(&waiting, family->offset));
    }
}

static void add_senders(struct mrl_metrics *metrics,
                        unsigned int index,
                        const struct mrl_metric_family *family,
                        const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(sample->pipeline); i++)
        if (sample->has_sent[i] && is_shown(sample, i))
            mrl_metrics__add(metrics, of_output(index, MRL_ORIGIN_NONE, i),
                             member(&sample->sent[i], family->offset));
}

static uint64_t age_s(uint64_t since_ns)
{
    const int64_t age_ns = mrl_clock__ns(CLOCK_REALTIME) - (int64_t)since_ns;

    return age_ns > 0 ? (uint64_t)age_ns / 1000000000 : 0;
}

static void add_gauge(struct mrl_metrics *metrics,
                      struct mrl_origin origin,
                      size_t offset,
                      const struct mrl_kept *kept)
{
    const bool is_known = !kept->pending || kept->oldest_ns;
    const struct mrl_spool_gauges gauges = { kept->bytes, kept->pending,
                                             kept->pending ? age_s(kept->oldest_ns) : 0 };

    if (is_known || offset != offsetof(struct mrl_spool_gauges, oldest_seconds))
        mrl_metrics__add(metrics, origin, member(&gauges, offset));
}

static void add_spools(struct mrl_metrics *metrics,
                       unsigned int index,
                       const struct mrl_metric_family *family,
                       const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(sample->pipeline); i++) {
        if (!sample->has_spool[i] || !is_shown(sample, i))
            continue;
        if (family->scope == MRL_PER_SPOOL)
            add_gauge(metrics, of_output(index, MRL_ORIGIN_NONE, i), family->offset,
                      &sample->kept[i]);
        for (unsigned int j = 0;
             family->scope == MRL_PER_SPOOLED_EVENT && j < mrl_event_def__count(); j++)
            mrl_metrics__add(metrics, of_output(index, j, i),
                             member(&sample->kept[i].of[j], family->offset));
    }
}

static void add_rings(struct mrl_metrics *metrics,
                      unsigned int index,
                      const struct mrl_metric_family *family,
                      const struct mrl_sample *sample)
{
    for (unsigned int i = 0; i < sample->plugin.ring_count; i++)
        mrl_metrics__add(metrics, of_event(index, i),
                         member(&sample->plugin.rings[i], family->offset));
}

/* Each bucket has what those before it have as well. */
static void add_buckets(struct mrl_metrics *metrics,
                        unsigned int index,
                        const uint64_t *buckets,
                        unsigned int count)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < count; i++) {
        sum += buckets[i];
        mrl_metrics__add(metrics, of_event(index, i), sum);
    }
}

static void add_names(struct mrl_metrics *metrics,
                      unsigned int index,
                      enum mrl_metric_scope scope,
                      const struct mrl_names_status *names)
{
    const uint64_t *answers = names->answers[0]; /* of all results, one behind the other */

    for (unsigned int i = 0; scope == MRL_PER_NAMES && i < MRL_NAMES_RESULTS; i++)
        mrl_metrics__add(metrics, of_event(index, i), names->events[i]);
    for (unsigned int i = MRL_NAMES_KNOWN * MRL_RUNTIMES;
         scope == MRL_PER_ANSWER && i < MRL_NAMES_RESULTS * MRL_RUNTIMES; i++)
        mrl_metrics__add(metrics, of_event(index, i), answers[i]);
    if (scope == MRL_PER_WAIT)
        add_buckets(metrics, index, names->waits, MRL_NAMES_WAITS);
}

static void add_sides(struct mrl_metrics *metrics,
                      unsigned int index,
                      const struct mrl_metric_family *family,
                      const struct mrl_sample *sample,
                      const struct mrl_metrics_sources *sources)
{
    const unsigned int outputs =
        metrics->text_count - MRL_METRIC_BUILD_TEXTS - sample->policy_count - sources->side_count;

    for (unsigned int i = 0; i < sources->side_count; i++)
        mrl_metrics__add(metrics, of_output(index, MRL_ORIGIN_NONE, outputs + i),
                         member(&sources->sides[i], family->offset));
}

/* Their texts are the last. */
static void add_policies(struct mrl_metrics *metrics,
                         unsigned int index,
                         const struct mrl_metric_family *family,
                         const struct mrl_sample *sample)
{
    const unsigned int before = metrics->text_count - MRL_METRIC_BUILD_TEXTS - sample->policy_count;

    for (unsigned int i = 0; i < sample->policy_count; i++)
        mrl_metrics__add(metrics, of_output(index, MRL_ORIGIN_NONE, before + i),
                         member(&sample->policies[i], family->offset));
}

static void add_one(struct mrl_metrics *metrics, unsigned int index, bool is_there, uint64_t value)
{
    if (is_there)
        mrl_metrics__add(metrics, of_event(index, MRL_ORIGIN_NONE), value);
}

static void add_family(struct mrl_metrics *metrics,
                       unsigned int index,
                       const struct mrl_sample *sample,
                       const struct mrl_metrics_sources *sources)
{
    unsigned int count;
    const struct mrl_metric_family *family = &mrl_metric_families(&count)[index];

    switch (family->scope) {
    case MRL_PER_EVENT:
    case MRL_PER_PROBE:
    case MRL_PER_FILTER:
        add_events(metrics, index, family, sample);
        break;
    case MRL_PER_OUTPUT:
        if (sample->pipeline)
            add_outputs(metrics, index, family, sample);
        break;
    case MRL_PER_QUEUE:
        if (sample->pipeline)
            add_queues(metrics, index, family, sample);
        break;
    case MRL_PER_SENDER:
        if (sample->pipeline)
            add_senders(metrics, index, family, sample);
        break;
    case MRL_PER_SPOOL:
    case MRL_PER_SPOOLED_EVENT:
        if (sample->pipeline)
            add_spools(metrics, index, family, sample);
        break;
    case MRL_PER_RING:
        add_rings(metrics, index, family, sample);
        break;
    case MRL_PER_BUCKET:
        if (sample->pipeline)
            add_buckets(metrics, index, sample->latency.buckets, MRL_LATENCY_BUCKETS);
        break;
    case MRL_PER_SIDE:
        add_sides(metrics, index, family, sample, sources);
        break;
    case MRL_PER_POLICY:
        add_policies(metrics, index, family, sample);
        break;
    case MRL_PER_NAMES:
    case MRL_PER_ANSWER:
    case MRL_PER_WAIT:
        if (sample->has_names)
            add_names(metrics, index, family->scope, &sample->names);
        break;
    case MRL_OF_NAMES:
        add_one(metrics, index, sample->has_names, member(sample, family->offset));
        break;
    case MRL_OF_BUILD:
        add_one(metrics, index, sample->has_plugin, 1);
        break;
    case MRL_OF_PLUGIN:
        add_one(metrics, index, sample->has_plugin, member(sample, family->offset));
        break;
    case MRL_OF_PIPELINE:
        add_one(metrics, index, sample->pipeline, member(sample, family->offset));
        break;
    case MRL_OF_PROCESS:
        add_one(metrics, index, sample->has_process, member(sample, family->offset));
        break;
    }
}

/* -- all -------------------------------------------------------------------------------------- */

int mrl_metrics__collect_from(const struct mrl_metrics_sources *given,
                              struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics = malloc(sizeof(*metrics));
    struct mrl_sample *sample = calloc(1, sizeof(*sample));
    struct mrl_metrics_sources sources = { .size = 0 };
    unsigned int families;
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
    metrics->count = 0;
    mrl_metric_families(&families);
    for (unsigned int i = 0; i < families; i++)
        add_family(metrics, i, sample, &sources);
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
