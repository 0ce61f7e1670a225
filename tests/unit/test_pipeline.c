// SPDX-License-Identifier: Apache-2.0
/*
 * The pipeline: what outputs of different speed and health get. The events of the batch are
 * numbered by their first argument, so that order, and the place of a gap, can be read off an
 * output's text.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <mrelease/pipeline.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "event/lost.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { EVENTS = 200, FEW = 40, END_MS = 10000, TEXT_MAX = 32 << 20, QUEUE_BYTES = 64 * 1024 };

/* -- a sink that does as it is told ----------------------------------------------------------- */

/* Keeps what it gets. Its gate is a pipe: each write() first waits until there is something in it.
 */
struct mrl_sink {
    int gate[2];
    char *text;
    size_t size;
    atomic_int failures; /* so many writes fail from now on, */
    int err;             /* with this, */
    size_t taken;        /* after so many lines */
    atomic_uint writes, reopened;
};

static struct mrl_sink sinks[4];

static int keeper_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    (void)error;
    *ret_sink = &sinks[atoi(target->destination)];
    return 0;
}

static void keep(struct mrl_sink *sink, const char *bytes, size_t size)
{
    if (sink->size + size > TEXT_MAX)
        abort();
    memcpy(sink->text + sink->size, bytes, size);
    sink->size += size;
}

static size_t size_of_lines(const char *bytes, size_t lines)
{
    const char *at = bytes;

    while (lines--)
        at = strchr(at, '\n') + 1;
    return (size_t)(at - bytes);
}

/* Once open, a gate stays open. */
static void keep_open(struct mrl_sink *sink, char token)
{
    if (write(sink->gate[1], &token, 1) != 1)
        abort();
}

static int keeper_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    char token;

    atomic_fetch_add(&sink->writes, 1);
    *ret_events = 0;
    if (read(sink->gate[0], &token, 1) != 1)
        return -ECANCELED; /* interrupted, because the output is given up */
    keep_open(sink, token);
    if (atomic_load(&sink->failures) <= 0) {
        keep(sink, chunk->bytes, chunk->size);
        return 0;
    }
    atomic_fetch_sub(&sink->failures, 1);
    *ret_events = sink->taken < chunk->events ? sink->taken : chunk->events - 1;
    keep(sink, chunk->bytes, size_of_lines(chunk->bytes, *ret_events));
    return sink->err;
}

static int keeper_reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)error;
    atomic_fetch_add(&sink->reopened, 1);
    return 0;
}

static int keeper_close(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}

static const struct mrl_sink_ops keeper = {
    .name = "keeper",
    .doc = "Memory of the test.",
    .open = keeper_open,
    .write = keeper_write,
    .reopen = keeper_reopen,
    .close = keeper_close,
};

static void open_gate(unsigned int index)
{
    assert_int_equal(write(sinks[index].gate[1], "", 1), 1);
}

/* -- the frame -------------------------------------------------------------------------------- */

struct fixture {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    uint64_t given;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    for (size_t i = 0; i < COUNT_OF(sinks); i++) {
        memset(&sinks[i], 0, sizeof(sinks[i]));
        assert_int_equal(pipe2(sinks[i].gate, O_CLOEXEC), 0);
        sinks[i].text = malloc(TEXT_MAX);
        assert_non_null(sinks[i].text);
    }
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, EVENTS);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    for (size_t i = 0; i < COUNT_OF(sinks); i++) {
        close(sinks[i].gate[0]);
        close(sinks[i].gate[1]);
        free(sinks[i].text);
    }
    free(fixture);
    return 0;
}

/* `destination` is the number of a sink; NULL: format none. */
static void add(struct fixture *fixture,
                const char *format,
                const char *destination,
                enum mrl_policy policy)
{
    const struct mrl_output_options options = {
        .size = sizeof(options),
        .name = destination ? destination : "none",
        .format = format,
        .sink = destination ? &keeper : NULL,
        .destination = destination,
        .policy = policy,
        .queue_bytes = QUEUE_BYTES,
    };
    struct mrl_error error;

    assert_true(mrl_pipeline__add(fixture->pipeline, &options, &error) >= 0);
}

static void count_death(void *deaths)
{
    atomic_fetch_add((atomic_uint *)deaths, 1);
}

static void deliver(struct fixture *fixture, unsigned int batches)
{
    for (; batches; batches--) {
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
        fixture->given += EVENTS;
    }
}

static struct mrl_output_counts counts(struct fixture *fixture, unsigned int output)
{
    return mrl_pipeline__counts(fixture->pipeline, output, MRL_EVENT_MLOCK);
}

static uint64_t dropped(struct fixture *fixture, unsigned int output)
{
    struct mrl_output_counts its = counts(fixture, output);

    return its.dropped_full + its.dropped_failed;
}

