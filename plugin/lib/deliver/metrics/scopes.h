/* SPDX-License-Identifier: Apache-2.0 */
/* Of what metrics have one value each: how the rows of each are collected and labelled. */
#ifndef MRL_DELIVER_METRICS_SCOPES_H
#define MRL_DELIVER_METRICS_SCOPES_H

#include "deliver/metrics/family.h"
#include "deliver/metrics/sample.h"

/** Of what, and the struct into which the offsets of its families are. */
enum {
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

extern const struct mrl_metric_scope mrl_metric_scopes[];

/** A family whose rows are being collected. */
struct mrl_collecting {
    struct mrl_metrics *metrics;
    unsigned int index; /* of the family */
    const struct mrl_metric_family *family;
    const struct mrl_sample *sample;
};

#endif
