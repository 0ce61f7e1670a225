// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/families.h"

#include <stddef.h>

#include "deliver/metrics/scopes.h"
#include "event/lost.h"

#define COUNTS(member) offsetof(struct mrl_event_counts, member)
#define OUTPUT(member) offsetof(struct mrl_output_counts, member)
#define KEPT(member)   offsetof(struct mrl_kept_counts, member)
#define GAUGES(member) offsetof(struct mrl_spool_gauges, member)
#define SENT(member)   offsetof(struct mrl_sent, member)
#define SAMPLE(member) offsetof(struct mrl_sample, member)

#define PER(scope) &mrl_metric_scopes[MRL_PER_##scope]
#define OF(scope)  &mrl_metric_scopes[MRL_OF_##scope]

#define C    MRL_METRIC_COUNTER
#define G    MRL_METRIC_GAUGE
#define H    MRL_METRIC_HISTOGRAM
#define NONE MRL_NO_CAUSE

#define NS UINT64_C(1000000000)
#define US UINT64_C(1000000)

#define LOST     "mrelease_events_lost_total", "Events that were lost before they were read.", C
#define FILTERED "mrelease_events_filtered_total", "Events that a filter or --count left out.", C
#define DROPPED  "mrelease_output_dropped_total", "Events that an output dropped.", C
#define LATE     "From the exit of a call until its event was handed to the outputs.", H

#define WAITED "How long events waited for the names of their container.", H

