/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of metrics are made of. */
#ifndef MRL_DELIVER_METRICS_SAMPLE_H
#define MRL_DELIVER_METRICS_SAMPLE_H

#include <mrelease/metrics.h>

#include "deliver/metrics/process.h"
#include "event/raw.h"

/** How a spool is just now. */
struct mrl_spool_gauges {
    uint64_t bytes, pending, oldest_seconds;
};

/** Each source is asked once, so that the rows of an event are of one moment, also while calls
 * come. */
struct mrl_sample {
    bool has_plugin, has_names, has_pipeline, has_sides, has_process;
    uint32_t chosen; /* events */
    struct mrl_event_counts counts[MRL_EVENT_COUNT];
    struct mrl_plugin_status plugin;
    uint64_t missed, unproven;
    struct mrl_names_status names;
    uint64_t waits; /* of events for names */
    struct mrl_policy_count policies[MRL_POLICIES_MAX];
    unsigned int policy_count;
    const struct mrl_pipeline *pipeline;
    unsigned int output_count;
    uint32_t hidden; /* outputs that are gone, and another has their name: no two rows are alike */
    bool has_sent[MRL_OUTPUTS_MAX];
    struct mrl_sent sent[MRL_OUTPUTS_MAX];
    bool has_spool[MRL_OUTPUTS_MAX];
    struct mrl_kept kept[MRL_OUTPUTS_MAX];
    struct mrl_latency latency;
    const struct mrl_side_life *sides; /* borrowed */
    unsigned int side_count;
    struct mrl_process process;
};

#endif
