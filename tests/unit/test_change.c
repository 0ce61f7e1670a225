// SPDX-License-Identifier: Apache-2.0
/*
 * Outputs that come and go while events are delivered. The events are numbered by their first
 * argument, so that what a file lacks, or has twice, can be read off it.
 */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/metrics.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { EVENTS = 100, END_MS = 10000, ROUNDS = 24, BLOCKED_S = 10 };

extern const struct mrl_sink_ops mrl_sink_file;

struct fixture {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    char directory[64], path[128];
    uint64_t given;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/mrelease-test-change.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, EVENTS);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
    assert_int_equal(system(command), 0); /* NOLINT: a name of our own */
    free(fixture);
    return 0;
}

/* Valid until the next one. */
static const char *path_of(struct fixture *fixture, const char *name)
{
    snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->directory, name);
    return fixture->path;
}

static struct mrl_output_options options_for(struct fixture *fixture,
                                             const char *name,
                                             const char *format)
{
    return (struct mrl_output_options){ .size = sizeof(struct mrl_output_options),
                                        .name = name,
                                        .format = format,
                                        .sink = &mrl_sink_file,
                                        .destination = path_of(fixture, name),
                                        .policy = MRL_POLICY_BLOCK };
}

static void begin_with(struct fixture *fixture, const char *name)
{
    const struct mrl_output_options options = options_for(fixture, name, "json");
    struct mrl_error error;

    assert_true(mrl_pipeline__add(fixture->pipeline, &options, &error) >= 0);
}

static void deliver(struct fixture *fixture)
{
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
    fixture->given += EVENTS;
}

static struct mrl_change *change_of(struct fixture *fixture)
{
    struct mrl_change *change;

    assert_int_equal(mrl_change__new(fixture->pipeline, &change), 0);
    return change;
}

static void come(struct fixture *fixture,
                 struct mrl_change *change,
                 const char *name,
                 const char *format)
{
    const struct mrl_output_options options = options_for(fixture, name, format);
    struct mrl_error error;

    assert_int_equal(mrl_change__add(change, &options, &error), 0);
}

static void apply(struct mrl_change *change)
{
    struct mrl_error error;

    assert_int_equal(mrl_change__start(change, &error), 0);
    mrl_change__apply(change);
}

static int slot_of(const struct fixture *fixture, const char *name)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(fixture->pipeline); i++)
        if (!mrl_pipeline__output_is_gone(fixture->pipeline, i) &&
            !strcmp(mrl_pipeline__output_name(fixture->pipeline, i), name))
            return (int)i;
    return -1;
}

static void leave(struct fixture *fixture, struct mrl_change *change, const char *name)
{
    assert_true(slot_of(fixture, name) >= 0);
    mrl_change__remove(change, (unsigned int)slot_of(fixture, name));
}

/* The number of the event of a line. */
static uint64_t number_of(const char *line)
{
    static const char key[] = "\"addr\",\"type\":\"const void*\",\"value\":";
    const char *at = strstr(line, key);

    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* How many lines of a file stand before one whose number is 0, and is not the first. */
static uint64_t lines_before_a_new_beginning(struct fixture *fixture, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0;
    FILE *file = fopen(path_of(fixture, name), "re");

    assert_non_null(file);
    while (getline(&line, &room, file) > 0 && (!count || number_of(line)))
        count++;
    free(line);
    fclose(file);
    return count;
}

/* How many lines a file has, of which each follows on the one before. */
static uint64_t lines_in_order(struct fixture *fixture, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0, next = 0;
    FILE *file = fopen(path_of(fixture, name), "re");

    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        if (count++)
            assert_int_equal(number_of(line), next);
        next = (number_of(line) + 1) % EVENTS;
    }
    free(line);
    fclose(file);
    return count;
}

static struct mrl_output_counts counts(struct fixture *fixture, unsigned int output)
{
    return mrl_pipeline__counts(fixture->pipeline, output, MRL_EVENT_MLOCK);
}

static void assert_accounted(struct fixture *fixture)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(fixture->pipeline); i++) {
        struct mrl_output_counts its = counts(fixture, i);

        assert_int_equal(its.delivered + its.dropped_full + its.dropped_failed +
                             mrl_pipeline__absent(fixture->pipeline, i, MRL_EVENT_MLOCK),
                         fixture->given);
    }
}

/* -- tests ------------------------------------------------------------------------------------ */

static void an_output_gets_what_is_delivered_while_it_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;

    begin_with(fixture, "stays");
    begin_with(fixture, "goes");
    deliver(fixture);
    change = change_of(fixture);
    leave(fixture, change, "goes");
    come(fixture, change, "comes", "json");
    apply(change);
    deliver(fixture);
    deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(lines_in_order(fixture, "goes"), EVENTS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_in_order(fixture, "stays"), 3 * EVENTS);
    assert_int_equal(lines_in_order(fixture, "comes"), 2 * EVENTS);
    assert_int_equal(counts(fixture, 1).delivered, EVENTS); /* kept */
    assert_accounted(fixture);
}

