// SPDX-License-Identifier: Apache-2.0
/*
 * Floods to files: a disk that keeps up gets everything, and beyond its rate verify names the same
 * gaps as the file's own events_lost. The numbers are small unless MRELEASE_TEST_LONG is set.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "load.h"

enum { FLOOD_MAX_MS = 100000, QUIET_MS = 1500, MISSED = 50000 };

#define RARE "process_mrelease"

static unsigned int last_cpu(void)
{
    return (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

static void start_beside_flood(struct sensor *sensor, const char *output, const char *ring)
{
    const char *arguments[] = { "run", "--events", RARE,     "--extra", "seq",
                                "-o",  output,     "--ring", ring,      NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = load__take_first_cpu };

    sensor__spawn(sensor, &options);
    sensor__await_ready(sensor);
}

static void call(uint64_t calls, unsigned int per_ms)
{
    const struct load load = { .event = RARE, .cpu = last_cpu(), .calls = calls, .per_ms = per_ms };

    load__wait(load__start(&load), FLOOD_MAX_MS);
}

/*
 * A ring of 64 MiB, because a page of the page cache may cost ten times as much where a hypervisor
 * has yet to find the memory for it: half a second of that is more than a small ring holds.
 */
static void a_paced_flood_to_a_file_loses_nothing(void **state)
{
    const uint64_t calls = load__long() ? 3000000 : 100000;
    const char *output = live__output("json", "events");
    unsigned long long delivered, dropped;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    start_beside_flood(&sensor, output, "64M");
    call(calls, load__long() ? 500 : 100);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    totals = sensor__totals(&sensor, RARE);
    sensor__delivered(&sensor, output, &delivered, &dropped);
    assert_null(strstr(sensor__stderr(&sensor), "accounting: "));
    assert_int_equal(totals.lost, 0);
    assert_int_equal(dropped, 0);
    assert_in_range(delivered, calls, UINT64_MAX);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(lines__count_of_file(live__path("events")), sensor__lines(&sensor, output));
}

/* -- the gaps of a file ----------------------------------------------------------------------- */

struct gaps {
    unsigned long long count, missing, told;
};

/*
 * What verify names, line by line: each gap must be what events_lost told since the one before. On
 * one CPU and one lane, so that no gap can hide behind another.
 */
static struct gaps compare_gaps(const char *said)
{
    struct gaps gaps = { 0 };
    unsigned long long line, number, first, last, told = 0;
    char *text = strdup(said), *rest = text, *next;
    const char *before = "";

    assert_non_null(text);
    for (; (next = strsep(&rest, "\n")); before = next) {
        if (sscanf(next, "line %llu: cpu %*u, lane 0 (rare): %llu..%llu missing (%llu)", &line,
                   &first, &last, &number) == 4) {
            if (number != told || number != last - first + 1)
                fail_msg("events_lost told %llu, but verify says: %s\n%s", told, before, next);
            gaps.count++;
            gaps.missing += number;
            told = 0;
        } else if (sscanf(next, "line %llu: %llu " RARE " lost (", &line, &number) == 2) {
            told += number;
            gaps.told += number;
        }
    }
    free(text);
    assert_int_equal(told, 0);
    return gaps;
}

static struct gaps verify_gaps(const char *path)
{
    const char *arguments[] = { "verify", path, NULL };
    struct sensor verifier;
    const char *said;
    struct gaps gaps;
    int status = sensor__run(&verifier, arguments);

    said = sensor__stdout(&verifier);
    gaps = compare_gaps(said);
    assert_int_equal(status, gaps.count ? 1 : LIVE_GAPLESS);
    if (gaps.count)
        assert_non_null(strstr(
            said, live__text("rare lane: %llu missing, as events_lost says\n", gaps.missing)));
    assert_non_null(strstr(said, ", 0 bad lines\n"));
    return gaps;
}

/*
 * Returns the number of gaps. A call behind all of them, from the CPU of the flood, lets a number
 * show the last one.
 */
static unsigned long long gaps_of_flood(const char *settings, const char *ring, uint64_t calls)
{
    const char *output = live__text("%s:%s", settings, live__path("events"));
    unsigned long long delivered, dropped;
    struct sensor sensor;
    struct totals totals;
    struct gaps gaps;
    int status;

    start_beside_flood(&sensor, output, ring);
    call(calls, 0);
    /* However fast the reader is: one that is stopped reads nothing. */
    kill(sensor.pid, SIGSTOP);
    call(MISSED, 0);
    kill(sensor.pid, SIGCONT);
    live__pause_ms(QUIET_MS);
    call(1, 0);
    status = sensor__stop(&sensor, SIGINT);
    totals = sensor__totals(&sensor, RARE);
    sensor__delivered(&sensor, output, &delivered, &dropped);
    assert_int_equal(status, dropped ? 1 : 0); /* what the kernel lost is no failure of the run */
    assert_null(strstr(sensor__stderr(&sensor), "accounting: "));
    assert_in_range(totals.read + totals.lost, calls + 1, UINT64_MAX);
    assert_int_equal(delivered + dropped, totals.read);
    assert_int_equal(lines__count_of_file(live__path("events")), sensor__lines(&sensor, output));
    gaps = verify_gaps(live__path("events"));
    assert_int_equal(gaps.missing, totals.lost + dropped);
    assert_int_equal(gaps.told, totals.lost + dropped);
    assert_int_equal(unlink(live__path("events")), 0);
    return gaps.count;
}

static void verify_names_the_gaps_that_events_lost_tells(void **state)
{
    static const struct {
        const char *settings, *ring;
        bool loses;
    } cases[] = {
        { "json", "64K", true }, /* what the kernel loses */
        { "json,policy=drop-oldest,queue=64K", "64M", false },
        { "json,policy=drop-newest,queue=64K", "64M", false },
        { "json,policy=drop-oldest,queue=64K", "64K", true }, /* and both */
    };
    const uint64_t calls = load__long() ? 1500000 : 200000;

    (void)state;
    live__require();
    if (load__long())
        gaps_of_flood("json", "8M", calls); /* a fast disk keeps up, and then there is none */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned long long gaps = gaps_of_flood(cases[i].settings, cases[i].ring, calls);

        /* A fast disk takes all that a queue has to hold, and then there is no gap. */
        if (cases[i].loses)
            assert_in_range(gaps, 1, UINT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_paced_flood_to_a_file_loses_nothing),
        LIVE_TEST(verify_names_the_gaps_that_events_lost_tells),
    };

    return cmocka_run_group_tests_name("live, disk", tests, NULL, NULL);
}
