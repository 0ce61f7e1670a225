// SPDX-License-Identifier: Apache-2.0
/* The registry: which counters there are, in one table, and where their values are. */
#include <errno.h>
#include <mrelease/metrics.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "deliver/metrics_pack.h"
#include "event/lost.h"

/* Of what there is one value. */
enum scope { PER_PLUGIN, PER_EVENT, PER_FILTER, PER_OUTPUT, PER_SPOOL, PER_SPOOLED_EVENT };

enum { NO_CAUSE = -1 };

struct family {
    const char *name, *help;
    enum scope scope;
    int cause;      /* enum mrl_cause, for the label */
    size_t offset;  /* into the struct of the scope; of a LOST its cause has it */
    const char *by; /* for the label, or NULL */
};

#define PLUGIN(member)  offsetof(struct mrl_event_counts, member)
#define OUTPUT(member)  offsetof(struct mrl_output_counts, member)
#define SPOOLED(member) offsetof(struct mrl_kept_counts, member)

/* How a spool is just now. */
struct spool_gauges {
    uint64_t bytes, pending, oldest_seconds;
};

#define LOST     "mrelease_events_lost_total", "Events that were lost before they were read."
#define FILTERED "mrelease_events_filtered_total", "Events that a filter or --count left out."
#define DROPPED  "mrelease_output_dropped_total", "Events that an output dropped."

static const struct family families[] = {
    { "mrelease_events_seen_total", "Calls that the probes saw.", PER_EVENT, NO_CAUSE, PLUGIN(seen),
      NULL },
    { "mrelease_events_self_total",
      "Calls that prove probes, ours and other sensors'; never delivered.", PER_EVENT, NO_CAUSE,
      PLUGIN(self), NULL },
    { "mrelease_events_read_total", "Events that were read from the ring buffers.", PER_EVENT,
      NO_CAUSE, PLUGIN(decoded), NULL },
    { LOST, PER_EVENT, MRL_CAUSE_RING_FULL, 0, NULL },
    { LOST, PER_EVENT, MRL_CAUSE_NO_MEMORY, 0, NULL },
    { LOST, PER_EVENT, MRL_CAUSE_MALFORMED, 0, NULL },
    { LOST, PER_EVENT, MRL_CAUSE_EXIT_MISSED, 0, NULL },
    { LOST, PER_EVENT, MRL_CAUSE_SUPPRESSED, 0, NULL },
    { "mrelease_probe_misses_total", "Runs of probes that the kernel left out; of any system call.",
      PER_PLUGIN, NO_CAUSE, PLUGIN(missed), NULL },
    { FILTERED, PER_EVENT, NO_CAUSE, PLUGIN(filtered), "kernel" },
    { FILTERED, PER_EVENT, NO_CAUSE, PLUGIN(filtered_late), "reader" },
    { FILTERED, PER_FILTER, NO_CAUSE, 0, "count" },
    { "mrelease_events_container_unknown_total",
      "Events whose caller's container could not be learnt, delivered or filtered.", PER_EVENT,
      NO_CAUSE, PLUGIN(unidentified), NULL },
    { "mrelease_output_delivered_total", "Events that an output wrote, or handed to gRPC.",
      PER_OUTPUT, NO_CAUSE, OUTPUT(delivered), NULL },
    { DROPPED, PER_OUTPUT, MRL_CAUSE_QUEUE_FULL, OUTPUT(dropped_full), NULL },
    { DROPPED, PER_OUTPUT, MRL_CAUSE_WRITE_FAILED, OUTPUT(dropped_failed), NULL },
    { "mrelease_output_rejected_total",
      "Events that the destination of an output refused for good.", PER_OUTPUT, NO_CAUSE,
      OUTPUT(rejected), NULL },
    { "mrelease_output_lost_before_total", "Events that were lost before they came to an output.",
      PER_OUTPUT, NO_CAUSE, OUTPUT(lost_before), NULL },
    { "mrelease_spool_appended_total", "Events that a spool was given, in all runs.",
      PER_SPOOLED_EVENT, NO_CAUSE, SPOOLED(appended), NULL },
    { "mrelease_spool_acknowledged_total",
      "Events of a spool that the destination acknowledged, in all runs.", PER_SPOOLED_EVENT,
      NO_CAUSE, SPOOLED(taken), NULL },
    { "mrelease_spool_refused_total",
      "Events of a spool that the destination refused for good, in all runs.", PER_SPOOLED_EVENT,
      NO_CAUSE, SPOOLED(refused), NULL },
    { "mrelease_spool_lost_total",
      "Events that a spool lost to its budget, or to damage, in all runs.", PER_SPOOLED_EVENT,
      NO_CAUSE, SPOOLED(lost), NULL },
    { "mrelease_spool_bytes", "What a spool takes on the disk.", PER_SPOOL, NO_CAUSE,
      offsetof(struct spool_gauges, bytes), NULL },
    { "mrelease_spool_pending", "Items of a spool that the destination has not acknowledged.",
      PER_SPOOL, NO_CAUSE, offsetof(struct spool_gauges, pending), NULL },
    { "mrelease_spool_oldest_seconds", "Age of the oldest item that is pending.", PER_SPOOL,
      NO_CAUSE, offsetof(struct spool_gauges, oldest_seconds), NULL },
};

