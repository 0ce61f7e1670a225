// SPDX-License-Identifier: Apache-2.0
/*
 * A hostile world: the program is killed at any moment, its writes fail in every way, and memory
 * runs out. Faults are preloaded into the real program.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"

enum { PACE = 20, CALLS = 3000, CALLS_MAX_MS = 60000 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void require_preload(void)
{
    live__require();
    if (SANITIZED) {
        puts("# skipped: a sanitizer wants to be loaded first");
        skip();
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

/* -- killed ----------------------------------------------------------------------------------- */

static void kill_now(struct sensor *sensor)
{
    assert_int_equal(kill(sensor->pid, SIGKILL), 0);
    assert_int_equal(waitpid(sensor->pid, NULL, 0), sensor->pid);
    cleanup__forget_child(sensor->pid);
}

/* Bytes behind the last newline. */
static size_t torn_bytes(const char *path)
{
    struct stat status;
    size_t size, torn = 0;
    char *text;

    assert_int_equal(stat(path, &status), 0);
    size = (size_t)status.st_size;
    text = malloc(size + 1);
    assert_non_null(text);
    if (size)
        assert_int_equal(caller__read(path, text, size + 1), size);
    while (torn < size && text[size - torn - 1] != '\n')
        torn++;
    free(text);
    return torn;
}

static void a_killed_run_leaves_whole_lines_and_at_most_one_torn(void **state)
{
    const struct load load = { .event = "munlock", .per_ms = PACE };
    const char *output = live__output("json", "events"), *file = live__path("events");
    int rounds = load__long() ? 100 : 10;
    struct sensor sensor;

    (void)state;
    live__require();
    srandom((unsigned int)time(NULL));
    load__start(&load);
    for (int i = 0; i < rounds; i++) {
        size_t torn;

        SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "-o", output);
        live__pause_ms(5 + (unsigned int)random() % 60);
        kill_now(&sensor);
        torn = torn_bytes(file);
        SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "-o", output);
        if (torn)
            sensor__await_text(&sensor, live__text("%zu bytes were cut off", torn));
        assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
        assert_int_equal(torn_bytes(file), 0);
        assert_int_equal(truncate(file, 0), 0); /* so that each round reads little */
    }
}

/* A kill seldom hits the middle of a line; here one is certainly torn. */
static void the_next_run_repairs_what_a_killed_one_left(void **state)
{
    const struct load load = { .event = "munlock", .per_ms = PACE, .calls = CALLS };
    const char *output = live__output("json", "events"), *file = live__path("events");
    struct sensor sensor;
    struct stat status;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "-o", output);
    load__wait(load__start(&load), CALLS_MAX_MS);
    live__pause_ms(200);
    kill_now(&sensor);
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(truncate(file, status.st_size - 10), 0);
    assert_int_not_equal(torn_bytes(file), 0);
    SENSOR_START(&sensor, "--events", "munlock", "--extra", "seq", "-o", output);
    assert_non_null(strstr(sensor__stderr(&sensor), "events ended with half a line: "));
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(verify(file, "complete: "), 0);
}

/* -- writes that fail ------------------------------------------------------------------------- */

static const char *faults;

static void preload_faults(void)
{
    setenv("LD_PRELOAD", MRL_TEST_PRELOAD_FAULTS, 1);
    setenv("MRELEASE_TEST_FAULTY", "/events", 1);
    setenv("MRELEASE_TEST_FAULTS", faults, 1);
}

static void start_with_faults(struct sensor *sensor, const char *list, const char *const *arguments)
{
    const struct sensor_options options = { .arguments = arguments, .prepare = preload_faults };

    faults = list;
    sensor__spawn(sensor, &options);
    sensor__await_ready(sensor);
}

