/* SPDX-License-Identifier: Apache-2.0 */
/* What Tracee counts too, as it means it. */
#ifndef MRL_DELIVER_METRICS_TRACEE_H
#define MRL_DELIVER_METRICS_TRACEE_H

#include "deliver/metrics/text.h"

/** By the names of its metrics: tracee_ebpf_events_total, tracee_ebpf_events_filtered, … */
struct mrl_tracee_counts {
    uint64_t events, events_filtered, errors, lost_events, write_lost_events;
};

/** Counts; of all events together. */
struct mrl_tracee_counts mrl_tracee_counts__of(const struct mrl_metrics *metrics);

/** Appends them under Tracee's names. */
void mrl_tracee_counts__put(const struct mrl_tracee_counts *counts, struct mrl_metrics_text *text);

#endif