enum {
    FAMILY_COUNT = sizeof(families) / sizeof(families[0]),
    ROWS_MAX = FAMILY_COUNT * MRL_EVENT_COUNT * MRL_OUTPUTS_MAX,
};

enum { NONE = UINT8_MAX };

/* What a row is about: NONE where it is about no event, or no output. */
struct origin {
    uint8_t family, event, output;
};

/* What the rows are made of. Each source is asked once, so that the rows of an event are of one
 * moment, also while calls come. */
struct sample {
    bool has_plugin;
    uint32_t chosen; /* events */
    struct mrl_event_counts counts[MRL_EVENT_COUNT];
    const struct mrl_pipeline *pipeline;
    bool has_spool[MRL_OUTPUTS_MAX];
    struct mrl_kept kept[MRL_OUTPUTS_MAX];
};

struct mrl_metrics {
    unsigned int count, output_count;
    const char *outputs[MRL_OUTPUTS_MAX];
    char *names; /* of the outputs, one behind the other */
    struct origin origins[ROWS_MAX];
    struct mrl_metric rows[ROWS_MAX];
};

static uint64_t member(const void *counts, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)counts + offset, sizeof(value));
    return value;
}

static uint64_t count_of(const struct family *family, const struct mrl_event_counts *counts)
{
    bool is_loss = family->cause != NO_CAUSE;

    return member(counts, is_loss ? mrl_cause_def__of((enum mrl_cause)family->cause)->in_counts
                                  : family->offset);
}

static void label(struct mrl_metric *row, const char *name, const char *value)
{
    row->labels[row->label_count++] = (struct mrl_label){ name, value };
}

static void add(struct mrl_metrics *metrics, struct origin origin, uint64_t value)
{
    const struct family *family = &families[origin.family];
    struct mrl_metric *row = &metrics->rows[metrics->count];

    metrics->origins[metrics->count++] = origin;
    *row = (struct mrl_metric){ .name = family->name, .help = family->help, .value = value };
    row->type = family->scope == PER_SPOOL ? MRL_METRIC_GAUGE : MRL_METRIC_COUNTER;
    if (origin.output != NONE)
        label(row, "output", metrics->outputs[origin.output]);
    if (origin.event != NONE)
        label(row, "event", mrl_event_def__at(origin.event)->name);
    if (family->cause != NO_CAUSE)
        label(row, "cause", mrl_cause__name((enum mrl_cause)family->cause).bytes);
    if (family->by)
        label(row, "by", family->by);
}

static void add_of_outputs(struct mrl_metrics *metrics,
                           struct origin origin,
                           const struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const struct mrl_output_counts counts = mrl_pipeline__counts(pipeline, i, origin.event);

        origin.output = (uint8_t)i;
        add(metrics, origin, member(&counts, families[origin.family].offset));
    }
}

