// SPDX-License-Identifier: Apache-2.0
/* What the program keeps in memory, during a flood that lasts: ten minutes when
 * MRELEASE_TEST_LONG is set. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "load.h"

enum {
    PER_MS = 100,
    LOOK_MS = 100,
    ANON_MAX_KIB = 8 * 1024,
    RING_KIB = 8 * 1024,
    RSS_MAX_KIB = 12 * 1024 + 2 * RING_KIB, /* a mapped ring counts twice */
    /* A burst may come late that fills the batch, the stage and the buffer of the output, whose
     * memory is taken when it is first touched: they are of 512 KiB together. */
    GROWTH_MAX_KIB = 512,
};

struct resident {
    unsigned long rss_kib, anon_kib;
};

static struct resident resident_of(pid_t pid)
{
    const char *keys[] = { "VmRSS:", "RssAnon:" };
    unsigned long kib[COUNT_OF(keys)];
    char status[4096];

    caller__read(live__text("/proc/%d/status", pid), status, sizeof(status));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const char *at = strstr(status, keys[i]);

        assert_non_null(at);
        kib[i] = strtoul(at + strlen(keys[i]), NULL, 10);
    }
    return (struct resident){ kib[0], kib[1] };
}

static unsigned long larger(unsigned long one, unsigned long other)
{
    return one > other ? one : other;
}

/* The most that is seen within a time. */
static struct resident watch(pid_t pid, unsigned int ms)
{
    struct resident most = { 0 };

    for (unsigned int passed = 0; passed < ms; passed += LOOK_MS) {
        struct resident now = resident_of(pid);

        most.rss_kib = larger(most.rss_kib, now.rss_kib);
        most.anon_kib = larger(most.anon_kib, now.anon_kib);
        live__pause_ms(LOOK_MS);
    }
    return most;
}

/* After its first tenth, in which the ring and the queue are filled once. */
static void memory_is_bounded_and_flat_over_a_flood(void **state)
{
    const unsigned int flood_ms = load__long() ? 600000 : 5000, tenth_ms = flood_ms / 10;
    const struct load load = { .event = "process_mrelease", .cpu = 0, .per_ms = PER_MS };
    struct resident first, last;
    struct sensor sensor;

    (void)state;
    live__require_unsanitized();
    SENSOR_START(&sensor, "--events", "process_mrelease", "-o", "json,queue=64K:/dev/null");
    load__start(&load);
    watch(sensor.pid, tenth_ms);
    first = watch(sensor.pid, tenth_ms);
    watch(sensor.pid, flood_ms - 3 * tenth_ms);
    last = watch(sensor.pid, tenth_ms);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_null(strstr(sensor__stderr(&sensor), "accounting: "));
    printf("# after a tenth: %lu KiB, %lu anonymous; in the last: %lu, %lu; %llu events\n",
           first.rss_kib, first.anon_kib, last.rss_kib, last.anon_kib,
           sensor__totals(&sensor, "process_mrelease").read);
    assert_in_range(last.anon_kib, 1, ANON_MAX_KIB);
    assert_in_range(last.rss_kib, 1, RSS_MAX_KIB);
    assert_in_range(last.anon_kib, 1, first.anon_kib + GROWTH_MAX_KIB);
    assert_in_range(last.rss_kib, 1, first.rss_kib + GROWTH_MAX_KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = { LIVE_TEST(memory_is_bounded_and_flat_over_a_flood) };

    return cmocka_run_group_tests_name("live, memory", tests, NULL, NULL);
}
