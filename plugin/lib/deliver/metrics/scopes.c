// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/scopes.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "deliver/latency.h"
#include "deliver/metrics/rows.h"
#include "event/lost.h"

static uint64_t member(const void *counts, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)counts + offset, sizeof(value));
    return value;
}

static void add(const struct mrl_collecting *rows,
                unsigned int index,
                unsigned int text,
                uint64_t value)
{
    const struct mrl_origin origin = { (uint8_t)rows->index, (uint8_t)index, (uint8_t)text };

    mrl_metrics__add(rows->metrics, rows->family, origin, value);
}

/* -- of a run --------------------------------------------------------------------------------- */

static void collect_build(const struct mrl_collecting *rows)
{
    add(rows, MRL_ORIGIN_NONE, MRL_ORIGIN_NONE, 1);
}

static void collect_one(const struct mrl_collecting *rows)
{
    add(rows, MRL_ORIGIN_NONE, MRL_ORIGIN_NONE, member(rows->sample, rows->family->offset));
}

/* -- events ----------------------------------------------------------------------------------- */

static void label_event(struct mrl_metric *row, unsigned int index)
{
    mrl_metric__label(row, "event", mrl_event_def__at(index)->name);
}

static bool is_chosen(const struct mrl_sample *sample, unsigned int event)
{
    return sample->chosen & 1U << event;
}

/* Of an event, those of a LOST by its cause. */
static uint64_t count_of(const struct mrl_metric_family *family,
                         const struct mrl_event_counts *counts)
{
    return member(counts, family->cause != MRL_NO_CAUSE
                              ? mrl_cause_def__of((enum mrl_cause)family->cause)->in_counts
                              : family->offset);
}

static void collect_events(const struct mrl_collecting *rows)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (is_chosen(rows->sample, i))
            add(rows, i, MRL_ORIGIN_NONE, count_of(rows->family, &rows->sample->counts[i]));
}

static void collect_probes(const struct mrl_collecting *rows)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (is_chosen(rows->sample, i) && mrl_event_def__at(i)->is_syscall)
            add(rows, i, MRL_ORIGIN_NONE, !(rows->sample->plugin.unseen & 1U << i));
}

static void collect_filtered(const struct mrl_collecting *rows)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (is_chosen(rows->sample, i))
            add(rows, i, MRL_ORIGIN_NONE, mrl_pipeline__filtered(rows->sample->pipeline, i));
}

/* -- outputs ---------------------------------------------------------------------------------- */

static unsigned int text_of_output(unsigned int output)
{
    return MRL_METRIC_BUILD_TEXTS + output;
}

static bool is_shown(const struct mrl_sample *sample, unsigned int output)
{
    return !(sample->hidden & 1U << output);
}

/* Also of what is no call: outputs tell of losses, and of the sensor. */
static bool is_counted(const struct mrl_sample *sample, unsigned int event)
{
    return is_chosen(sample, event) || !*mrl_event_def__at(event)->syscall;
}

static void collect_outputs(const struct mrl_collecting *rows)
{
    const struct mrl_sample *sample = rows->sample;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        for (unsigned int j = 0; is_counted(sample, i) && j < sample->output_count; j++) {
            const struct mrl_output_counts counts = mrl_pipeline__counts(sample->pipeline, j, i);

            if (is_shown(sample, j))
                add(rows, i, text_of_output(j), member(&counts, rows->family->offset));
        }
}

static void collect_queues(const struct mrl_collecting *rows)
{
    for (unsigned int i = 0; i < rows->sample->output_count; i++) {
        struct mrl_waiting waiting = { .size = 0 };

        mrl_pipeline__waiting(rows->sample->pipeline, i, &waiting);
        if (waiting.size)
            add(rows, MRL_ORIGIN_NONE, text_of_output(i), member(&waiting, rows->family->offset));
    }
}

static void collect_senders(const struct mrl_collecting *rows)
{
    const struct mrl_sample *sample = rows->sample;

    for (unsigned int i = 0; i < sample->output_count; i++)
        if (sample->has_sent[i] && is_shown(sample, i))
            add(rows, MRL_ORIGIN_NONE, text_of_output(i),
                member(&sample->sent[i], rows->family->offset));
}

