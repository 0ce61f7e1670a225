// SPDX-License-Identifier: Apache-2.0
/* Results, and how they are shown. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"

enum { METHOD_BYTES = 512 };

static void add(struct bench *bench,
                const char *name,
                double value,
                const char *unit,
                double spread,
                const char *method)
{
    json_t *result = json_pack("{s:s, s:f, s:s, s:f, s:s}", "name", name, "value", value, "unit",
                               unit, "spread", spread, "method", method);

    if (!result || json_array_append_new(bench->results, result))
        bench_die("%s: no result could be made of it", name);
    bench_say("%s = %.6g %s", name, value, unit);
}

void bench_result(struct bench *bench,
                  const char *name,
                  double value,
                  const char *unit,
                  double spread,
                  const char *method,
                  ...)
{
    char text[METHOD_BYTES];
    va_list arguments;

    va_start(arguments, method);
    vsnprintf(text, sizeof(text), method, arguments);
    va_end(arguments);
    add(bench, name, value, unit, spread, text);
}

void bench_median(struct bench *bench,
                  const char *name,
                  const struct bench_samples *samples,
                  const char *unit,
                  const char *method,
                  ...)
{
    char text[METHOD_BYTES];
    va_list arguments;

    va_start(arguments, method);
    vsnprintf(text, sizeof(text), method, arguments);
    va_end(arguments);
    add(bench, name, bench_samples__percentile(samples, 50), unit, bench_samples__spread(samples),
        text);
}

void bench_ratio(struct bench *bench,
                 const char *name,
                 const struct bench_samples *of,
                 const struct bench_samples *to,
                 const char *method)
{
    struct bench_samples ratios = { 0 };

    for (size_t i = 0; i < of->count && i < to->count; i++)
        bench_samples__add(&ratios, of->values[i] / to->values[i]);
    bench_median(bench, name, &ratios, "ratio",
                 "%s; median over the rounds of the ratio within one", method);
    bench_samples__done(&ratios);
}

void bench_difference(struct bench *bench,
                      const char *name,
                      const struct bench_samples *of,
                      const struct bench_samples *to,
                      const char *unit,
                      const char *method)
{
    struct bench_samples differences = { 0 };

    for (size_t i = 0; i < of->count && i < to->count; i++)
        bench_samples__add(&differences, of->values[i] - to->values[i]);
    bench_median(bench, name, &differences, unit,
                 "%s; median over the rounds of the difference within one", method);
    bench_samples__done(&differences);
}

/* Enough digits to compare by, and no more. */
static int digits_after_point(double value)
{
    double size = value < 0 ? -value : value;

    return size == 0 || size >= 1000 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4;
}

static void print_number(double value, int width)
{
    printf(" %*.*f", width, digits_after_point(value), value);
}

void bench_print_table(const struct bench *bench)
{
    size_t index;
    json_t *result;

    printf("%-44s %13s %11s %-9s %s\n", "NAME", "VALUE", "SPREAD", "UNIT", "METHOD");
    json_array_foreach(bench->results, index, result)
    {
        printf("%-44s", json_string_value(json_object_get(result, "name")));
        print_number(json_real_value(json_object_get(result, "value")), 13);
        print_number(json_real_value(json_object_get(result, "spread")), 11);
        printf(" %-9s %s\n", json_string_value(json_object_get(result, "unit")),
               json_string_value(json_object_get(result, "method")));
    }
}

void bench_print_json(const struct bench *bench)
{
    json_t *all = json_pack("{s:O}", "results", bench->results);

    if (!all || json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)))
        bench_die("the results could not be printed");
    putchar('\n');
    json_decref(all);
}
