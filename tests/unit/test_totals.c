// SPDX-License-Identifier: Apache-2.0
/* The totals at the end of a run: what they say, and that they notice an event that is nowhere. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/run/totals.h"
#include "unit/captures.h"
#include "unit/unit.h"

enum { CALLS = 6, GAPS = 3 }; /* of a dozen each */

/* A run that replays calls of mlock and gaps, to an output called "none". */
struct run {
    struct mrl_plugin *plugin;
    struct mrl_pipeline *pipeline;
    struct mrl_batch *batch;
    FILE *said; /* standard error of the test meanwhile */
    int old_stderr;
};

static void fill(struct test_capture *capture)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (int i = 0; i < CALLS; i++)
        test_capture__add(capture, &record);
    test_capture__add_lost(capture, MRL_EVENT_MLOCK, "ring_full");
    test_capture__add_lost(capture, MRL_EVENT_MLOCK, "ring_full");
    test_capture__add_lost(capture, MRL_EVENT_MLOCK, "no_memory");
    test_capture__close(capture);
}

static void begin(struct run *run, struct test_capture *capture)
{
    const struct mrl_output_options none = { .size = sizeof(none),
                                             .name = "none",
                                             .format = "none" };
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

    fill(capture);
    options.replay = capture->path;
    options.events = "mlock";
    assert_int_equal(mrl_plugin__open(&options, NULL, &run->plugin), 0);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &run->pipeline), 0);
    assert_int_equal(mrl_pipeline__add(run->pipeline, &none, NULL), 0);
    assert_int_equal(mrl_plugin__next_batch(run->plugin, 1000, &run->batch), CALLS + GAPS);
    fflush(stderr);
    run->said = tmpfile();
    run->old_stderr = dup(STDERR_FILENO);
    assert_true(run->said && run->old_stderr >= 0);
    assert_int_equal(dup2(fileno(run->said), STDERR_FILENO), STDERR_FILENO);
}

/* Returns what was said; to be freed. */
static char *end(struct run *run)
{
    char *text = calloc(1, 4096);

    fflush(stderr);
    dup2(run->old_stderr, STDERR_FILENO);
    close(run->old_stderr);
    rewind(run->said);
    assert_non_null(text);
    assert_true(fread(text, 1, 4095, run->said) < 4095);
    fclose(run->said);
    mrl_batch__unref(run->batch);
    mrl_pipeline__free(run->pipeline);
    mrl_plugin__close(run->plugin);
    return text;
}

static void assert_says(const char *text, const char *line)
{
    if (!strstr(text, line))
        fail_case("'%s' is not in: %s", line, text);
}

static void totals_that_add_up_are_no_violation(void **state)
{
    unsigned int violations;
    struct run run;
    char *text;

    begin(&run, *state);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    violations = mrl_totals__check(run.plugin, run.pipeline);
    text = end(&run);
    assert_int_equal(violations, 0);
    assert_string_equal(text, "");
    free(text);
}

static void what_count_leaves_out_is_accounted_for(void **state)
{
    unsigned int violations;
    struct run run;
    char *text;

    begin(&run, *state);
    mrl_pipeline__deliver(run.pipeline, run.batch, 2);
    violations = mrl_totals__check(run.plugin, run.pipeline);
    mrl_totals__say(run.plugin, run.pipeline);
    text = end(&run);
    assert_int_equal(violations, 0);
    /* What else a capture holds nobody knows. */
    assert_says(text, "of what was read, 40 more events came after the last one of --count\n");
    free(text);
}

static void an_event_that_is_nowhere_is_a_violation_and_said(void **state)
{
    unsigned int violations;
    struct run run;
    char *text;

    begin(&run, *state); /* and nothing of it is delivered */
    violations = mrl_totals__check(run.plugin, run.pipeline);
    text = end(&run);
    assert_int_equal(violations, 1);
    assert_says(text, "accounting: none: 42 calls of mlock are to be accounted for, and 0 are");
    free(text);
}

static void events_that_are_delivered_twice_are_a_violation(void **state)
{
    unsigned int violations;
    struct run run;
    char *text;

    begin(&run, *state);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    violations = mrl_totals__check(run.plugin, run.pipeline);
    text = end(&run);
    assert_int_equal(violations, 1);
    assert_says(text, "42 calls of mlock are to be accounted for, and 84 are");
    free(text);
}

