// SPDX-License-Identifier: Apache-2.0
/*
 * Two formats that are nearly one. OpenMetrics names a family of counters without "_total", wants
 * an end, and may say units.
 */
#include "deliver/metrics/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/tame.h"

enum { VALUE_BYTES = 512 /* of a label; what is longer is cut */ };

static const char *const types[][2] = {
    [MRL_METRIC_COUNTER] = { "counter", "counter" },
    [MRL_METRIC_GAUGE] = { "gauge", "gauge" },
    [MRL_METRIC_HISTOGRAM] = { "histogram", "histogram" },
    [MRL_METRIC_UNTYPED] = { "untyped", "unknown" },
};

static bool ends_in(const char *text, size_t size, const char *end)
{
    const size_t end_size = strlen(end);

    return size > end_size && !memcmp(text + size - end_size, end, end_size);
}

/* Bytes of the name that are the family's. */
static size_t family_size(const struct mrl_metric *row, enum mrl_metrics_format format)
{
    static const char *const of_histograms[] = { "_bucket", "_sum", "_count" };
    const size_t size = strlen(row->name);

    if (row->type == MRL_METRIC_COUNTER && format == MRL_METRICS_OPENMETRICS &&
        ends_in(row->name, size, "_total"))
        return size - strlen("_total");
    for (size_t i = 0; row->type == MRL_METRIC_HISTOGRAM && i < 3; i++)
        if (ends_in(row->name, size, of_histograms[i]))
            return size - strlen(of_histograms[i]);
    return size;
}

static void put_escaped(const char *text, const char *escaped, FILE *to)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            fputc('\\', to);
        fputc(*text, to);
    }
}

static void put_unit(const struct mrl_metrics_text *text)
{
    static const char *const units[] = { "seconds", "bytes" };
    const size_t size = strlen(text->family);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (ends_in(text->family, size, units[i]))
            fprintf(text->to, "# UNIT %s %s\n", text->family, units[i]);
}

static void begin_family(struct mrl_metrics_text *text, const struct mrl_metric *row)
{
    const size_t size = family_size(row, text->format);

    if (strlen(text->family) == size && !memcmp(text->family, row->name, size))
        return;
    snprintf(text->family, sizeof(text->family), "%.*s", (int)size, row->name);
    fprintf(text->to, "# HELP %s ", text->family);
    put_escaped(row->help, text->format == MRL_METRICS_OPENMETRICS ? "\\\"" : "\\", text->to);
    fprintf(text->to, "\n# TYPE %s %s\n", text->family, types[row->type][text->format]);
    if (text->format == MRL_METRICS_OPENMETRICS)
        put_unit(text);
}

/* A path need not be UTF-8, and readers refuse a text that is not. */
static void put_label(const struct mrl_label *label, FILE *to)
{
    char value[VALUE_BYTES];

    snprintf(value, sizeof(value), "%s", label->value);
    fprintf(to, "%s=\"", label->name);
    put_escaped(mrl_tame(value), "\\\"", to);
    fputc('"', to);
}

/* What a row says as a number: its value, apart by `per_unit`, exactly. */
static void put_value(const struct mrl_metric *row, FILE *to)
{
    const uint64_t whole = row->per_unit ? row->value / row->per_unit : row->value;
    uint64_t rest = row->per_unit ? row->value % row->per_unit : 0, digit;

    fprintf(to, "%" PRIu64, whole);
    for (digit = row->per_unit / 10; rest && digit; rest %= digit, digit /= 10)
        fprintf(to, "%s%" PRIu64, digit == row->per_unit / 10 ? "." : "", rest / digit);
}

void mrl_metrics_text__put_row(const struct mrl_metric *row, FILE *to)
{
    fputs(row->name, to);
    for (unsigned int i = 0; i < row->label_count; i++) {
        fputc(i ? ',' : '{', to);
        put_label(&row->labels[i], to);
    }
    fputs(row->label_count ? "} " : " ", to);
    put_value(row, to);
    fputc('\n', to);
}

void mrl_metrics_text__put(struct mrl_metrics_text *text, const struct mrl_metric *row)
{
    begin_family(text, row);
    mrl_metrics_text__put_row(row, text->to);
}

void mrl_metrics_text__end(struct mrl_metrics_text *text)
{
    if (text->format == MRL_METRICS_OPENMETRICS)
        fputs("# EOF\n", text->to);
}

void mrl_metrics__print(const struct mrl_metrics *metrics, enum mrl_metrics_format format, FILE *to)
{
    struct mrl_metrics_text text = { .to = to, .format = format };

    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++)
        mrl_metrics_text__put(&text, mrl_metrics__at(metrics, i));
    mrl_metrics_text__end(&text);
}

/* -- which of them ---------------------------------------------------------------------------- */

const char *mrl_metrics_format__type(enum mrl_metrics_format format)
{
    return format == MRL_METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

/* A parameter of an item such as "text/plain;version=0.0.4;q=0.5"; NULL: it is not there. */
static const char *parameter(const char *item, size_t size, const char *name)
{
    const size_t name_size = strlen(name);

    for (const char *at = item, *end = item + size; at < end; at++) {
        if (at > item && *at != ';')
            continue;
        while (at + 1 < end && at[1] == ' ')
            at++;
        if ((size_t)(end - at) > name_size + 1 && !memcmp(at + 1, name, name_size) &&
            at[1 + name_size] == '=')
            return at + name_size + 2;
    }
    return NULL;
}

/* How much an item wants `type`; 0: it is about another, or another version. */
static double wish(const char *item, size_t size, const char *type)
{
    const size_t type_size = strlen(type);
    const char *weight = parameter(item, size, "q"), *version = parameter(item, size, "version");

    if (size < type_size || strncasecmp(item, type, type_size) != 0 ||
        !strchr("; \t,", item[type_size]))
        return 0;
    if (version && *version != '1' && *version != '0')
        return 0;
    return weight ? strtod(weight, NULL) : 1;
}

enum mrl_metrics_format mrl_metrics_format__accepted(const char *accept)
{
    double open = 0, plain = 0;

    for (const char *at = accept ? accept : ""; *at;) {
        const char *item = at + strspn(at, " ,");
        const size_t size = strcspn(item, ",");
        const double wishes[] = { wish(item, size, "application/openmetrics-text"),
                                  wish(item, size, "text/plain") };

        open = wishes[0] > open ? wishes[0] : open;
        plain = wishes[1] > plain ? wishes[1] : plain;
        at = item + size;
    }
    return open > 0 && open >= plain ? MRL_METRICS_OPENMETRICS : MRL_METRICS_PROMETHEUS;
}