/* -- reading an output ------------------------------------------------------------------------ */

struct reading {
    uint64_t lines, told, gaps;
    uint64_t next; /* number that must follow, modulo EVENTS */
};

static uint64_t number_after(const char *line, const char *end, const char *key)
{
    const char *at = memmem(line, (size_t)(end - line), key, strlen(key));

    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static void read_line(struct reading *reading, const char *line, const char *end)
{
    if (memmem(line, (size_t)(end - line), "\"events_lost\"", 13)) {
        uint64_t count = number_after(line, end, "\"count\",\"type\":\"unsigned long\",\"value\":");

        assert_in_range(count, 1, UINT64_MAX);
        reading->told += count;
        reading->gaps++;
        reading->next = (reading->next + count) % EVENTS;
        return;
    }
    assert_int_equal(number_after(line, end, "\"addr\",\"type\":\"const void*\",\"value\":"),
                     reading->next);
    reading->next = (reading->next + 1) % EVENTS;
    reading->lines++;
}

/* The lines are whole, in order, and a gap stands exactly where numbers are missing. */
static struct reading read_output(unsigned int index)
{
    struct reading reading = { 0 };
    const char *at = sinks[index].text, *end = at + sinks[index].size, *newline;

    for (; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(newline);
        read_line(&reading, at, newline);
    }
    return reading;
}

static void assert_accounted(struct fixture *fixture, unsigned int output, unsigned int sink)
{
    struct reading reading = read_output(sink);

    assert_int_equal(reading.lines, counts(fixture, output).delivered);
    assert_int_equal(reading.told, dropped(fixture, output));
    assert_int_equal(reading.lines + reading.told, fixture->given);
}

/* -- tests ------------------------------------------------------------------------------------ */

static void pipeline_gives_every_event_to_each_output(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned int i = 0; i < 3; i++)
        open_gate(i);
    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    add(fixture, "json-v0.23", "1", MRL_POLICY_BLOCK);
    add(fixture, "table", "2", MRL_POLICY_BLOCK);
    add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    deliver(fixture, 20);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < 4; i++)
        assert_int_equal(counts(fixture, i).delivered, fixture->given);
    assert_accounted(fixture, 0, 0);
    assert_int_equal(sinks[0].size, sinks[1].size);
    assert_memory_equal(sinks[0].text, sinks[1].text, sinks[0].size);
    assert_int_not_equal(sinks[2].size, 0);
}

static void pipeline_writes_much_at_once_when_it_is_busy(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    for (int i = 0; i < 2; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FEW);
    open_gate(0);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(counts(fixture, 0).delivered, 2 * FEW);
    assert_in_range(atomic_load(&sinks[0].writes), 1, 3);
}

/* Slow is: it takes nothing at all while the fast one gets everything. */
static void slow_output(struct fixture *fixture, enum mrl_policy policy)
{
    add(fixture, "json", "0", policy);
    add(fixture, "json", "1", MRL_POLICY_BLOCK);
    open_gate(1);
    deliver(fixture, 50);
    for (int i = 0; i < END_MS && counts(fixture, 1).delivered < fixture->given; i++)
        usleep(1000);
    assert_int_equal(counts(fixture, 1).delivered, fixture->given);
    assert_int_equal(counts(fixture, 0).delivered, 0);
    open_gate(0);
    deliver(fixture, 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_accounted(fixture, 0, 0);
    assert_accounted(fixture, 1, 1);
    assert_int_equal(dropped(fixture, 1), 0);
    assert_in_range(dropped(fixture, 0), 1, fixture->given - 1);
}

static void pipeline_keeps_a_slow_output_from_a_fast_one_dropping_oldest(void **state)
{
    slow_output(*state, MRL_POLICY_DROP_OLDEST);
}

static void pipeline_keeps_a_slow_output_from_a_fast_one_dropping_newest(void **state)
{
    slow_output(*state, MRL_POLICY_DROP_NEWEST);
}

/* Some lines of a chunk are taken, then an error, again and again: no line twice, none missing. */
/* Its thread is in write(), and has not been told of the gap. */
static void pipeline_counts_at_once_what_a_hanging_output_drops(void **state)
{
    static const enum mrl_policy policies[] = { MRL_POLICY_DROP_OLDEST, MRL_POLICY_DROP_NEWEST };
    struct fixture *fixture = *state;

    for (unsigned int i = 0; i < 2; i++)
        add(fixture, "json", i ? "1" : "0", policies[i]);
    deliver(fixture, 50);
    for (unsigned int i = 0; i < 2; i++)
        assert_in_range(dropped(fixture, i), fixture->given / 2, fixture->given - 1);
    open_gate(0);
    open_gate(1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < 2; i++)
        assert_accounted(fixture, i, i);
}

static void pipeline_tries_again_what_an_output_did_not_take(void **state)
{
    static const int errors[] = { -ENOSPC, -EIO, -ENOMEM };
    struct fixture *fixture = *state;

    for (unsigned int i = 0; i < COUNT_OF(errors); i++) {
        const char *const names[] = { "0", "1", "2" };

        sinks[i].err = errors[i];
        sinks[i].taken = i;
        atomic_store(&sinks[i].failures, 3);
        add(fixture, "json", names[i], MRL_POLICY_BLOCK);
        open_gate(i);
    }
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, FEW);
    fixture->given = FEW;
    for (unsigned int i = 0; i < COUNT_OF(errors); i++)
        for (int ms = 0; ms < END_MS && counts(fixture, i).delivered < FEW; ms++)
            usleep(1000);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    for (unsigned int i = 0; i < COUNT_OF(errors); i++) {
        assert_accounted(fixture, i, i);
        assert_int_equal(dropped(fixture, i), 0);
    }
}