static void totals_are_said_of_each_event_and_output(void **state)
{
    struct run run;
    char *text;

    begin(&run, *state);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    mrl_totals__say(run.plugin, run.pipeline);
    text = end(&run);
    assert_says(text,
                "mlock: 42 seen, 6 read, 36 lost (24 ring full, 12 no memory), 0 of our own\n");
    assert_says(text, "none: 6 delivered, 0 dropped\n");
    free(text);
}

static const struct mrl_sink_ops *file_sink(void)
{
    unsigned int count, i = 0;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);

    while (i < count && strcmp(sinks[i]->name, "file") != 0)
        i++;
    assert_true(i < count);
    return sinks[i];
}

/* Lines that tell of losses are delivered, and no calls. */
static void lines_of_losses_are_told_apart(void **state)
{
    struct test_capture *capture = *state;
    const struct mrl_output_options output = {
        .size = sizeof(output),
        .name = "lines",
        .format = "json",
        .destination = "/dev/null",
        .sink = file_sink(),
    };
    struct run run;
    char *text;

    begin(&run, capture);
    assert_int_equal(mrl_pipeline__add(run.pipeline, &output, NULL), 1);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    assert_int_equal(mrl_pipeline__end(run.pipeline, 5000), 0);
    mrl_totals__say(run.plugin, run.pipeline);
    text = end(&run);
    assert_says(text, "lines: 6 delivered, 0 dropped, and 2 of events_lost\n");
    free(text);
}

/* A run with an output beside "none", that ended. Returns what was said of it, to be freed. */
static char *end_of_output(struct test_capture *capture,
                           const struct mrl_sink_ops *sink,
                           const char *destination,
                           bool *ret_kept)
{
    const struct mrl_output_options output = {
        .size = sizeof(output),
        .name = "lines",
        .format = "json",
        .destination = destination,
        .sink = sink,
    };
    struct run run;

    begin(&run, capture);
    assert_int_equal(mrl_pipeline__add(run.pipeline, &output, NULL), 1);
    mrl_pipeline__deliver(run.pipeline, run.batch, CALLS + GAPS);
    mrl_pipeline__end(run.pipeline, 5000);
    *ret_kept = mrl_totals__are_kept(run.pipeline);
    return end(&run);
}

static void an_output_that_has_everything_has_kept_it(void **state)
{
    bool kept = false;
    char *text = end_of_output(*state, file_sink(), "/dev/null", &kept);

    assert_true(kept);
    assert_string_equal(text, "");
    free(text);
}

static void an_output_that_lost_what_it_should_keep_is_named(void **state)
{
    bool kept = true;
    char *text = end_of_output(*state, file_sink(), "/dev/full", &kept);

    assert_false(kept);
    assert_string_equal(text, "mrelease: lines: 6 events are not in it: No space left on device\n");
    free(text);
}

/* Its row says that nobody relies on it. */
static void an_output_that_keeps_nothing_fails_no_run(void **state)
{
    struct mrl_sink_ops sink = *file_sink();
    bool kept = false;
    char *text;

    sink.keeps = false;
    text = end_of_output(*state, &sink, "/dev/full", &kept);
    assert_true(kept);
    assert_string_equal(text,
                        "mrelease: lines: not everything was written: No space left on device\n");
    free(text);
}

static int fail_at_close(struct mrl_sink *sink)
{
    int err = file_sink()->close(sink);

    return err ? err : -EIO;
}

/* All of it was delivered, and yet: a file system over the network tells at close. */
static void what_is_lost_at_close_was_not_kept(void **state)
{
    struct mrl_sink_ops sink = *file_sink();
    bool kept = true;
    char *text;

    sink.close = fail_at_close;
    text = end_of_output(*state, &sink, "/dev/null", &kept);
    assert_false(kept);
    assert_string_equal(text, "mrelease: lines: not everything was written: Input/output error\n");
    free(text);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_capture__set_up, test_capture__tear_down)
    const struct CMUnitTest tests[] = {
        test(totals_that_add_up_are_no_violation),
        test(what_count_leaves_out_is_accounted_for),
        test(an_event_that_is_nowhere_is_a_violation_and_said),
        test(events_that_are_delivered_twice_are_a_violation),
        test(totals_are_said_of_each_event_and_output),
        test(lines_of_losses_are_told_apart),
        test(an_output_that_has_everything_has_kept_it),
        test(an_output_that_lost_what_it_should_keep_is_named),
        test(an_output_that_keeps_nothing_fails_no_run),
        test(what_is_lost_at_close_was_not_kept),
    };

    return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
