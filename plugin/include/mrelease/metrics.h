/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Metrics: every counter of a plugin and its pipeline as rows, named as Prometheus names them. The
 * totals at the end of a run and whatever serves metrics read the same rows.
 *
 * The identity that they keep at a quiet moment, for each event and output:
 *
 *     seen = self + delivered + dropped + filtered + lost_before
 */
#ifndef MRELEASE_METRICS_H
#define MRELEASE_METRICS_H

#include <mrelease/declare.h>
#include <mrelease/pipeline.h>
#include <mrelease/plugin.h>
#include <stdio.h>

MRL_BEGIN_DECLARATIONS

enum mrl_metric_type {
    MRL_METRIC_COUNTER,
    MRL_METRIC_GAUGE,
    MRL_METRIC_HISTOGRAM,
    MRL_METRIC_UNTYPED, /**< under the name that somebody else gave it */
};

struct mrl_label {
    const char *name;  /**< static */
    const char *value; /**< as long as the pipeline lives */
};

enum { MRL_METRIC_LABELS_MAX = 3 };

/** A row: one value of a metric. Rows of one metric follow each other. */
struct mrl_metric {
    const char *name; /**< "mrelease_events_seen_total", …; static */
    const char *help; /**< one sentence; static */
    enum mrl_metric_type type;
    struct mrl_label labels[MRL_METRIC_LABELS_MAX];
    unsigned int label_count;
    uint64_t value;
    /** What one of the name's unit is in `value`, a power of ten: 1000000000 where the name ends in
     * _seconds and `value` is in ns. 0: value is the number itself. */
    uint64_t per_unit;
};

/** The rows at one moment. */
struct mrl_metrics;

/**
 * Takes the rows. `plugin` or `pipeline` may be NULL: then theirs are missing. `*ret_metrics` is
 * new. Any thread, as long as both live. Errors: -ENOMEM, and those of mrl_plugin__counts().
 */
int mrl_metrics__collect(struct mrl_plugin *plugin,
                         const struct mrl_pipeline *pipeline,
                         struct mrl_metrics **ret_metrics);

/** A side program, as far as the rows tell of it. */
struct mrl_side_life {
    const char *name;
    uint64_t starts; /**< how often it was started */
};

/** Whose rows are taken; NULL and 0 where there is none. All is borrowed for as long as the rows
 * live. */
struct mrl_metrics_sources {
    /** sizeof(struct mrl_metrics_sources): lets the struct grow. */
    size_t size;
    struct mrl_plugin *plugin;
    const struct mrl_pipeline *pipeline;
    const struct mrl_side_life *sides;
    unsigned int side_count;
    /** Also what this process takes (process_cpu_seconds_total and the like). */
    bool process;
};

/** As mrl_metrics__collect(), of more. */
int mrl_metrics__collect_from(const struct mrl_metrics_sources *sources,
                              struct mrl_metrics **ret_metrics);

/** Number of rows. */
unsigned int mrl_metrics__count(const struct mrl_metrics *metrics);

/** The row at `index` < mrl_metrics__count(). */
const struct mrl_metric *mrl_metrics__at(const struct mrl_metrics *metrics, unsigned int index);

/** Sum of the rows called `name` that have all of `label_count` `labels`. 0 where there is none. */
uint64_t mrl_metrics__sum(const struct mrl_metrics *metrics,
                          const char *name,
                          const struct mrl_label *labels,
                          unsigned int label_count);

enum mrl_metrics_format {
    MRL_METRICS_PROMETHEUS,  /**< text 0.0.4 */
    MRL_METRICS_OPENMETRICS, /**< 1.0.0 */
};

/** Writes all rows in a format of texts. `to` has what went wrong (ferror()). */
void mrl_metrics__print(const struct mrl_metrics *metrics,
                        enum mrl_metrics_format format,
                        FILE *to);

/** NULL is allowed. */
void mrl_metrics__free(struct mrl_metrics *metrics);

MRL_END_DECLARATIONS

#endif
