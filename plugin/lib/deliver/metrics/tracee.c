// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/tracee.h"

#include <stddef.h>
#include <string.h>

/* `cause` NULL: of all. */
static uint64_t sum(const struct mrl_metrics *metrics, const char *name, const char *cause)
{
    const struct mrl_label labels[] = { { "cause", cause } };

    return mrl_metrics__sum(metrics, name, labels, cause ? 1 : 0);
}

struct mrl_tracee_counts mrl_tracee_counts__of(const struct mrl_metrics *metrics)
{
    static const char lost[] = "mrelease_events_lost_total";
    static const char filtered[] = "mrelease_events_filtered_total";
    static const struct mrl_label by_count[] = { { "by", "count" } };
    struct mrl_tracee_counts counts = {
        .events = sum(metrics, "mrelease_events_read_total", NULL),
        .events_filtered =
            sum(metrics, filtered, NULL) - mrl_metrics__sum(metrics, filtered, by_count, 1),
        .errors = sum(metrics, lost, "malformed"),
        .write_lost_events = sum(metrics, "mrelease_output_dropped_total", NULL),
    };

    counts.lost_events = sum(metrics, lost, NULL) - counts.errors;
    return counts;
}

#define AT(member) offsetof(struct mrl_tracee_counts, member)

/* Of the second it says that it is a counter, and calls it like none: no reader of OpenMetrics
 * would take that. */
static const struct {
    const char *name, *help;
    enum mrl_metric_type type;
    size_t offset;
} rows[] = {
    { "tracee_ebpf_events_total", "events collected by tracee-ebpf", MRL_METRIC_COUNTER,
      AT(events) },
    { "tracee_ebpf_events_filtered", "events filtered by tracee-ebpf in userspace",
      MRL_METRIC_UNTYPED, AT(events_filtered) },
    { "tracee_ebpf_errors_total", "errors accumulated by tracee-ebpf", MRL_METRIC_COUNTER,
      AT(errors) },
    { "tracee_ebpf_lostevents_total", "events lost in the submission buffer", MRL_METRIC_COUNTER,
      AT(lost_events) },
    { "tracee_ebpf_write_lostevents_total", "events lost in the write buffer", MRL_METRIC_COUNTER,
      AT(write_lost_events) },
};

void mrl_tracee_counts__put(const struct mrl_tracee_counts *counts, struct mrl_metrics_text *text)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mrl_metric row = { .name = rows[i].name,
                                  .help = rows[i].help,
                                  .type = rows[i].type };

        memcpy(&row.value, (const char *)counts + rows[i].offset, sizeof(row.value));
        mrl_metrics_text__put(text, &row);
    }
}