static uint64_t age_s(uint64_t since_ns)
{
    const int64_t age_ns = mrl_clock__ns(CLOCK_REALTIME) - (int64_t)since_ns;

    return age_ns > 0 ? (uint64_t)age_ns / 1000000000 : 0;
}

static void collect_spools(const struct mrl_collecting *rows)
{
    const size_t offset = rows->family->offset;

    for (unsigned int i = 0; i < rows->sample->output_count; i++) {
        const struct mrl_kept *kept = &rows->sample->kept[i];
        const bool is_age_known = !kept->pending || kept->oldest_ns;
        const struct mrl_spool_gauges gauges = { kept->bytes, kept->pending,
                                                 kept->pending ? age_s(kept->oldest_ns) : 0 };

        if (rows->sample->has_spool[i] && is_shown(rows->sample, i) &&
            (is_age_known || offset != offsetof(struct mrl_spool_gauges, oldest_seconds)))
            add(rows, MRL_ORIGIN_NONE, text_of_output(i), member(&gauges, offset));
    }
}

static void collect_spooled(const struct mrl_collecting *rows)
{
    const struct mrl_sample *sample = rows->sample;

    for (unsigned int i = 0; i < sample->output_count; i++)
        for (unsigned int j = 0; sample->has_spool[i] && is_shown(sample, i) && j < MRL_EVENT_COUNT;
             j++)
            add(rows, j, text_of_output(i), member(&sample->kept[i].of[j], rows->family->offset));
}

/* -- rings, side programs, policies ----------------------------------------------------------- */

static void label_ring(struct mrl_metric *row, unsigned int index)
{
    mrl_metric__label(row, "ring", index ? "mlock" : "rare");
}

static void collect_rings(const struct mrl_collecting *rows)
{
    const struct mrl_plugin_status *plugin = &rows->sample->plugin;

    for (unsigned int i = 0; i < plugin->ring_count; i++)
        add(rows, i, MRL_ORIGIN_NONE, member(&plugin->rings[i], rows->family->offset));
}

static void collect_sides(const struct mrl_collecting *rows)
{
    const struct mrl_sample *sample = rows->sample;

    for (unsigned int i = 0; i < sample->side_count; i++)
        add(rows, MRL_ORIGIN_NONE, text_of_output(sample->output_count + i),
            member(&sample->sides[i], rows->family->offset));
}

static void collect_policies(const struct mrl_collecting *rows)
{
    const struct mrl_sample *sample = rows->sample;

    for (unsigned int i = 0; i < sample->policy_count; i++)
        add(rows, MRL_ORIGIN_NONE, text_of_output(sample->output_count + sample->side_count + i),
            member(&sample->policies[i], rows->family->offset));
}

/* -- how long --------------------------------------------------------------------------------- */

/* Each bucket has what those before it have as well. */
static void add_buckets(const struct mrl_collecting *rows,
                        const uint64_t *buckets,
                        unsigned int count)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < count; i++) {
        sum += buckets[i];
        add(rows, i, MRL_ORIGIN_NONE, sum);
    }
}

static void label_latency(struct mrl_metric *row, unsigned int index)
{
    mrl_metric__label(row, "le", mrl_latency__bound(index));
}

static void collect_latencies(const struct mrl_collecting *rows)
{
    add_buckets(rows, rows->sample->latency.buckets, MRL_LATENCY_BUCKETS);
}

static void label_wait(struct mrl_metric *row, unsigned int index)
{
    static const char *const bounds[MRL_NAMES_WAITS] = { "0.001", "0.002", "0.005", "0.01",
                                                         "0.02",  "0.05",  "+Inf" };

    mrl_metric__label(row, "le", bounds[index]);
}

static void collect_waits(const struct mrl_collecting *rows)
{
    add_buckets(rows, rows->sample->names.waits, MRL_NAMES_WAITS);
}

/* -- names ------------------------------------------------------------------------------------ */

