// SPDX-License-Identifier: Apache-2.0
/*
 * Floods: whatever the load and the readers do, every call is delivered or counted as lost. The
 * numbers are small unless MRELEASE_TEST_LONG is set. Others on this host may call too, so that the
 * number of calls is a lower bound, and exact is the identity of the totals.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "load.h"

enum { FLOOD_MAX_MS = 100000, CPUS_MAX = 4096 };

#define RARE "process_mrelease"

static uint64_t flood_calls(void)
{
    return load__long() ? 10000000 : 300000;
}

static unsigned int last_cpu(void)
{
    return (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

/* One core at full speed. */
static void flood(const char *event)
{
    const struct load load = { .event = event, .cpu = last_cpu(), .calls = flood_calls() };

    load__wait(load__start(&load), FLOOD_MAX_MS);
}

static void assert_accounted(const struct sensor *sensor)
{
    const char *said = sensor__stderr(sensor);

    if (strstr(said, "accounting: "))
        fail_msg("not every event is accounted for: %s", said);
}

static void start_beside_flood(struct sensor *sensor, const char *output)
{
    const char *arguments[] = { "run", "--events", RARE, "-o", output, NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = load__take_first_cpu };

    sensor__spawn(sensor, &options);
    sensor__await_ready(sensor);
}

/* Ten million calls leave the sensor a core of its own, and nothing is lost; fewer calls are made
 * on machines that have other things to do. */
static struct totals assert_flood(struct sensor *sensor, const char *output)
{
    unsigned long long delivered, dropped;
    struct totals totals = sensor__totals(sensor, RARE);

    sensor__delivered(sensor, output, &delivered, &dropped);
    assert_accounted(sensor);
    assert_in_range(totals.read + totals.lost, flood_calls(), UINT64_MAX);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(dropped, 0);
    if (load__long() && last_cpu() > 0)
        assert_int_equal(totals.lost, 0);
    return totals;
}

static void a_flood_to_none_is_accounted_for(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    start_beside_flood(&sensor, "none");
    flood(RARE);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_flood(&sensor, "none");
}

static void a_flood_to_a_fifo_is_accounted_for(void **state)
{
    struct reader reader = { .path = live__path("fifo"), .on_first_cpu = true };
    const char *output = live__output("json", "fifo");
    struct sensor sensor;

    (void)state;
    live__require();
    reader__start(&reader);
    start_beside_flood(&sensor, output);
    flood(RARE);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    reader__wait(&reader);
    assert_flood(&sensor, output);
    assert_int_equal(reader.lines, sensor__lines(&sensor, output));
}

/* -- lanes ------------------------------------------------------------------------------------ */

static void storm_on_every_core(pid_t *children, unsigned int count)
{
    for (unsigned int cpu = 0; cpu < count; cpu++) {
        const struct load storm = { .event = "munlock", .cpu = cpu };

        children[cpu] = load__start(&storm);
    }
}

static void rare_events_survive_a_storm(void **state)
{
    enum { CALLS = 1000 };
    struct load calls = { .event = RARE, .calls = CALLS, .per_ms = 5 };
    unsigned int cpus = last_cpu() + 1;
    pid_t storm[CPUS_MAX], caller;
    struct reader reader = { .path = live__path("fifo") };
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    reader.wanted = "\"eventName\":\"" RARE "\"";
    reader__start(&reader);
    SENSOR_START(&sensor, "--events", RARE ",munlock", "-o", live__output("json", "fifo"));
    storm_on_every_core(storm, cpus);
    caller = load__start(&calls);
    load__wait(caller, FLOOD_MAX_MS);
    for (unsigned int cpu = 0; cpu < cpus; cpu++)
        load__stop(storm[cpu]);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    reader__wait(&reader);
    totals = sensor__totals(&sensor, RARE);
    assert_accounted(&sensor);
    assert_int_equal(totals.lost, 0);
    assert_in_range(totals.read, CALLS, UINT64_MAX);
    assert_int_equal(reader.wanted_lines, totals.read);
    assert_in_range(sensor__totals(&sensor, "munlock").seen, CALLS, UINT64_MAX);
}

/* -- a reader that stops ---------------------------------------------------------------------- */

static uint64_t number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    if (!at)
        fail_msg("no %s in %s", key, line);
    return strtoull(at + strlen(key), NULL, 10);
}

/*
 * A gap is told where it is: when a number is missing, the line that tells it was there before; and
 * in the end exactly as many were told as are missing.
 */
static void assert_gaps_in_place(const char *path)
{
    static uint64_t next[CPUS_MAX];
    uint64_t missing = 0, told = 0, cpu, seq;
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    memset(next, 0, sizeof(next));
    while (getline(&line, &size, file) > 0) {
        if (strstr(line, "\"eventName\":\"events_lost\"")) {
            told += number_after(line, "\"count\",\"type\":\"unsigned long\",\"value\":");
            continue;
        }
        if (strstr(line, "\"eventName\":\"sensor_state\""))
            continue;
        cpu = number_after(line, "\"processorId\":");
        seq = number_after(line, "\"seq\",\"type\":\"unsigned long\",\"value\":");
        assert_in_range(cpu, 0, CPUS_MAX - 1);
        assert_in_range(seq, next[cpu], UINT64_MAX);
        missing += seq - next[cpu];
        next[cpu] = seq + 1;
        assert_in_range(missing, 0, told);
    }
    free(line);
    fclose(file);
    assert_in_range(told, 1, UINT64_MAX);
    assert_int_equal(missing, told);
}