static uint64_t age_s(uint64_t since_ns)
{
    const int64_t age_ns = mrl_clock__ns(CLOCK_REALTIME) - (int64_t)since_ns;

    return age_ns > 0 ? (uint64_t)age_ns / 1000000000 : 0;
}

static void add_gauge(struct mrl_metrics *metrics,
                      struct origin origin,
                      const struct mrl_kept *kept)
{
    const size_t offset = families[origin.family].offset;
    const bool is_known = !kept->pending || kept->oldest_ns;
    const struct spool_gauges gauges = { kept->bytes, kept->pending,
                                         kept->pending ? age_s(kept->oldest_ns) : 0 };

    if (is_known || offset != offsetof(struct spool_gauges, oldest_seconds))
        add(metrics, origin, member(&gauges, offset));
}

static void add_of_spools(struct mrl_metrics *metrics, unsigned int index, const struct sample *all)
{
    const struct family *family = &families[index];

    for (unsigned int i = 0; i < metrics->output_count; i++) {
        struct origin origin = { (uint8_t)index, NONE, (uint8_t)i };

        if (!all->has_spool[i])
            continue;
        if (family->scope == PER_SPOOL)
            add_gauge(metrics, origin, &all->kept[i]);
        for (origin.event = 0;
             family->scope == PER_SPOOLED_EVENT && origin.event < mrl_event_def__count();
             origin.event++)
            add(metrics, origin, member(&all->kept[i].of[origin.event], family->offset));
    }
}

static void add_family(struct mrl_metrics *metrics, unsigned int index, const struct sample *sample)
{
    const struct family *family = &families[index];
    bool done = false;

    add_of_spools(metrics, index, sample);
    for (unsigned int i = 0; !done && i < mrl_event_def__count(); i++) {
        struct origin origin = { (uint8_t)index, (uint8_t)i, NONE };
        bool is_chosen = sample->chosen & (1U << i);

        if (sample->has_plugin && family->scope <= PER_EVENT && is_chosen) {
            done = family->scope == PER_PLUGIN;
            origin.event = done ? NONE : origin.event;
            add(metrics, origin, count_of(family, &sample->counts[i]));
        } else if (sample->pipeline && family->scope == PER_FILTER && is_chosen) {
            add(metrics, origin, mrl_pipeline__filtered(sample->pipeline, i));
        } else if (sample->pipeline && family->scope == PER_OUTPUT &&
                   (is_chosen || !*mrl_event_def__at(i)->syscall)) {
            add_of_outputs(metrics, origin, sample->pipeline);
        }
    }
}

static int take_sample(struct mrl_plugin *plugin,
                       const struct mrl_pipeline *pipeline,
                       struct sample *sample)
{
    int err = 0;

    sample->has_plugin = plugin;
    sample->pipeline = pipeline;
    sample->chosen = plugin ? mrl_plugin__events(plugin) : UINT32_MAX;
    for (unsigned int i = 0; plugin && !err && i < mrl_event_def__count(); i++)
        if (sample->chosen & (1U << i))
            err = mrl_plugin__counts(plugin, i, &sample->counts[i]);
    for (unsigned int i = 0; pipeline && i < mrl_pipeline__outputs(pipeline); i++)
        sample->has_spool[i] = mrl_pipeline__kept(pipeline, i, &sample->kept[i]);
    return err;
}

/* Copies: an output may go, and these may be kept. */
static int name_outputs(struct mrl_metrics *metrics, const struct mrl_pipeline *pipeline)
{
    const unsigned int count = pipeline ? mrl_pipeline__outputs(pipeline) : 0;
    size_t size = 1;
    char *at;

    for (unsigned int i = 0; i < count; i++)
        size += strlen(mrl_pipeline__output_name(pipeline, i)) + 1;
    at = metrics->names = malloc(size);
    if (!at)
        return -ENOMEM;
    for (unsigned int i = 0; i < count; i++) {
        metrics->outputs[i] = at;
        at = stpcpy(at, mrl_pipeline__output_name(pipeline, i)) + 1;
    }
    metrics->output_count = count;
    return 0;
}