/* While it fails nobody waits for it, whatever its policy; then the gap comes first. */
static void pipeline_tells_what_a_broken_output_dropped(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    sinks[0].err = -EIO;
    atomic_store(&sinks[0].failures, 1000000);
    open_gate(0);
    deliver(fixture, 50);
    atomic_store(&sinks[0].failures, 0);
    for (int ms = 0; ms < END_MS && !counts(fixture, 0).delivered; ms++)
        usleep(1000);
    deliver(fixture, 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_accounted(fixture, 0, 0);
    assert_in_range(dropped(fixture, 0), 1, fixture->given - EVENTS);
}

static void pipeline_counts_what_a_failing_output_never_took(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    sinks[0].err = -EIO;
    atomic_store(&sinks[0].failures, 1000000);
    open_gate(0);
    deliver(fixture, 2);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EIO);
    assert_int_equal(dropped(fixture, 0), fixture->given);
    assert_int_equal(counts(fixture, 0).delivered, 0);
    assert_int_equal(sinks[0].size, 0);
}

static void pipeline_lets_a_closed_output_go(void **state)
{
    struct fixture *fixture = *state;
    atomic_uint deaths = 0;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    mrl_pipeline__on_death(fixture->pipeline, count_death, &deaths);
    sinks[0].err = -EPIPE;
    atomic_store(&sinks[0].failures, 1000000);
    open_gate(0);
    assert_true(mrl_pipeline__alive(fixture->pipeline));
    deliver(fixture, 100);
    for (int ms = 0; ms < END_MS && mrl_pipeline__alive(fixture->pipeline); ms++)
        usleep(1000);
    assert_false(mrl_pipeline__alive(fixture->pipeline));
    deliver(fixture, 100);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EPIPE);
    assert_int_equal(dropped(fixture, 0), fixture->given);
    assert_int_equal(atomic_load(&sinks[0].writes), 1);
    assert_int_equal(deaths, 1);
}

static void pipeline_gives_up_an_output_that_hangs_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    atomic_uint deaths = 0;

    add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    mrl_pipeline__on_death(fixture->pipeline, count_death, &deaths);
    add(fixture, "json", "1", MRL_POLICY_BLOCK);
    open_gate(1);
    deliver(fixture, 3);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, 200), -ETIMEDOUT);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, 200), -ETIMEDOUT);
    assert_int_equal(dropped(fixture, 0), fixture->given);
    assert_int_equal(counts(fixture, 0).delivered, 0);
    assert_accounted(fixture, 1, 1);
    assert_int_equal(deaths, 0); /* whoever gave it up knows */
}

/* -- a wall clock that is set ----------------------------------------------------------------- */

static atomic_bool is_a_day_behind;

/* In place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    long result = syscall(SYS_clock_gettime, clock, time);

    if (clock == CLOCK_REALTIME && atomic_load(&is_a_day_behind))
        time->tv_sec -= 24 * 60 * 60;
    return (int)result;
}

static void *open_gate_soon(void *context)
{
    (void)context;
    usleep(100 * 1000);
    open_gate(0);
    return NULL;
}

/* How long an output may still write does not depend on the wall clock. */
static void pipeline_waits_by_a_clock_that_nobody_sets(void **state)
{
    struct fixture *fixture = *state;
    pthread_t opener;

    add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    deliver(fixture, 3);
    assert_int_equal(pthread_create(&opener, NULL, open_gate_soon, NULL), 0);
    atomic_store(&is_a_day_behind, true);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    atomic_store(&is_a_day_behind, false);
    assert_int_equal(pthread_join(opener, NULL), 0);
}

static void append_lost(struct fixture *fixture, uint64_t count)
{
    const struct mrl_lost lost = {
        .event = mrl_event_def__at(MRL_EVENT_MLOCK),
        .count = count,
        .cause = MRL_CAUSE_RING_FULL,
        .from_ns = 1000,
        .to_ns = 2000,
    };

    mrl_lost__append(&lost, fixture->decoder.batch);
}