/* Lines behind all gaps, for their numbers to show them. */
static void call_once_on_every_core(void)
{
    for (unsigned int cpu = 0; cpu <= last_cpu(); cpu++) {
        const struct load once = { .event = "munlock", .cpu = cpu, .calls = 1 };

        load__wait(load__start(&once), FLOOD_MAX_MS);
    }
}

static int verify(const char *path, const char *verdict)
{
    const char *arguments[] = { "verify", path, NULL };
    struct sensor verifier;
    int status = sensor__run(&verifier, arguments);

    if (!strstr(sensor__stdout(&verifier), verdict))
        fail_msg("no '%s' in: %s", verdict, sensor__stdout(&verifier));
    return status;
}

static void a_reader_that_stops_costs_its_own_events_only(void **state)
{
    const unsigned int stall_ms = load__long() ? 10000 : 2000;
    const struct load load = {
        .event = "munlock", .cpu = last_cpu(), .calls = 50 * (stall_ms + 1000), .per_ms = 50
    };
    struct reader reader = { .path = live__path("fifo"),
                             .copy = live__path("copy"),
                             .stall_after = 5000,
                             .stall_ms = stall_ms };
    const char *file = live__text("json,policy=block:%s", live__path("events"));
    const char *fifo = live__text("json,queue=64K:%s", reader.path);
    unsigned long long delivered, dropped;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    reader__start(&reader);
    SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "--busy-ring", "64M", "-o", file,
                 "-o", fifo);
    load__wait(load__start(&load), FLOOD_MAX_MS);
    live__pause_ms(500);
    call_once_on_every_core();
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1);
    reader__wait(&reader);
    assert_accounted(&sensor);
    totals = sensor__totals(&sensor, "munlock");
    assert_int_equal(totals.lost, 0);
    sensor__delivered(&sensor, file, &delivered, &dropped);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(dropped, 0);
    sensor__delivered(&sensor, fifo, &delivered, &dropped);
    assert_int_equal(sensor__lines(&sensor, fifo), reader.lines);
    assert_int_equal(delivered + dropped, totals.read);
    assert_in_range(dropped, 1000, UINT64_MAX);
    assert_int_equal(verify(live__path("events"), "complete: "), LIVE_GAPLESS);
    assert_int_equal(verify(reader.copy, "missing, as events_lost says"), 1);
    assert_gaps_in_place(reader.copy);
}

/* The kernel has no room: the file tells what is missing, where it is. */
static void what_the_kernel_lost_is_told_in_its_place(void **state)
{
    const struct load load = { .event = "munlock", .cpu = last_cpu(), .calls = 20000 };
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "--busy-ring", "4K", "-o",
                 live__output("json", "events"));
    load__wait(load__start(&load), FLOOD_MAX_MS);
    live__pause_ms(500); /* until there is room for those that follow */
    call_once_on_every_core();
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    totals = sensor__totals(&sensor, "munlock");
    assert_accounted(&sensor);
    assert_in_range(totals.lost, 1, UINT64_MAX);
    assert_int_equal(lines__lost(lines__load(live__path("events")), "munlock", "ring_full"),
                     totals.lost);
    assert_gaps_in_place(live__path("events"));
}

/* Nothing follows the flood: after a second of quiet its end is told all the same. */
static void losses_at_the_end_of_a_flood_are_told_soon(void **state)
{
    const struct load load = { .event = "munlock", .cpu = last_cpu(), .calls = 20000 };
    const struct lines *lines = NULL;
    uint64_t told = 0, calls = 0;
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "munlock", "--busy-ring", "4K", "-o",
                 live__output("json", "events"));
    load__wait(load__start(&load), FLOOD_MAX_MS);
    for (int i = 0; i < 100 && calls + told < load.calls; i++) {
        live__pause_ms(100);
        lines = lines__load(live__path("events"));
        told = lines__lost(lines, "munlock", "ring_full");
        calls = lines__count(lines, "munlock", 0);
    }
    assert_in_range(calls + told, load.calls, UINT64_MAX);
    assert_in_range(told, 1, UINT64_MAX);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_accounted(&sensor);
}

/* -- under load ------------------------------------------------------------------------------- */

static void every_attachment_under_load_is_accounted_for(void **state)
{
    const struct load load = { .event = "munlock", .cpu = last_cpu() };
    const char *arguments[] = { "run", "--events", "munlock", "-o", "none", "-d", "30ms", NULL };
    int rounds = load__long() ? 100 : 10;

    (void)state;
    live__require();
    load__start(&load);
    for (int i = 0; i < rounds; i++) {
        struct sensor sensor;

        assert_int_equal(sensor__run(&sensor, arguments), 0);
        assert_in_range(sensor__totals(&sensor, "munlock").seen, 1, UINT64_MAX);
        assert_accounted(&sensor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_flood_to_none_is_accounted_for),
        LIVE_TEST(a_flood_to_a_fifo_is_accounted_for),
        LIVE_TEST(rare_events_survive_a_storm),
        LIVE_TEST(a_reader_that_stops_costs_its_own_events_only),
        LIVE_TEST(what_the_kernel_lost_is_told_in_its_place),
        LIVE_TEST(losses_at_the_end_of_a_flood_are_told_soon),
        LIVE_TEST(every_attachment_under_load_is_accounted_for),
    };

    live__is_about_the_host();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