/* Everything is tried again, and no line is torn, twice or missing. */
static void a_file_survives_writes_that_fail(void **state)
{
    static const char *const lists[] = {
        "eintr,ok",      "short",        "eio,ok",
        "enospc,eio,ok", "short,eio,ok", "short,enospc,eintr,short,eio,ok",
    };
    const struct load load = { .event = "munlock", .per_ms = PACE, .calls = CALLS };

    (void)state;
    require_preload();
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const char *file = live__path(live__text("%zu/events", i));
        const char *output = live__text("json,queue=64M:%s", file);
        const char *arguments[] = { "run", "--events", "munlock", "--extra",
                                    "seq", "-o",       output,    NULL };
        unsigned long long delivered, dropped;
        struct sensor sensor;
        struct totals totals;

        assert_int_equal(mkdir(live__path(live__text("%zu", i)), 0755), 0);
        start_with_faults(&sensor, lists[i], arguments);
        load__wait(load__start(&load), CALLS_MAX_MS);
        for (int ms = 0; ms < 20000 && lines__count_of_file(file) < CALLS; ms += 50)
            live__pause_ms(50);
        assert_int_equal(kill(sensor.pid, SIGINT), 0);
        sensor__wait(&sensor); /* 1 when the very last try was to fail */
        totals = sensor__totals(&sensor, "munlock");
        sensor__delivered(&sensor, output, &delivered, &dropped);
        assert_null(strstr(sensor__stderr(&sensor), "accounting: "));
        /* Lines that tell of losses come on top, should others flood this host. */
        assert_in_range(delivered + dropped, totals.read, UINT64_MAX);
        assert_in_range(delivered, CALLS, UINT64_MAX);
        assert_int_equal(lines__count_of_file(file), delivered);
        verify(file, totals.lost || dropped ? ", 0 bad lines" : "complete: ");
    }
}

static void a_closed_file_ends_its_output_only(void **state)
{
    const struct load load = { .event = "munlock", .per_ms = PACE, .calls = CALLS };
    const char *faulty = live__output("json", "events"), *other = live__output("json", "other");
    const char *arguments[] = { "run", "--events", "munlock", "--extra", "seq",
                                "-o",  faulty,     "-o",      other,     NULL };
    unsigned long long delivered, dropped;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    require_preload();
    start_with_faults(&sensor, "epipe", arguments);
    load__wait(load__start(&load), CALLS_MAX_MS);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    totals = sensor__totals(&sensor, "munlock");
    assert_null(strstr(sensor__stderr(&sensor), "accounting: "));
    sensor__delivered(&sensor, faulty, &delivered, &dropped);
    assert_int_equal(delivered, 0);
    assert_int_equal(dropped, totals.read);
    sensor__delivered(&sensor, other, &delivered, &dropped);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(verify(live__path("other"), "complete: "), 0);
}

/* -- memory that runs out --------------------------------------------------------------------- */

static const char *failing;

static void preload_memory(void)
{
    setenv("LD_PRELOAD", MRL_TEST_PRELOAD_MEMORY, 1);
    setenv("MRELEASE_TEST_ALLOCATION", failing, 1);
}

/* Runs with the n-th allocation failing; returns the number of allocations that were made. */
static unsigned long run_short_of_memory(unsigned long n)
{
    const char *output = live__output("json", "events");
    const char *arguments[] = { "run", "-d", "1ms", "-o", output, "-o", "none", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = preload_memory };
    struct sensor sensor;
    const char *said, *at;
    int status;

    failing = live__text("%lu", n);
    sensor__spawn(&sensor, &options);
    status = sensor__wait(&sensor); /* fails when a signal ended it */
    said = sensor__stderr(&sensor);
    if (status > 1 ||
        (status && strncmp(said, "mrelease: ", 10) != 0 && !strstr(said, "\nmrelease: ")))
        fail_msg("with allocation %lu failing, exit status %d: %s", n, status, said);
    at = strstr(said, "allocations: ");
    return at ? strtoul(at + strlen("allocations: "), NULL, 10) : 0;
}

/* All of them in a long run, some sixty in a short one, the first and the last among them. */
static void memory_that_runs_out_is_an_error_and_no_crash(void **state)
{
    unsigned long count, step;

    (void)state;
    require_preload();
    count = run_short_of_memory(0);
    assert_in_range(count, 50, 100000);
    step = load__long() ? 1 : count / 60 + 1;
    for (unsigned long n = 1; n <= count; n += step)
        run_short_of_memory(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_killed_run_leaves_whole_lines_and_at_most_one_torn),
        LIVE_TEST(the_next_run_repairs_what_a_killed_one_left),
        LIVE_TEST(a_file_survives_writes_that_fail),
        LIVE_TEST(a_closed_file_ends_its_output_only),
        LIVE_TEST(memory_that_runs_out_is_an_error_and_no_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