/* Rows of one family follow each other. */
static const struct mrl_metric_family families[] = {
    { "mrelease_build_info", "1; what runs, by its labels.", G, OF(BUILD), NONE, 0, NULL, 0 },
    { "mrelease_start_time_seconds", "When the probes were loaded, since the epoch.", G, OF(PLUGIN),
      NONE, SAMPLE(plugin.started_ns), NULL, NS },
    { "mrelease_unproven_ways",
      "Ways into the kernel on which the probes could not be proven; see doctor.", G, OF(PLUGIN),
      NONE, SAMPLE(unproven), NULL, 0 },
    { "mrelease_probe_up", "0 while the probes do not see a call of our own, which proves them.", G,
      PER(PROBE), NONE, 0, NULL, 0 },
    { "mrelease_events_seen_total", "Calls that the probes saw.", C, PER(EVENT), NONE, COUNTS(seen),
      NULL, 0 },
    { "mrelease_events_self_total",
      "Calls that prove probes, ours and other sensors'; never delivered.", C, PER(EVENT), NONE,
      COUNTS(self), NULL, 0 },
    { "mrelease_events_read_total", "Events that were read from the ring buffers.", C, PER(EVENT),
      NONE, COUNTS(decoded), NULL, 0 },
    { LOST, PER(EVENT), MRL_CAUSE_RING_FULL, 0, NULL, 0 },
    { LOST, PER(EVENT), MRL_CAUSE_NO_MEMORY, 0, NULL, 0 },
    { LOST, PER(EVENT), MRL_CAUSE_MALFORMED, 0, NULL, 0 },
    { LOST, PER(EVENT), MRL_CAUSE_EXIT_MISSED, 0, NULL, 0 },
    { LOST, PER(EVENT), MRL_CAUSE_SUPPRESSED, 0, NULL, 0 },
    { "mrelease_probe_misses_total", "Runs of probes that the kernel left out; of any system call.",
      C, OF(PLUGIN), NONE, SAMPLE(missed), NULL, 0 },
    { FILTERED, PER(EVENT), NONE, COUNTS(filtered), "kernel", 0 },
    { FILTERED, PER(EVENT), NONE, COUNTS(filtered_late), "reader", 0 },
    { FILTERED, PER(FILTER), NONE, 0, "count", 0 },
    { "mrelease_events_container_unknown_total",
      "Events whose caller's container could not be learnt, delivered or filtered.", C, PER(EVENT),
      NONE, COUNTS(unidentified), NULL, 0 },
    { "mrelease_names_events_total", "Events in containers, by what was known of their names.", C,
      PER(NAMES), NONE, 0, NULL, 0 },
    { "mrelease_names_asked_total", "How often the names of a container were asked for.", C,
      OF(NAMES), NONE, SAMPLE(names.asked), NULL, 0 },
    { "mrelease_names_answers_total", "What was answered, and by which runtime.", C, PER(ANSWER),
      NONE, 0, NULL, 0 },
    { "mrelease_names_waiting", "Events that wait for an answer.", G, OF(NAMES), NONE,
      SAMPLE(names.waiting), NULL, 0 },
    { "mrelease_names_wait_seconds_bucket", WAITED, PER(WAIT), NONE, 0, NULL, 0 },
    { "mrelease_names_wait_seconds_sum", WAITED, OF(NAMES), NONE, SAMPLE(names.waited_ns), NULL,
      NS },
    { "mrelease_names_wait_seconds_count", WAITED, OF(NAMES), NONE, SAMPLE(waits), NULL, 0 },
    { "mrelease_policy_matched_total", "Events that a policy wanted, of those that were delivered.",
      C, PER(POLICY), NONE, offsetof(struct mrl_policy_count, matched), NULL, 0 },
    { "mrelease_ring_bytes", "Size of a ring buffer of the probes.", G, PER(RING), NONE,
      offsetof(struct mrl_ring_fill, bytes), NULL, 0 },
    { "mrelease_ring_used_bytes", "What of it waits to be read.", G, PER(RING), NONE,
      offsetof(struct mrl_ring_fill, used), NULL, 0 },
    { "mrelease_latency_seconds_bucket", LATE, PER(BUCKET), NONE, 0, NULL, 0 },
    { "mrelease_latency_seconds_sum", LATE, OF(PIPELINE), NONE, SAMPLE(latency.sum_ns), NULL, NS },
    { "mrelease_latency_seconds_count", LATE, OF(PIPELINE), NONE, SAMPLE(latency.count), NULL, 0 },
    { "mrelease_output_delivered_total", "Events that an output wrote, or handed to gRPC.", C,
      PER(OUTPUT), NONE, OUTPUT(delivered), NULL, 0 },
    { DROPPED, PER(OUTPUT), MRL_CAUSE_QUEUE_FULL, OUTPUT(dropped_full), NULL, 0 },
    { DROPPED, PER(OUTPUT), MRL_CAUSE_WRITE_FAILED, OUTPUT(dropped_failed), NULL, 0 },
    { "mrelease_output_rejected_total",
      "Events that the destination of an output refused for good.", C, PER(OUTPUT), NONE,
      OUTPUT(rejected), NULL, 0 },
    { "mrelease_output_lost_before_total", "Events that were lost before they came to an output.",
      C, PER(OUTPUT), NONE, OUTPUT(lost_before), NULL, 0 },
    { "mrelease_output_queue_bytes", "Size of the queue of an output.", G, PER(QUEUE), NONE,
      offsetof(struct mrl_waiting, size), NULL, 0 },
    { "mrelease_output_queue_used_bytes", "What of it waits to be written.", G, PER(QUEUE), NONE,
      offsetof(struct mrl_waiting, used), NULL, 0 },
    { "mrelease_output_retries_total",
      "Requests of an output with an event that had been sent before.", C, PER(SENDER), NONE,
      SENT(retries), NULL, 0 },
    { "mrelease_output_resent_total", "Events that an output sent again.", C, PER(SENDER), NONE,
      SENT(resent), NULL, 0 },
    { "mrelease_output_last_success_timestamp_seconds",
      "When the destination last acknowledged an event, since the epoch; 0: never.", G, PER(SENDER),
      NONE, SENT(last_success_ns), NULL, NS },
    { "mrelease_spool_appended_total", "Events that a spool was given, in all runs.", C,
      PER(SPOOLED_EVENT), NONE, KEPT(appended), NULL, 0 },
    { "mrelease_spool_acknowledged_total",
      "Events of a spool that the destination acknowledged, in all runs.", C, PER(SPOOLED_EVENT),
      NONE, KEPT(taken), NULL, 0 },
    { "mrelease_spool_refused_total",
      "Events of a spool that the destination refused for good, in all runs.", C,
      PER(SPOOLED_EVENT), NONE, KEPT(refused), NULL, 0 },
    { "mrelease_spool_lost_total",
      "Events that a spool lost to its budget, or to damage, in all runs.", C, PER(SPOOLED_EVENT),
      NONE, KEPT(lost), NULL, 0 },
    { "mrelease_spool_bytes", "What a spool takes on the disk.", G, PER(SPOOL), NONE, GAUGES(bytes),
      NULL, 0 },
    { "mrelease_spool_pending", "Items of a spool that the destination has not acknowledged.", G,
      PER(SPOOL), NONE, GAUGES(pending), NULL, 0 },
    { "mrelease_spool_oldest_seconds", "Age of the oldest item that is pending.", G, PER(SPOOL),
      NONE, GAUGES(oldest_seconds), NULL, 0 },
    { "mrelease_side_starts_total", "How often a side program was started.", C, PER(SIDE), NONE,
      offsetof(struct mrl_side_life, starts), NULL, 0 },
    { "process_cpu_seconds_total", "CPU time of this process, in user and kernel.", C, OF(PROCESS),
      NONE, SAMPLE(process.cpu_us), NULL, US },
    { "process_open_fds", "Descriptors that it has open.", G, OF(PROCESS), NONE,
      SAMPLE(process.open_fds), NULL, 0 },
    { "process_max_fds", "Descriptors that it may have open.", G, OF(PROCESS), NONE,
      SAMPLE(process.max_fds), NULL, 0 },
    { "process_virtual_memory_bytes", "Its address space.", G, OF(PROCESS), NONE,
      SAMPLE(process.virtual_bytes), NULL, 0 },
    { "process_resident_memory_bytes", "What of that is in memory; a ring counts twice.", G,
      OF(PROCESS), NONE, SAMPLE(process.resident_bytes), NULL, 0 },
    { "process_threads", "Its threads.", G, OF(PROCESS), NONE, SAMPLE(process.threads), NULL, 0 },
    { "process_start_time_seconds", "When it started, since the epoch.", G, OF(PROCESS), NONE,
      SAMPLE(process.start_ns), NULL, NS },
};

const struct mrl_metric_family *mrl_metric_families(unsigned int *ret_count)
{
    *ret_count = sizeof(families) / sizeof(families[0]);
    return families;
}