static void label_result(struct mrl_metric *row, unsigned int index)
{
    mrl_metric__label(row, "names", mrl_names_result__word((enum mrl_names_result)index));
}

static void collect_names(const struct mrl_collecting *rows)
{
    for (unsigned int i = 0; i < MRL_NAMES_RESULTS; i++)
        add(rows, i, MRL_ORIGIN_NONE, rows->sample->names.events[i]);
}

static void label_answer(struct mrl_metric *row, unsigned int index)
{
    const enum mrl_runtime runtime = (enum mrl_runtime)(index % MRL_RUNTIMES);

    label_result(row, index / MRL_RUNTIMES);
    mrl_metric__label(row, "runtime", runtime ? mrl_runtime__name(runtime) : "none");
}

static void collect_answers(const struct mrl_collecting *rows)
{
    const uint64_t *answers = rows->sample->names.answers[0]; /* of all results, in a row */

    for (unsigned int i = MRL_NAMES_KNOWN * MRL_RUNTIMES; i < MRL_NAMES_RESULTS * MRL_RUNTIMES; i++)
        add(rows, i, MRL_ORIGIN_NONE, answers[i]);
}

/* -- the table -------------------------------------------------------------------------------- */

#define HAS(member) offsetof(struct mrl_sample, has_##member)

#define BY_EVENT  MRL_EVENT_COUNT, label_event
#define BY_RING   2, label_ring
#define BY_LATE   MRL_LATENCY_BUCKETS, label_latency
#define BY_RESULT MRL_NAMES_RESULTS, label_result
#define BY_ANSWER MRL_NAMES_RESULTS *MRL_RUNTIMES, label_answer
#define BY_WAIT   MRL_NAMES_WAITS, label_wait
#define ALONE     0, NULL

const struct mrl_metric_scope mrl_metric_scopes[] = {
    [MRL_PER_EVENT] = { HAS(plugin), collect_events, BY_EVENT, NULL, false },
    [MRL_PER_PROBE] = { HAS(plugin), collect_probes, BY_EVENT, NULL, false },
    [MRL_PER_FILTER] = { HAS(pipeline), collect_filtered, BY_EVENT, NULL, false },
    [MRL_PER_OUTPUT] = { HAS(pipeline), collect_outputs, BY_EVENT, "output", false },
    [MRL_PER_QUEUE] = { HAS(pipeline), collect_queues, ALONE, "output", false },
    [MRL_PER_SENDER] = { HAS(pipeline), collect_senders, ALONE, "output", false },
    [MRL_PER_SPOOL] = { HAS(pipeline), collect_spools, ALONE, "output", false },
    [MRL_PER_SPOOLED_EVENT] = { HAS(pipeline), collect_spooled, BY_EVENT, "output", false },
    [MRL_PER_RING] = { HAS(plugin), collect_rings, BY_RING, NULL, false },
    [MRL_PER_BUCKET] = { HAS(pipeline), collect_latencies, BY_LATE, NULL, false },
    [MRL_PER_SIDE] = { HAS(sides), collect_sides, ALONE, "side", false },
    [MRL_PER_NAMES] = { HAS(names), collect_names, BY_RESULT, NULL, false },
    [MRL_PER_ANSWER] = { HAS(names), collect_answers, BY_ANSWER, NULL, false },
    [MRL_PER_WAIT] = { HAS(names), collect_waits, BY_WAIT, NULL, false },
    [MRL_OF_NAMES] = { HAS(names), collect_one, ALONE, NULL, false },
    [MRL_PER_POLICY] = { HAS(plugin), collect_policies, ALONE, "policy", false },
    [MRL_OF_BUILD] = { HAS(plugin), collect_build, .says_build = true },
    [MRL_OF_PLUGIN] = { HAS(plugin), collect_one, ALONE, NULL, false },
    [MRL_OF_PIPELINE] = { HAS(pipeline), collect_one, ALONE, NULL, false },
    [MRL_OF_PROCESS] = { HAS(process), collect_one, ALONE, NULL, false },
};
