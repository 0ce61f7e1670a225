// SPDX-License-Identifier: Apache-2.0
/* Metrics as Prometheus and OpenMetrics write them, and as bytes for another process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/latency.h"
#include "deliver/metrics/pack.h"
#include "deliver/metrics/rows.h"
#include "deliver/metrics/tracee.h"
#include "unit/records.h"
#include "unit/unit.h"

static char *written;
static size_t written_size;

static int tear_down(void **state)
{
    free(written);
    written = NULL;
    return test_decoder__tear_down(state);
}

/* -- values and labels ------------------------------------------------------------------------- */

static const char *text_of(const struct mrl_metric *row, enum mrl_metrics_format format)
{
    struct mrl_metrics_text text = { .format = format };

    free(written);
    text.to = open_memstream(&written, &written_size);
    mrl_metrics_text__put(&text, row);
    mrl_metrics_text__end(&text);
    fclose(text.to);
    return written;
}

static void values_are_exact(void **state)
{
    static const struct {
        uint64_t value, per_unit;
        const char *text;
    } cases[] = {
        { 0, 0, "0" },
        { UINT64_MAX, 0, "18446744073709551615" },
        { 0, 1000000000, "0" },
        { 1, 1000000000, "0.000000001" },
        { 1500000000, 1000000000, "1.5" },
        { 1000000000, 1000000000, "1" },
        { 202773, 1000000, "0.202773" },
        { UINT64_MAX, 1000000000, "18446744073.709551615" },
    };
    char expected[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mrl_metric row = { .name = "a_seconds",
                                        .help = "Time.",
                                        .type = MRL_METRIC_GAUGE,
                                        .value = cases[i].value,
                                        .per_unit = cases[i].per_unit };

        snprintf(expected, sizeof(expected),
                 "# HELP a_seconds Time.\n# TYPE a_seconds gauge\na_seconds %s\n", cases[i].text);
        assert_string_equal(text_of(&row, MRL_METRICS_PROMETHEUS), expected);
    }
}

static void labels_cannot_end_a_row(void **state)
{
    const struct mrl_metric row = { .name = "a_total",
                                    .help = "As.",
                                    .labels = { { "output", "a\\b\"c\nd\xff" }, { "cause", "x" } },
                                    .label_count = 2,
                                    .value = 7 };

    (void)state;
    assert_string_equal(text_of(&row, MRL_METRICS_OPENMETRICS),
                        "# HELP a As.\n# TYPE a counter\n"
                        "a_total{output=\"a\\\\b\\\"c?d?\",cause=\"x\"} 7\n# EOF\n");
    assert_string_equal(text_of(&row, MRL_METRICS_PROMETHEUS),
                        "# HELP a_total As.\n# TYPE a_total counter\n"
                        "a_total{output=\"a\\\\b\\\"c?d?\",cause=\"x\"} 7\n");
}

static void a_histogram_is_one_family(void **state)
{
    static const char *const names[] = { "a_seconds_bucket", "a_seconds_sum", "a_seconds_count" };
    struct mrl_metrics_text text = { .format = MRL_METRICS_OPENMETRICS };

    (void)state;
    free(written);
    text.to = open_memstream(&written, &written_size);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        mrl_metrics_text__put(
            &text,
            &(struct mrl_metric){ .name = names[i], .help = "A.", .type = MRL_METRIC_HISTOGRAM });
    fclose(text.to);
    assert_string_equal(written, "# HELP a_seconds A.\n# TYPE a_seconds histogram\n"
                                 "# UNIT a_seconds seconds\n"
                                 "a_seconds_bucket 0\na_seconds_sum 0\na_seconds_count 0\n");
}

/* -- which format ------------------------------------------------------------------------------ */

