// SPDX-License-Identifier: Apache-2.0
/* The registry of counters, of a pipeline without a plugin. */
#include <ctype.h>
#include <fcntl.h>
#include <mrelease/metrics.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "deliver/metrics/process.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { EVENTS = 5 };

static uint64_t us(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static struct mrl_pipeline *new_pipeline(const struct test_decoder *decoder)
{
    static const char *const names[] = { "first", "second" };
    struct mrl_pipeline *pipeline;

    assert_int_equal(mrl_pipeline__new(NULL, NULL, &pipeline), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct mrl_output_options options = {
            .size = sizeof(options),
            .name = names[i],
            .format = "none",
        };

        assert_int_equal(mrl_pipeline__add(pipeline, &options, NULL), i);
    }
    mrl_pipeline__deliver(pipeline, decoder->batch, EVENTS - 1);
    return pipeline;
}

static struct mrl_metrics *collect(struct test_decoder *decoder)
{
    struct mrl_pipeline *pipeline;
    struct mrl_metrics *metrics;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (int i = 0; i < EVENTS; i++)
        test_decoder__event(decoder, &record);
    pipeline = new_pipeline(decoder);
    assert_int_equal(mrl_metrics__collect(NULL, pipeline, &metrics), 0);
    mrl_pipeline__free(pipeline);
    return metrics;
}

static void metrics_sum_the_rows_with_all_labels(void **state)
{
    const struct mrl_label mlock = { "event", "mlock" }, munlock = { "event", "munlock" };
    const struct mrl_label both[] = { mlock, { "output", "second" } };
    struct mrl_metrics *metrics = collect(*state);

    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_output_delivered_total", NULL, 0),
                     2 * (EVENTS - 1));
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_output_delivered_total", &mlock, 1),
                     2 * (EVENTS - 1));
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_output_delivered_total", both, 2),
                     EVENTS - 1);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_output_delivered_total", &munlock, 1), 0);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_events_filtered_total", &mlock, 1), 1);
    assert_int_equal(mrl_metrics__sum(metrics, "no_such_metric", NULL, 0), 0);
    mrl_metrics__free(metrics);
}

/* -- what a sink keeps ------------------------------------------------------------------------- */

static const struct mrl_kept kept = {
    .bytes = 4711,
    .pending = 3,
    .of[MRL_EVENT_MLOCK] = { .appended = 10, .taken = 4, .refused = 2, .lost = 1 },
};

static int keeper_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    static char sink;

    (void)target;
    (void)error;
    *ret_sink = (struct mrl_sink *)&sink;
    return 0;
}

static int keeper_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    assert_true(chunk->events > 0); /* no titles: it takes items */
    *ret_events = chunk->events;
    return 0;
}

static bool keeper_kept(struct mrl_sink *sink, struct mrl_kept *ret_kept)
{
    assert_non_null(sink);
    *ret_kept = kept;
    return true;
}

static void keeper_sent(struct mrl_sink *sink, struct mrl_sent *ret_sent)
{
    assert_non_null(sink);
    *ret_sent = (struct mrl_sent){ 5, 70, UINT64_C(1763467321500000000) };
}

static int keeper_close(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}

static const struct mrl_sink_ops keeper = { .name = "keeper",
                                            .doc = "Keeps.",
                                            .never_blocks = true,
                                            .takes_items = true,
                                            .open = keeper_open,
                                            .write = keeper_write,
                                            .kept = keeper_kept,
                                            .sent = keeper_sent,
                                            .close = keeper_close };

static uint64_t sum_of(const struct mrl_metrics *metrics, const char *name)
{
    return mrl_metrics__sum(metrics, name, NULL, 0);
}

/* Of the oldest that is pending nobody knows the age: that is left out, and no 0. */
static void metrics_tell_what_a_sink_keeps_while_it_is_open(void **state)
{
    const struct mrl_output_options options = {
        .size = sizeof(options), .name = "kept", .format = "table", .sink = &keeper
    };
    struct mrl_pipeline *pipeline;
    struct mrl_metrics *metrics;

    (void)state;
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &pipeline), 0);
    assert_int_equal(mrl_pipeline__add(pipeline, &options, NULL), 0);
    assert_int_equal(mrl_pipeline__start(pipeline, NULL), 0);
    assert_int_equal(mrl_metrics__collect(NULL, pipeline, &metrics), 0);
    assert_int_equal(sum_of(metrics, "mrelease_spool_appended_total"), 10);
    assert_int_equal(sum_of(metrics, "mrelease_spool_acknowledged_total"), 4);
    assert_int_equal(sum_of(metrics, "mrelease_spool_refused_total"), 2);
    assert_int_equal(sum_of(metrics, "mrelease_spool_lost_total"), 1);
    assert_int_equal(sum_of(metrics, "mrelease_spool_bytes"), 4711);
    assert_int_equal(sum_of(metrics, "mrelease_spool_pending"), 3);
    assert_int_equal(sum_of(metrics, "mrelease_output_retries_total"), 5);
    assert_int_equal(sum_of(metrics, "mrelease_output_resent_total"), 70);
    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++)
        assert_string_not_equal(mrl_metrics__at(metrics, i)->name, "mrelease_spool_oldest_seconds");
    mrl_metrics__free(metrics);
    mrl_pipeline__end(pipeline, 100);
    assert_int_equal(mrl_metrics__collect(NULL, pipeline, &metrics), 0);
    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++)
        assert_memory_not_equal(mrl_metrics__at(metrics, i)->name, "mrelease_spool", 14);
    /* What was is remembered, for the totals. */
    assert_int_equal(sum_of(metrics, "mrelease_output_last_success_timestamp_seconds"),
                     UINT64_C(1763467321500000000));
    mrl_metrics__free(metrics);
    mrl_pipeline__free(pipeline);
}

