/* SPDX-License-Identifier: Apache-2.0 */
/* Which metrics there are: one table, which collecting, packing and the documentation walk. */
#ifndef MRL_DELIVER_METRICS_FAMILIES_H
#define MRL_DELIVER_METRICS_FAMILIES_H

#include <mrelease/metrics.h>

#include "deliver/metrics/process.h"
#include "event/raw.h"

/** Of what there is one value, and where that is. */
enum mrl_metric_scope {
    MRL_PER_EVENT,         /* struct mrl_event_counts */
    MRL_PER_PROBE,         /* an event that is a call: whether it is seen */
    MRL_PER_FILTER,        /* an event, left out by --count */
    MRL_PER_OUTPUT,        /* an output and event: struct mrl_output_counts */
    MRL_PER_QUEUE,         /* an output with a queue: struct mrl_waiting */
    MRL_PER_SENDER,        /* an output whose destination acknowledges: struct mrl_sent */
    MRL_PER_SPOOL,         /* an output with a spool: struct mrl_spool_gauges */
    MRL_PER_SPOOLED_EVENT, /* and an event: struct mrl_kept_counts */
    MRL_PER_RING,          /* struct mrl_ring_fill */
    MRL_PER_BUCKET,        /* of the latencies */
    MRL_PER_SIDE,          /* struct mrl_side_life */
    MRL_PER_NAMES,         /* a result: struct mrl_names_status, as the next three */
    MRL_PER_ANSWER,        /* a result, from KNOWN on, and a runtime */
    MRL_PER_WAIT,          /* of how long events waited */
    MRL_OF_NAMES,
    MRL_PER_POLICY, /* struct mrl_policy_count */
    MRL_OF_BUILD,   /* 1, with labels that say what runs */
    MRL_OF_PLUGIN,  /* struct mrl_sample, as the next two */
    MRL_OF_PIPELINE,
    MRL_OF_PROCESS,
};

enum { MRL_NO_CAUSE = -1 };

struct mrl_metric_family {
    const char *name, *help;
    enum mrl_metric_type type;
    enum mrl_metric_scope scope;
    int cause;      /* enum mrl_cause, for the label; of a LOST it has the offset */
    size_t offset;  /* into the struct of the scope */
    const char *by; /* for the label, or NULL */
    uint64_t per_unit;
};

/** How a spool is just now. */
struct mrl_spool_gauges {
    uint64_t bytes, pending, oldest_seconds;
};

/** What the rows are made of. Each source is asked once, so that the rows of an event are of one
 * moment, also while calls come. */
struct mrl_sample {
    bool has_plugin, has_process, has_names;
    uint32_t chosen; /* events */
    struct mrl_event_counts counts[MRL_EVENT_COUNT];
    struct mrl_plugin_status plugin;
    struct mrl_names_status names;
    uint64_t waits; /* of events for names */
    struct mrl_policy_count policies[MRL_POLICIES_MAX];
    unsigned int policy_count;
    uint64_t missed, unproven;
    const struct mrl_pipeline *pipeline;
    uint32_t hidden; /* outputs that are gone, and another has their name: no two rows are alike */
    bool has_sent[MRL_OUTPUTS_MAX];
    struct mrl_sent sent[MRL_OUTPUTS_MAX];
    bool has_spool[MRL_OUTPUTS_MAX];
    struct mrl_kept kept[MRL_OUTPUTS_MAX];
    struct mrl_latency latency;
    struct mrl_process process;
};

/** The table. Static. */
const struct mrl_metric_family *mrl_metric_families(unsigned int *ret_count);

#endif