static void clients_get_what_they_accept(void **state)
{
    static const struct {
        const char *accept;
        enum mrl_metrics_format format;
    } cases[] = {
        { NULL, MRL_METRICS_PROMETHEUS },
        { "", MRL_METRICS_PROMETHEUS },
        { "*/*", MRL_METRICS_PROMETHEUS },
        { "text/plain", MRL_METRICS_PROMETHEUS },
        { "application/openmetrics-text", MRL_METRICS_OPENMETRICS },
        { "application/openmetrics-text; version=1.0.0; charset=utf-8", MRL_METRICS_OPENMETRICS },
        { "application/openmetrics-text;version=2.0.0", MRL_METRICS_PROMETHEUS },
        { "application/openmetrics-text;q=0", MRL_METRICS_PROMETHEUS },
        { "application/openmetrics-text;q=0.4,text/plain;q=0.5", MRL_METRICS_PROMETHEUS },
        { "text/plain;version=0.0.4;q=0.5 , Application/OpenMetrics-Text;q=0.6",
          MRL_METRICS_OPENMETRICS },
        { "application/openmetrics-textile", MRL_METRICS_PROMETHEUS },
        { ",,;;q=,=,", MRL_METRICS_PROMETHEUS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(mrl_metrics_format__accepted(cases[i].accept), cases[i].format);
}

/* -- latencies --------------------------------------------------------------------------------- */

static void latencies_are_counted_where_they_belong(void **state)
{
    struct mrl_latencies latencies = { 0 };
    struct test_decoder *decoder = *state;
    struct mrl_latency read;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_decoder__event(decoder, &record); /* of long ago */
    mrl_latencies__count(&latencies, decoder->batch, 1);
    mrl_latencies__read(&latencies, &read);
    assert_int_equal(read.count, 1);
    assert_int_equal(read.buckets[MRL_LATENCY_BUCKETS - 1], 1);
    assert_true(read.sum_ns > 1000000000);
    assert_string_equal(mrl_latency__bound(MRL_LATENCY_BUCKETS - 1), "+Inf");
}

/* -- as bytes ---------------------------------------------------------------------------------- */

static struct mrl_metrics *of_outputs(struct mrl_pipeline *pipeline)
{
    static const struct mrl_side_life lives[] = { { "metrics", 3 }, { "grpc", 1 } };
    const struct mrl_metrics_sources sources = { .size = sizeof(sources),
                                                 .pipeline = pipeline,
                                                 .sides = lives,
                                                 .side_count = 2,
                                                 .process = true };
    struct mrl_metrics *metrics;

    assert_int_equal(mrl_metrics__collect_from(&sources, &metrics), 0);
    return metrics;
}

static char *print(const struct mrl_metrics *metrics)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    mrl_metrics__print(metrics, MRL_METRICS_OPENMETRICS, to);
    fclose(to);
    return text;
}

static struct mrl_pipeline *two_outputs(void)
{
    struct mrl_pipeline *pipeline;

    assert_int_equal(mrl_pipeline__new(NULL, NULL, &pipeline), 0);
    for (int i = 0; i < 2; i++)
        assert_true(mrl_pipeline__add(
                        pipeline,
                        &(struct mrl_output_options){ .size = sizeof(struct mrl_output_options),
                                                      .name = "one",
                                                      .format = "none" },
                        NULL) >= 0);
    return pipeline;
}

static void bytes_say_the_same(void **state)
{
    struct mrl_pipeline *pipeline = two_outputs();
    struct mrl_metrics *metrics = of_outputs(pipeline), *again;
    static char bytes[64 * 1024];
    ssize_t size = mrl_metrics__pack(metrics, bytes, sizeof(bytes));
    char *texts[2];

    (void)state;
    assert_true(size > 0);
    assert_int_equal(mrl_metrics__unpack(bytes, (size_t)size, &again), 0);
    texts[0] = print(metrics);
    texts[1] = print(again);
    assert_string_equal(texts[0], texts[1]);
    assert_non_null(strstr(texts[0], "mrelease_side_starts_total{side=\"metrics\"} 3\n"));
    assert_non_null(strstr(texts[0], "{output=\"one\",event=")); /* two of one name */
    assert_non_null(strstr(texts[0], "{output=\"one#2\",event="));
    assert_non_null(strstr(texts[0], "mrelease_latency_seconds_bucket{le=\"+Inf\"} 0\n"));
    free(texts[0]);
    free(texts[1]);
    mrl_metrics__free(metrics);
    mrl_metrics__free(again);
    mrl_pipeline__free(pipeline);
}

/* Each byte in turn, and each length: no crash, and nothing that reads beyond. */
static void bytes_that_break_a_rule_are_refused(void **state)
{
    struct mrl_pipeline *pipeline = two_outputs();
    struct mrl_metrics *metrics = of_outputs(pipeline), *again;
    static char bytes[64 * 1024];
    const size_t size = (size_t)mrl_metrics__pack(metrics, bytes, sizeof(bytes));

    (void)state;
    for (size_t i = 0; i < size; i++)
        assert_int_equal(mrl_metrics__unpack(bytes, i, &again), -EPROTO);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x55;
        if (!mrl_metrics__unpack(bytes, size, &again)) {
            free(print(again));
            mrl_metrics__free(again);
        }
        bytes[i] ^= 0x55;
    }
    mrl_metrics__free(metrics);
    mrl_pipeline__free(pipeline);
}

/* Whoever reads 64 rows of one byte, with all of them in use. */
static void a_registry_of_the_most_there_can_be_fits_a_message(void **state)
{
    const unsigned int per_output = 4 + 5 * MRL_EVENT_COUNT + 4 * MRL_EVENT_COUNT;
    const unsigned int rows = MRL_OUTPUTS_MAX * per_output + 16 * MRL_EVENT_COUNT + 64;

    (void)state;
    assert_true(rows < MRL_METRIC_ROWS_MAX);
    assert_true(rows * 16 + MRL_OUTPUTS_MAX * 256 < 64 * 1024 - 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_exact),
        cmocka_unit_test(labels_cannot_end_a_row),
        cmocka_unit_test(a_histogram_is_one_family),
        cmocka_unit_test(clients_get_what_they_accept),
        cmocka_unit_test_setup_teardown(latencies_are_counted_where_they_belong,
                                        test_decoder__set_up, tear_down),
        cmocka_unit_test(bytes_say_the_same),
        cmocka_unit_test(bytes_that_break_a_rule_are_refused),
        cmocka_unit_test(a_registry_of_the_most_there_can_be_fits_a_message),
    };

    return cmocka_run_group_tests_name("metrics_text", tests, NULL, NULL);
}