static bool is_name(const char *name)
{
    for (; *name; name++)
        if (!islower((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static bool has_same_labels(const struct mrl_metric *one, const struct mrl_metric *other)
{
    for (unsigned int i = 0; i < one->label_count; i++)
        if (strcmp(one->labels[i].name, other->labels[i].name) != 0 ||
            strcmp(one->labels[i].value, other->labels[i].value) != 0)
            return false;
    return one->label_count == other->label_count;
}

/* As Prometheus wants them: names, help, the rows of a metric together and none of them twice. */
static void metrics_are_well_formed(void **state)
{
    struct mrl_metrics *metrics = collect(*state);

    assert_true(mrl_metrics__count(metrics) > 0);
    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++) {
        const struct mrl_metric *row = mrl_metrics__at(metrics, i);
        bool together = true;

        assert_true(is_name(row->name) && !strncmp(row->name, "mrelease_", 9));
        assert_true(*row->help && row->help[strlen(row->help) - 1] == '.');
        for (unsigned int j = i; j; j--) {
            const struct mrl_metric *before = mrl_metrics__at(metrics, j - 1);
            bool same = !strcmp(before->name, row->name);

            assert_true(!same || together);
            together = together && same;
            assert_false(same && has_same_labels(row, before));
        }
    }
    mrl_metrics__free(metrics);
}

static void assert_no_line_twice(char *text)
{
    const char *lines[2048];
    unsigned int count = 0;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        for (unsigned int i = 0; i < count; i++)
            if (!strcmp(lines[i], line))
                fail_msg("twice: %s", line);
        assert_true(count < COUNT_OF(lines));
        lines[count++] = line;
    }
    assert_true(count > 10);
}

/* What is long is cut, and what is no text is a '?': readers refuse a row that is there twice. */
static void names_that_look_the_same_are_told_apart(void **state)
{
    char names[6][800] = { "kept", "kept", "\xfe" }, *text;
    struct mrl_pipeline *pipeline;
    struct mrl_metrics *metrics;
    size_t size;
    FILE *to;

    (void)state;
    memset(names[3], 'a', 700);
    memset(names[4], 'a', 701);
    memcpy(names[5], "\xff", 2);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &pipeline), 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct mrl_output_options options = {
            .size = sizeof(options), .name = names[i], .format = "table", .sink = &keeper
        };

        assert_int_equal(mrl_pipeline__add(pipeline, &options, NULL), (int)i);
    }
    assert_int_equal(mrl_metrics__collect(NULL, pipeline, &metrics), 0);
    to = open_memstream(&text, &size);
    assert_non_null(to);
    mrl_metrics__print(metrics, MRL_METRICS_PROMETHEUS, to);
    fclose(to);
    assert_non_null(strstr(text, "output=\"kept#2\""));
    assert_non_null(strstr(text, "aaa#2\""));
    assert_no_line_twice(text);
    free(text);
    mrl_metrics__free(metrics);
    mrl_pipeline__free(pipeline);
}

static void metrics_of_nothing_are_empty(void **state)
{
    struct mrl_metrics *metrics;

    (void)state;
    assert_int_equal(mrl_metrics__collect(NULL, NULL, &metrics), 0);
    assert_int_equal(mrl_metrics__count(metrics), 0);
    mrl_metrics__free(metrics);
    mrl_metrics__free(NULL);
}

/* What the kernel does for it counts, too. */
static void the_time_of_a_process_is_all_that_it_took(void **state)
{
    struct mrl_process process;
    struct rusage usage;
    uint64_t before_us, after_us;

    (void)state;
    do {
        for (int i = 0; i < 1000; i++)
            close(open("/dev/null", O_RDONLY | O_CLOEXEC));
        getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_stime.tv_sec == 0 && usage.ru_stime.tv_usec < 20000);
    before_us = us(&usage.ru_utime) + us(&usage.ru_stime);
    assert_true(mrl_process__look(&process));
    getrusage(RUSAGE_SELF, &usage);
    after_us = us(&usage.ru_utime) + us(&usage.ru_stime);
    assert_in_range(process.cpu_us, before_us, after_us);
    assert_int_equal(process.threads, 1);
    assert_true(process.resident_bytes && process.resident_bytes <= process.virtual_bytes);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        test(metrics_sum_the_rows_with_all_labels),
        test(metrics_are_well_formed),
        cmocka_unit_test(names_that_look_the_same_are_told_apart),
        cmocka_unit_test(metrics_of_nothing_are_empty),
        cmocka_unit_test(the_time_of_a_process_is_all_that_it_took),
        cmocka_unit_test(metrics_tell_what_a_sink_keeps_while_it_is_open),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