int mrl_metrics__collect(struct mrl_plugin *plugin,
                         const struct mrl_pipeline *pipeline,
                         struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics = malloc(sizeof(*metrics));
    struct sample *sample = calloc(1, sizeof(*sample));
    int err = metrics && sample ? 0 : -ENOMEM;

    if (metrics)
        metrics->names = NULL;
    if (!err)
        err = name_outputs(metrics, pipeline);
    if (!err)
        err = take_sample(plugin, pipeline, sample);
    if (err) {
        mrl_metrics__free(metrics);
        free(sample);
        return err;
    }
    metrics->count = 0;
    for (unsigned int i = 0; i < FAMILY_COUNT; i++)
        add_family(metrics, i, sample);
    free(sample);
    *ret_metrics = metrics;
    return 0;
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
        free(metrics->names);
    free(metrics);
}

/* -- as bytes --------------------------------------------------------------------------------- */

/* Then follow the names, each with its NUL, and the rows. */
struct head {
    uint32_t name_bytes, output_count, count;
};

struct packed {
    uint64_t value;
    struct origin origin;
    char padding[5];
};

ssize_t mrl_metrics__pack(const struct mrl_metrics *metrics, char *bytes, size_t size)
{
    struct head head = { 0, metrics->output_count, metrics->count };
    char *at = bytes + sizeof(head);

    for (unsigned int i = 0; i < metrics->output_count; i++)
        head.name_bytes += (uint32_t)strlen(metrics->outputs[i]) + 1;
    if (sizeof(head) + head.name_bytes + metrics->count * sizeof(struct packed) > size)
        return -ENOSPC;
    memcpy(bytes, &head, sizeof(head));
    for (unsigned int i = 0; i < metrics->output_count; i++)
        at = stpcpy(at, metrics->outputs[i]) + 1;
    for (unsigned int i = 0; i < metrics->count; i++, at += sizeof(struct packed)) {
        const struct packed row = { metrics->rows[i].value, metrics->origins[i], { 0 } };

        memcpy(at, &row, sizeof(row));
    }
    return at - bytes;
}

/* Points at the names, which are as many as `head` says. */
static bool read_names(struct mrl_metrics *metrics, const struct head *head)
{
    const char *at = metrics->names, *end = at + head->name_bytes;

    for (metrics->output_count = 0; metrics->output_count < head->output_count;) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));

        if (!stop)
            return false;
        metrics->outputs[metrics->output_count++] = at;
        at = stop + 1;
    }
    return at == end;
}

static bool read_rows(struct mrl_metrics *metrics, const struct head *head, const char *at)
{
    for (metrics->count = 0; metrics->count < head->count; at += sizeof(struct packed)) {
        struct packed row;

        memcpy(&row, at, sizeof(row));
        if (row.origin.family >= FAMILY_COUNT ||
            (row.origin.event != NONE && row.origin.event >= mrl_event_def__count()) ||
            (row.origin.output != NONE && row.origin.output >= metrics->output_count))
            return false;
        add(metrics, row.origin, row.value);
    }
    return true;
}

int mrl_metrics__unpack(const char *bytes, size_t size, struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics;
    struct head head;

    if (size < sizeof(head))
        return -EPROTO;
    memcpy(&head, bytes, sizeof(head));
    if (head.output_count > MRL_OUTPUTS_MAX || head.count > ROWS_MAX || head.name_bytes > size ||
        size != sizeof(head) + head.name_bytes + head.count * sizeof(struct packed))
        return -EPROTO;
    metrics = malloc(sizeof(*metrics));
    if (!metrics)
        return -ENOMEM;
    metrics->names = malloc(head.name_bytes + 1U);
    if (metrics->names)
        memcpy(metrics->names, bytes + sizeof(head), head.name_bytes);
    if (!metrics->names || !read_names(metrics, &head) ||
        !read_rows(metrics, &head, bytes + sizeof(head) + head.name_bytes)) {
        int err = metrics->names ? -EPROTO : -ENOMEM;

        mrl_metrics__free(metrics);
        return err;
    }
    *ret_metrics = metrics;
    return 0;
}
