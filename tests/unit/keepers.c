// SPDX-License-Identifier: Apache-2.0
#include "unit/keepers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"

enum { TEXT_MAX = 32 << 20 };

/* -- a sink that does as it is told ----------------------------------------------------------- */

struct mrl_sink test_keepers[TEST_KEEPERS];

static int keeper_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    (void)error;
    *ret_sink = &test_keepers[atoi(target->destination)];
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

void test_keeper__open_gate(unsigned int index)
{
    assert_int_equal(write(test_keepers[index].gate[1], "", 1), 1);
}

int test_pipeline__set_up(void **state)
{
    struct test_pipeline *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    for (size_t i = 0; i < COUNT_OF(test_keepers); i++) {
        memset(&test_keepers[i], 0, sizeof(test_keepers[i]));
        assert_int_equal(pipe2(test_keepers[i].gate, O_CLOEXEC), 0);
        test_keepers[i].text = malloc(TEXT_MAX);
        assert_non_null(test_keepers[i].text);
    }
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, TEST_EVENTS);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    *state = fixture;
    return 0;
}

int test_pipeline__tear_down(void **state)
{
    struct test_pipeline *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    for (size_t i = 0; i < COUNT_OF(test_keepers); i++) {
        close(test_keepers[i].gate[0]);
        close(test_keepers[i].gate[1]);
        free(test_keepers[i].text);
    }
    free(fixture);
    return 0;
}

void test_pipeline__add(struct test_pipeline *fixture,
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

void test_pipeline__deliver(struct test_pipeline *fixture, unsigned int batches)
{
    for (; batches; batches--) {
        mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, TEST_EVENTS);
        fixture->given += TEST_EVENTS;
    }
}

struct mrl_output_counts test_pipeline__counts(struct test_pipeline *fixture, unsigned int output)
{
    return mrl_pipeline__counts(fixture->pipeline, output, MRL_EVENT_MLOCK);
}

uint64_t test_pipeline__dropped(struct test_pipeline *fixture, unsigned int output)
{
    struct mrl_output_counts its = test_pipeline__counts(fixture, output);

    return its.dropped_full + its.dropped_failed;
}

/* -- reading an output ------------------------------------------------------------------------ */

static uint64_t number_after(const char *line, const char *end, const char *key)
{
    const char *at = memmem(line, (size_t)(end - line), key, strlen(key));

    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static void read_line(struct test_reading *reading, const char *line, const char *end)
{
    if (memmem(line, (size_t)(end - line), "\"events_lost\"", 13)) {
        uint64_t count = number_after(line, end, "\"count\",\"type\":\"unsigned long\",\"value\":");

        assert_in_range(count, 1, UINT64_MAX);
        reading->told += count;
        reading->gaps++;
        reading->next = (reading->next + count) % TEST_EVENTS;
        return;
    }
    assert_int_equal(number_after(line, end, "\"addr\",\"type\":\"const void*\",\"value\":"),
                     reading->next);
    reading->next = (reading->next + 1) % TEST_EVENTS;
    reading->lines++;
}

struct test_reading test_keeper__read(unsigned int index)
{
    struct test_reading reading = { 0 };
    const char *at = test_keepers[index].text, *end = at + test_keepers[index].size, *newline;

    for (; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(newline);
        read_line(&reading, at, newline);
    }
    return reading;
}

void test_pipeline__assert_accounted(struct test_pipeline *fixture,
                                     unsigned int output,
                                     unsigned int sink)
{
    struct test_reading reading = test_keeper__read(sink);

    assert_int_equal(reading.lines, test_pipeline__counts(fixture, output).delivered);
    assert_int_equal(reading.told, test_pipeline__dropped(fixture, output));
    assert_int_equal(reading.lines + reading.told, fixture->given);
}