static uint64_t delivered_by(struct fixture *fixture, const char *name)
{
    const struct mrl_label label = { "output", name };
    struct mrl_metrics *metrics;
    uint64_t sum;

    assert_int_equal(mrl_metrics__collect(NULL, fixture->pipeline, &metrics), 0);
    sum = mrl_metrics__sum(metrics, "mrelease_output_delivered_total", &label, 1);
    mrl_metrics__free(metrics);
    return sum;
}

/* A counter that is gone would be a loss that nobody hears of. */
static void metrics_keep_an_output_that_went(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;

    begin_with(fixture, "stays");
    begin_with(fixture, "goes");
    deliver(fixture);
    change = change_of(fixture);
    leave(fixture, change, "goes");
    apply(change);
    mrl_change__end(change, END_MS);
    assert_int_equal(delivered_by(fixture, "goes"), EVENTS);
    change = change_of(fixture);
    come(fixture, change, "goes", "json");
    apply(change);
    deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(delivered_by(fixture, "goes"), 2 * EVENTS); /* it goes on counting */
}

/* Nobody reads the FIFO: who blocks would never come back. */
static void the_policy_of_an_output_that_stays_may_change(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_output_options options = options_for(fixture, "fifo", "json");
    struct mrl_change *change;
    struct mrl_error error;
    int reader;

    assert_int_equal(mkfifo(options.destination, 0600), 0);
    reader = open(options.destination, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    options.queue_bytes = 1; /* the least there is */
    assert_int_equal(mrl_pipeline__add(fixture->pipeline, &options, &error), 0);
    change = change_of(fixture);
    mrl_change__set_policy(change, 0, MRL_POLICY_DROP_NEWEST);
    apply(change);
    mrl_change__end(change, END_MS);
    alarm(BLOCKED_S);
    for (int i = 0; i < 30; i++)
        deliver(fixture);
    alarm(0);
    assert_true(counts(fixture, 0).dropped_full > 0);
    close(reader);
}

static void what_goes_on_in_the_same_file_goes_on_behind_it(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;

    begin_with(fixture, "file");
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 10; i++)
            deliver(fixture);
        change = change_of(fixture);
        leave(fixture, change, "file");
        come(fixture, change, "file", round % 2 ? "json" : "json-v0.23");
        apply(change);
        deliver(fixture);
        mrl_change__end(change, END_MS);
    }
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_in_order(fixture, "file"), fixture->given);
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 1);
    assert_int_equal(counts(fixture, 0).delivered, fixture->given);
    assert_accounted(fixture);
}

/* -- one that is slow to end ------------------------------------------------------------------ */

static struct mrl_sink_ops slow;
static bool was_slow;

static int write_slowly(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    if (!__atomic_exchange_n(&was_slow, true, __ATOMIC_RELAXED))
        mrl_clock__pause_ms(300);
    return mrl_sink_file.write(sink, chunk, ret_events);
}

static void who_goes_on_in_a_file_waits_for_the_other_to_end(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_output_options options = options_for(fixture, "file", "json");
    struct mrl_change *change;
    struct mrl_error error;

    was_slow = false;
    slow = mrl_sink_file;
    slow.write = write_slowly;
    slow.is_quick = NULL;
    options.sink = &slow;
    assert_true(mrl_pipeline__add(fixture->pipeline, &options, &error) >= 0);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS / 2);
    while (!__atomic_load_n(&was_slow, __ATOMIC_RELAXED))
        mrl_clock__pause_ms(1);
    change = change_of(fixture);
    leave(fixture, change, "file");
    assert_int_equal(mrl_change__add(change, &options, &error), 0);
    apply(change);
    deliver(fixture);
    mrl_clock__pause_ms(50); /* a thread that was there would have written */
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_before_a_new_beginning(fixture, "file"), EVENTS / 2);
}

static void what_comes_back_goes_on_counting(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;

    begin_with(fixture, "stays");
    begin_with(fixture, "file");
    deliver(fixture);
    change = change_of(fixture);
    leave(fixture, change, "file");
    apply(change);
    mrl_change__end(change, END_MS);
    deliver(fixture);
    change = change_of(fixture);
    come(fixture, change, "file", "json");
    apply(change);
    deliver(fixture);
    mrl_change__end(change, END_MS);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), 2);
    assert_int_equal(lines_in_order(fixture, "file"), 2 * EVENTS);
    assert_int_equal(counts(fixture, 1).delivered, 2 * EVENTS);
    assert_accounted(fixture);
}

