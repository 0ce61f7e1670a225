/* SPDX-License-Identifier: Apache-2.0 */
/* The registry as text, as Prometheus and OpenMetrics have it. The only place that knows how. */
#ifndef MRL_DELIVER_METRICS_TEXT_H
#define MRL_DELIVER_METRICS_TEXT_H

#include <mrelease/metrics.h>
#include <stdio.h>

/** A text in the making. Rows of one family follow each other. */
struct mrl_metrics_text {
    FILE *to; /**< borrowed */
    enum mrl_metrics_format format;
    char family[128]; /**< of the last row; begins as "" */
};

/** Appends a row, and what precedes the first one of its family. */
void mrl_metrics_text__put(struct mrl_metrics_text *text, const struct mrl_metric *row);

/** Writes a row alone, as both formats have it. */
void mrl_metrics_text__put_row(const struct mrl_metric *row, FILE *to);

/** Appends the end. */
void mrl_metrics_text__end(struct mrl_metrics_text *text);

/** The media type of a format. Static. */
const char *mrl_metrics_format__type(enum mrl_metrics_format format);

/** What a client that sends this header `accept` wants; NULL: it sends none. */
enum mrl_metrics_format mrl_metrics_format__accepted(const char *accept);

#endif
