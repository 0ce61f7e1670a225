// SPDX-License-Identifier: Apache-2.0
/* A reader that stops: the run ends in time, and says what was not taken. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "load.h"

enum { LOAD_MAX_MS = 100000 };

static void assert_accounted(const struct sensor *sensor)
{
    const char *said = sensor__stderr(sensor);

    if (strstr(said, "accounting: "))
        fail_msg("not every event is accounted for: %s", said);
}

/* It gets nothing any more, and is given up: exactly what its reader finds in the pipe is
 * delivered. */
static void an_output_that_is_given_up_is_accounted_for(void **state)
{
    const struct load load = { .event = "munlock", .calls = 6000 };
    struct reader reader = { .path = live__path("fifo"), .stall_after = 1, .stall_ms = 6000 };
    const char *fifo = live__output("json", "fifo");
    const char *arguments[] = { "run", "--events", "munlock", "-d", "1s", "-o", fifo, NULL };
    const struct sensor_options options = { .arguments = arguments };
    unsigned long long delivered, dropped;
    struct sensor sensor;

    (void)state;
    live__require();
    reader__start(&reader);
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    load__wait(load__start(&load), LOAD_MAX_MS);
    assert_int_equal(sensor__wait(&sensor), 1);
    reader__wait(&reader);
    assert_accounted(&sensor);
    assert_non_null(strstr(sensor__stderr(&sensor), "takes nothing any more, given up"));
    sensor__delivered(&sensor, fifo, &delivered, &dropped);
    assert_int_equal(reader.lines, sensor__lines(&sensor, fifo));
    assert_int_equal(delivered + dropped, sensor__totals(&sensor, "munlock").read);
    assert_in_range(dropped, 1, UINT64_MAX);
}

/* A reader that blocks its writer for ever does not keep the run from its end. */
static void a_blocked_run_ends_in_time(void **state)
{
    const struct load load = { .event = "munlock", .calls = 20000 };
    struct reader reader = { .path = live__path("fifo"), .stall_after = 1, .stall_ms = 9000 };
    const char *fifo = live__text("json,policy=block,queue=64K:%s", reader.path);
    const char *arguments[] = { "run", "--events", "munlock", "-d", "1s", "-o", fifo, NULL };
    const struct sensor_options options = { .arguments = arguments };
    struct sensor sensor;

    (void)state;
    live__require();
    reader__start(&reader);
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    load__wait(load__start(&load), LOAD_MAX_MS);
    assert_int_equal(sensor__wait(&sensor), 1); /* the harness fails it when it takes too long */
    assert_accounted(&sensor);
    assert_non_null(strstr(sensor__stderr(&sensor), "takes nothing any more, given up"));
    reader__wait(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(an_output_that_is_given_up_is_accounted_for),
        LIVE_TEST(a_blocked_run_ends_in_time),
    };

    return cmocka_run_group_tests_name("live, giving up", tests, NULL, NULL);
}