static void a_change_that_is_not_made_leaves_nothing_behind(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;

    begin_with(fixture, "stays");
    deliver(fixture);
    change = change_of(fixture);
    leave(fixture, change, "stays");
    come(fixture, change, "comes", "json");
    mrl_change__end(change, END_MS);
    assert_int_not_equal(access(path_of(fixture, "comes"), F_OK), 0);
    deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_in_order(fixture, "stays"), 2 * EVENTS);
    mrl_change__end(NULL, 0);
}

/* At the start it would be waited for. */
static void nobody_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_output_options options;
    struct mrl_change *change;
    struct mrl_error error = { "" };

    begin_with(fixture, "stays");
    deliver(fixture);
    assert_int_equal(mkfifo(path_of(fixture, "fifo"), 0600), 0);
    options = options_for(fixture, "fifo", "json");
    change = change_of(fixture);
    alarm(END_MS / 1000);
    assert_int_equal(mrl_change__add(change, &options, &error), -ENXIO);
    alarm(0);
    mrl_change__end(change, END_MS);
}

static void there_are_never_too_many(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_output_options options;
    struct mrl_change *change;
    struct mrl_error error;
    char name[16];

    begin_with(fixture, "stays");
    deliver(fixture);
    change = change_of(fixture);
    for (int i = 1; i < MRL_OUTPUTS_MAX; i++) {
        snprintf(name, sizeof(name), "%d", i);
        come(fixture, change, name, "json");
    }
    options = options_for(fixture, "more", "json");
    assert_int_equal(mrl_change__add(change, &options, &error), -ENOSPC);
    apply(change);
    mrl_change__end(change, END_MS);
    deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_accounted(fixture);
}

/* Of those that went, the last are remembered. */
static void many_may_have_been(void **state)
{
    struct fixture *fixture = *state;
    char name[16], before[16] = "stays";

    begin_with(fixture, "stays");
    begin_with(fixture, "0");
    for (int i = 0; i < 3 * MRL_OUTPUTS_MAX; i++) {
        struct mrl_change *change = change_of(fixture);

        snprintf(before, sizeof(before), "%d", i);
        snprintf(name, sizeof(name), "%d", i + 1);
        deliver(fixture);
        leave(fixture, change, before);
        come(fixture, change, name, i % 2 ? "table" : "json");
        apply(change);
        mrl_change__end(change, END_MS);
    }
    assert_int_equal(mrl_pipeline__outputs(fixture->pipeline), MRL_OUTPUTS_MAX);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_in_order(fixture, "stays"), fixture->given);
    assert_accounted(fixture);
}

/* -- beside the thread that delivers ---------------------------------------------------------- */

static _Atomic(struct mrl_change *) prepared; /* NULL: applied */
static atomic_bool is_over;

static void *make_changes(void *context)
{
    struct fixture *fixture = context;
    struct mrl_error error;
    char name[16];

    for (int i = 0; i < ROUNDS; i++) {
        struct mrl_change *change = change_of(fixture);

        snprintf(name, sizeof(name), "%d", i - 1);
        if (i)
            leave(fixture, change, name);
        snprintf(name, sizeof(name), "%d", i);
        come(fixture, change, name, i % 2 ? "table" : "json");
        assert_int_equal(mrl_change__start(change, &error), 0);
        atomic_store(&prepared, change);
        while (atomic_load(&prepared))
            usleep(100);
        mrl_change__end(change, END_MS);
    }
    atomic_store(&is_over, true);
    return NULL;
}

static void those_that_stay_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_change *change;
    pthread_t thread;

    begin_with(fixture, "stays");
    deliver(fixture);
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&thread, NULL, make_changes, fixture), 0);
    while (!atomic_load(&is_over)) {
        deliver(fixture);
        change = atomic_load(&prepared);
        if (change)
            mrl_change__apply(change);
        atomic_store(&prepared, NULL);
        usleep(200);
    }
    pthread_join(thread, NULL);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(lines_in_order(fixture, "stays"), fixture->given);
    assert_accounted(fixture);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(an_output_gets_what_is_delivered_while_it_is_there),
        test(metrics_keep_an_output_that_went),
        test(the_policy_of_an_output_that_stays_may_change),
        test(what_goes_on_in_the_same_file_goes_on_behind_it),
        test(who_goes_on_in_a_file_waits_for_the_other_to_end),
        test(what_comes_back_goes_on_counting),
        test(a_change_that_is_not_made_leaves_nothing_behind),
        test(nobody_is_waited_for),
        test(there_are_never_too_many),
        test(many_may_have_been),
        test(those_that_stay_lose_nothing),
    };

    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
