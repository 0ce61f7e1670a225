// SPDX-License-Identifier: Apache-2.0
/* The registry: which counters there are, in one table, and where their values are. */
#include <errno.h>
#include <mrelease/metrics.h>
#include <stdlib.h>
#include <string.h>

#include "event/lost.h"

/* Of what there is one value. */
enum scope { PER_PLUGIN, PER_EVENT, PER_FILTER, PER_OUTPUT };

enum { NO_CAUSE = -1 };

struct family {
    const char *name, *help;
    enum scope scope;
    int cause;      /* enum mrl_cause, for the label */
    size_t offset;  /* into the struct of the scope; of a LOST its cause has it */
    const char *by; /* for the label, or NULL */
};

#define PLUGIN(member) offsetof(struct mrl_event_counts, member)
#define OUTPUT(member) offsetof(struct mrl_output_counts, member)

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
    { "mrelease_output_lost_before_total", "Events that were lost before they came to an output.",
      PER_OUTPUT, NO_CAUSE, OUTPUT(lost_before), NULL },
};

enum {
    FAMILY_COUNT = sizeof(families) / sizeof(families[0]),
    ROWS_MAX = FAMILY_COUNT * MRL_EVENT_COUNT * MRL_OUTPUTS_MAX,
};

struct mrl_metrics {
    unsigned int count;
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

/* Each of `event` and `output` may be NULL. */
static void add(struct mrl_metrics *metrics,
                const struct family *family,
                const char *output,
                const char *event,
                uint64_t value)
{
    struct mrl_metric *row = &metrics->rows[metrics->count++];

    *row = (struct mrl_metric){ .name = family->name, .help = family->help, .value = value };
    if (output)
        label(row, "output", output);
    if (event)
        label(row, "event", event);
    if (family->cause != NO_CAUSE)
        label(row, "cause", mrl_cause__name((enum mrl_cause)family->cause).bytes);
    if (family->by)
        label(row, "by", family->by);
}

static void add_of_outputs(struct mrl_metrics *metrics,
                           const struct family *family,
                           const struct mrl_pipeline *pipeline,
                           unsigned int event)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const struct mrl_output_counts counts = mrl_pipeline__counts(pipeline, i, event);

        add(metrics, family, mrl_pipeline__output_name(pipeline, i), mrl_event_def__at(event)->name,
            member(&counts, family->offset));
    }
}

static int add_family(struct mrl_metrics *metrics,
                      const struct family *family,
                      struct mrl_plugin *plugin,
                      const struct mrl_pipeline *pipeline)
{
    uint32_t chosen = plugin ? mrl_plugin__events(plugin) : UINT32_MAX;
    struct mrl_event_counts counts;
    bool done = false;
    int err = 0;

    for (unsigned int i = 0; !err && !done && i < mrl_event_def__count(); i++) {
        const char *name = mrl_event_def__at(i)->name;
        bool is_chosen = chosen & (1U << i);

        if (plugin && family->scope <= PER_EVENT && is_chosen) {
            done = family->scope == PER_PLUGIN;
            err = mrl_plugin__counts(plugin, i, &counts);
            if (!err)
                add(metrics, family, NULL, done ? NULL : name, count_of(family, &counts));
        } else if (pipeline && family->scope == PER_FILTER && is_chosen) {
            add(metrics, family, NULL, name, mrl_pipeline__filtered(pipeline, i));
        } else if (pipeline && family->scope == PER_OUTPUT &&
                   (is_chosen || !*mrl_event_def__at(i)->syscall)) {
            add_of_outputs(metrics, family, pipeline, i);
        }
    }
    return err;
}

int mrl_metrics__collect(struct mrl_plugin *plugin,
                         const struct mrl_pipeline *pipeline,
                         struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics = malloc(sizeof(*metrics));
    int err = 0;

    if (!metrics)
        return -ENOMEM;
    metrics->count = 0;
    for (unsigned int i = 0; !err && i < FAMILY_COUNT; i++)
        err = add_family(metrics, &families[i], plugin, pipeline);
    if (err) {
        mrl_metrics__free(metrics);
        return err;
    }
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
    free(metrics);
}
