// SPDX-License-Identifier: Apache-2.0
/*
 * A hostile world: the program is killed at any moment, and memory runs out. Faults are preloaded
 * into the real program.
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

enum { PACE = 20, CALLS = 3000, CALLS_MAX_MS = 60000, SLOW_MS = 10000, LAST = 30 };

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
    assert_int_equal(verify(file, "not proven complete: "), 3);
}

/* -- memory that runs out --------------------------------------------------------------------- */

static const char *failing;

static void preload_memory(void)
{
    setenv("LD_PRELOAD", MRL_TEST_PRELOAD_MEMORY, 1);
    setenv("MRELEASE_TEST_ALLOCATION", failing, 1);
}

struct memory {
    bool is_slow;
    unsigned long allocations;
    long left;        /* blocks that nobody freed */
    const char *rung; /* what it watched with; NULL: it did not start */
};

static const char *rung_of(const char *said)
{
    const char *watching = strstr(said, "mrelease: watching ");
    const char *rung = watching ? strstr(watching, ", with ") : NULL;

    return rung ? live__text("%.*s", (int)strcspn(rung, "\n"), rung) : NULL;
}

/* Runs with the n-th allocation failing; 0: with none. */
static struct memory run_short_of_memory(unsigned long n)
{
    const char *output = live__output("json", "events");
    const char *arguments[] = { "run", "-d", "1ms", "-o", output, "-o", "none", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = preload_memory };
    struct memory memory = { 0 };
    struct sensor sensor;
    const char *said, *at;
    int status;

    failing = live__text("%lu", n);
    sensor__spawn(&sensor, &options);
    memory.is_slow = !sensor__ends_within(&sensor, SLOW_MS);
    if (memory.is_slow)
        kill(sensor.pid, SIGTERM);
    status = sensor__wait(&sensor); /* fails when a signal ended it */
    said = sensor__stderr(&sensor);
    if (status > 1 || (status && !strstr(said, "mrelease: ")))
        fail_msg("with allocation %lu failing, exit status %d: %s", n, status, said);
    at = strstr(said, "allocations: ");
    if (!at || sscanf(at, "allocations: %lu, left: %ld", &memory.allocations, &memory.left) != 2)
        fail_msg("with allocation %lu failing, it did not end as it should: %s", n, said);
    memory.rung = rung_of(said);
    return memory;
}

/*
 * All of them in a long run, some ninety in a short one, the last ones among them. Whatever
 * fails, it is an error or the same rung works, and nothing that was allocated is left at the end.
 * Another rung may work where libbpf takes types that it had no memory for as types that the kernel
 * has not: a few of thousands. It takes features for missing as well; without global functions the
 * kernel verifies the programs for a minute, and a signal has to end that in order.
 */
static void memory_that_runs_out_is_an_error_and_no_leak(void **state)
{
    struct memory good, bad;
    unsigned long step, other_rungs = 0, slow = 0;

    (void)state;
    live__require_unsanitized();
    good = run_short_of_memory(0);
    assert_in_range(good.allocations, 50, 100000);
    assert_non_null(good.rung);
    step = load__long() ? 1 : good.allocations / 60 + 1;
    for (unsigned long n = 1; n <= good.allocations; n += n + LAST > good.allocations ? 1 : step) {
        bad = run_short_of_memory(n);
        other_rungs += bad.rung && strcmp(bad.rung, good.rung) != 0;
        slow += bad.is_slow;
        if (bad.left > good.left)
            fail_msg("with allocation %lu failing, %ld blocks are left in place of %ld", n,
                     bad.left, good.left);
    }
    assert_in_range(other_rungs, 0, good.allocations / step / 20);
    assert_in_range(slow, 0, good.allocations / step / 200 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_killed_run_leaves_whole_lines_and_at_most_one_torn),
        LIVE_TEST(the_next_run_repairs_what_a_killed_one_left),
        LIVE_TEST(memory_that_runs_out_is_an_error_and_no_leak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