/* The kernel lost 7 behind the 200th: told there, and counted at each output. */
static void pipeline_tells_what_the_kernel_lost_in_its_place(void **state)
{
    struct fixture *fixture = *state;
    struct reading reading;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    open_gate(0);
    append_lost(fixture, 7 * EVENTS); /* whole rounds keep the numbers in step */
    for (int i = 0; i < 3; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS + 1);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    reading = read_output(0);
    assert_int_equal(reading.lines, 3 * EVENTS);
    assert_int_equal(reading.told, 3 * 7 * EVENTS);
    assert_int_equal(reading.gaps, 3);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(counts(fixture, i).lost_before, 3 * 7 * EVENTS);
        assert_int_equal(counts(fixture, i).delivered, 3 * EVENTS);
    }
    assert_non_null(memmem(sinks[0].text, sinks[0].size, "ring_full", 9));
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_EVENTS_LOST).delivered,
                     3);
}

/* An events_lost that an output has no room for loses its line, not its count. */
static void pipeline_keeps_the_count_of_a_dropped_gap(void **state)
{
    struct fixture *fixture = *state;
    struct reading reading;

    add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    append_lost(fixture, 7 * EVENTS);
    for (int i = 0; i < 50; i++)
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS + 1);
    open_gate(0);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    reading = read_output(0);
    assert_in_range(reading.lines, 1, 49 * EVENTS);
    assert_int_equal(reading.lines + reading.told, 50 * (EVENTS + 7 * EVENTS));
}

static void pipeline_counts_what_is_filtered(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "none", NULL, MRL_POLICY_BLOCK);
    append_lost(fixture, 5);
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, 3);
    assert_int_equal(counts(fixture, 0).delivered, 3);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_MLOCK), EVENTS - 3 + 5);
    assert_int_equal(mrl_pipeline__filtered(fixture->pipeline, MRL_EVENT_EVENTS_LOST), 0);
}

#ifdef MRL_SANITIZED
enum { OWN_ALLOCATOR = 0 };
#else
enum { OWN_ALLOCATOR = 1 };
#endif

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Full queues, dropping, several formats: no more than the header says. */
static void pipeline_takes_no_more_memory_than_documented(void **state)
{
    enum { OF_PIPELINE = 208 * 1024, OF_FORMAT = 256 * 1024, OF_OUTPUT = (64 + 600) * 1024 };
    struct fixture *fixture = *state;
    size_t before;

    if (!OWN_ALLOCATOR)
        skip_because("a sanitizer allocates in its own way");
    mrl_pipeline__free(fixture->pipeline);
    before = allocated();
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    open_gate(2);
    add(fixture, "json", "0", MRL_POLICY_DROP_OLDEST);
    add(fixture, "json", "1", MRL_POLICY_DROP_NEWEST);
    add(fixture, "table", "2", MRL_POLICY_DROP_OLDEST);
    deliver(fixture, 100);
    assert_in_range(allocated() - before, 3 * QUEUE_BYTES,
                    OF_PIPELINE + 2 * OF_FORMAT + 3 * (QUEUE_BYTES + QUEUE_BYTES / 8 + OF_OUTPUT));
}

static void pipeline_reopens_when_it_is_quiet(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "json", "0", MRL_POLICY_BLOCK);
    open_gate(0);
    assert_int_equal(mrl_pipeline__start(fixture->pipeline, NULL), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int ms = 0; ms < END_MS && !atomic_load(&sinks[0].reopened); ms++)
        usleep(1000);
    assert_int_equal(atomic_load(&sinks[0].reopened), 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(pipeline_gives_every_event_to_each_output),
        test(pipeline_writes_much_at_once_when_it_is_busy),
        test(pipeline_keeps_a_slow_output_from_a_fast_one_dropping_oldest),
        test(pipeline_keeps_a_slow_output_from_a_fast_one_dropping_newest),
        test(pipeline_counts_at_once_what_a_hanging_output_drops),
        test(pipeline_tries_again_what_an_output_did_not_take),
        test(pipeline_tells_what_a_broken_output_dropped),
        test(pipeline_counts_what_a_failing_output_never_took),
        test(pipeline_lets_a_closed_output_go),
        test(pipeline_gives_up_an_output_that_hangs_at_the_end),
        test(pipeline_waits_by_a_clock_that_nobody_sets),
        test(pipeline_tells_what_the_kernel_lost_in_its_place),
        test(pipeline_keeps_the_count_of_a_dropped_gap),
        test(pipeline_counts_what_is_filtered),
        test(pipeline_takes_no_more_memory_than_documented),
        test(pipeline_reopens_when_it_is_quiet),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
