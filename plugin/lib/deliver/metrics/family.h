/* SPDX-License-Identifier: Apache-2.0 */
/* What a family of metrics is: a row of the table in families.c. */
#ifndef MRL_DELIVER_METRICS_FAMILY_H
#define MRL_DELIVER_METRICS_FAMILY_H

#include <mrelease/metrics.h>

struct mrl_collecting;

/** Of what there is one value each, and how these are collected and labelled: a row of the table in
 * scopes.c. */
struct mrl_metric_scope {
    size_t is_there; /* the bool of struct mrl_sample that says whether there is anything */
    void (*collect)(const struct mrl_collecting *rows);
    unsigned int index_count; /* 0: its rows have no index */
    void (*label_index)(struct mrl_metric *row, unsigned int index);
    const char *text_label; /* NULL: its rows have no text */
    bool says_build;        /* its rows are labelled with what runs */
};

enum { MRL_NO_CAUSE = -1 };

struct mrl_metric_family {
    const char *name, *help;
    enum mrl_metric_type type;
    const struct mrl_metric_scope *scope;
    int cause;      /* enum mrl_cause, for the label; of a LOST it has the offset */
    size_t offset;  /* into the struct of the scope */
    const char *by; /* for the label, or NULL */
    uint64_t per_unit;
};

#endif
