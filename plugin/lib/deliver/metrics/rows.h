/* SPDX-License-Identifier: Apache-2.0 */
/* The rows in the making: of collecting, and of reading them from bytes. */
#ifndef MRL_DELIVER_METRICS_ROWS_H
#define MRL_DELIVER_METRICS_ROWS_H

#include "deliver/metrics/family.h"
#include "deliver/metrics/sample.h"

enum {
    MRL_METRIC_ROWS_MAX = 4096, /* with all outputs, spools and events: 2,700 */
    MRL_METRIC_SIDES_MAX = 16,
    /* Texts of labels: of what runs, of outputs, of side programs, of policies. */
    MRL_METRIC_BUILD_TEXTS = 3,
    MRL_METRIC_TEXTS_MAX =
        MRL_METRIC_BUILD_TEXTS + MRL_OUTPUTS_MAX + MRL_METRIC_SIDES_MAX + MRL_POLICIES_MAX,
};

enum { MRL_ORIGIN_NONE = UINT8_MAX };

/** What a row is about: a family, an index of what it is of (an event, a ring, a bucket), and
 * the text of an output, a side program or a policy; MRL_ORIGIN_NONE where there is no such thing.
 */
struct mrl_origin {
    uint8_t family, index, text;
};

struct mrl_metrics {
    unsigned int count, text_count;
    const char *texts[MRL_METRIC_TEXTS_MAX];
    char *own; /* their memory */
    struct mrl_origin origins[MRL_METRIC_ROWS_MAX];
    struct mrl_metric rows[MRL_METRIC_ROWS_MAX];
};

/** Copies the texts of all labels. Outputs whose rows others have are hidden in the sample. Error:
 * -ENOMEM. */
int mrl_metrics__copy_texts(struct mrl_metrics *metrics,
                            const struct mrl_metrics_sources *sources,
                            struct mrl_sample *sample);

/** Appends a label; both texts are borrowed for as long as the row lives. */
void mrl_metric__label(struct mrl_metric *row, const char *name, const char *value);

/** Appends a row. Returns false when its origin is none of the family, or there is no room. */
bool mrl_metrics__add(struct mrl_metrics *metrics,
                      const struct mrl_metric_family *family,
                      struct mrl_origin origin,
                      uint64_t value);

#endif
