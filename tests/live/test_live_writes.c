// SPDX-License-Identifier: Apache-2.0
/*
 * Writes that fail, at each kind of output: interrupted, short, EIO, ENOSPC, EPIPE. The faults are
 * preloaded into the real program; what arrived is judged by verify.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "harness.h"
#include "load.h"

enum { PACE = 20, CALLS = 3000, CALLS_MAX_MS = 60000, QUIET_MS = 400, STEP_MS = 50, WORDS = 16 };

enum kind { TO_FILE, TO_STDOUT, TO_FIFO, TO_RECORDING, KINDS };

static const char *const kind_names[KINDS] = { "file", "stdout", "FIFO", "recording" };

/* One output whose writes fail, and another beside it. */
struct broken {
    enum kind kind;
    const char *faults;
    const char *path; /* of what fails */
    const char *name; /* of the output */
    struct reader reader;
    struct sensor sensor;
};

static const char *faults;

static void preload(void)
{
    setenv("LD_PRELOAD", MRL_TEST_PRELOAD_FAULTS, 1);
    setenv("MRELEASE_TEST_FAULTY", "/events", 1);
    setenv("MRELEASE_TEST_FAULTS", faults, 1);
}

static void name_output(struct broken *broken)
{
    const char *const names[KINDS] = {
        [TO_FILE] = live__text("json,queue=64M:%s", broken->path),
        [TO_STDOUT] = "json,queue=64M",
        [TO_FIFO] = live__text("json,queue=64M:%s", broken->path),
        [TO_RECORDING] = live__text("queue=64M:%s", broken->path),
    };

    broken->name = names[broken->kind];
}

static void start(struct broken *broken, const char *directory, const char *other)
{
    const char *arguments[] = { "run", "--events", "munlock", "--extra",    "seq",
                                "-o",  other,      NULL,      broken->name, NULL };
    struct sensor_options options = { .arguments = arguments, .prepare = preload };

    assert_int_equal(mkdir(directory, 0755), 0);
    broken->path = live__text("%s/events", directory);
    name_output(broken);
    arguments[7] = broken->kind == TO_RECORDING ? "--record" : "-o";
    arguments[8] = broken->name;
    if (broken->kind == TO_STDOUT)
        options.stdout_fd = open(broken->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    broken->reader =
        (struct reader){ .path = broken->path, .copy = live__text("%s/copy", directory) };
    if (broken->kind == TO_FIFO)
        reader__start(&broken->reader);
    faults = broken->faults;
    sensor__spawn(&broken->sensor, &options);
    if (options.stdout_fd)
        close(options.stdout_fd);
    sensor__await_ready(&broken->sensor);
}

static uint64_t arrived(struct broken *broken)
{
    struct stat file;

    if (broken->kind == TO_FIFO)
        return atomic_load(&broken->reader.lines);
    assert_int_equal(stat(broken->path, &file), 0);
    return (uint64_t)file.st_size;
}

/* Calls, waits until what can be written is, and ends the run. */
static int call_and_stop(struct broken *broken)
{
    const struct load load = { .event = "munlock", .per_ms = PACE, .calls = CALLS };
    uint64_t before = UINT64_MAX, now;
    int status;

    load__wait(load__start(&load), CALLS_MAX_MS);
    for (unsigned int quiet_ms = 0; quiet_ms < QUIET_MS; quiet_ms += STEP_MS) {
        live__pause_ms(STEP_MS);
        now = arrived(broken);
        quiet_ms = now == before ? quiet_ms : 0;
        before = now;
    }
    assert_int_equal(kill(broken->sensor.pid, SIGINT), 0);
    status = sensor__wait(&broken->sensor);
    if (broken->kind == TO_FIFO)
        reader__wait(&broken->reader);
    if (strstr(sensor__stderr(&broken->sensor), "accounting: "))
        fail_msg("%s, %s: %s", kind_names[broken->kind], broken->faults,
                 sensor__stderr(&broken->sensor));
    return status;
}

/* -- what arrived ----------------------------------------------------------------------------- */

/* The path of the lines: of a recording, those that replay prints. */
static const char *lines_of(const struct broken *broken)
{
    const char *replayed = live__text("%s.replayed", broken->path);
    const char *output = live__text("json:%s", replayed);
    const char *arguments[] = { "replay", broken->path, "--extra", "seq", "-o", output, NULL };
    struct sensor replay;

    if (broken->kind == TO_FIFO)
        return broken->reader.copy;
    if (broken->kind != TO_RECORDING)
        return broken->path;
    assert_int_equal(sensor__run(&replay, arguments), 0);
    return replayed;
}

/* Returns the number of lines that are none. */
static unsigned long long verify(const char *path, unsigned long long events)
{
    const char *arguments[] = { "verify", path, NULL };
    unsigned long long found = 0, missing = 0, told = 0, bad = 0;
    struct sensor verifier;
    const char *said;

    sensor__run(&verifier, arguments);
    said = sensor__stdout(&verifier);
    said = strstr(said, "complete: ");
    if (!said || sscanf(said,
                        "complete: %llu events, %*u gaps, %llu missing, %llu told by events_lost, "
                        "%llu bad lines",
                        &found, &missing, &told, &bad) != 4)
        fail_msg("verify says: %s", sensor__stdout(&verifier));
    assert_int_equal(found, events);
    assert_int_equal(missing, 0);
    assert_int_equal(told, 0);
    return bad;
}

/* All is tried again: no line is missing or there twice, and none is torn but where it cannot be
 * taken back. */
static void assert_survives(enum kind kind, const char *list, const char *directory)
{
    struct broken broken = { .kind = kind, .faults = list };
    unsigned long long delivered, dropped, bad;
    struct totals totals;

    start(&broken, directory, "none");
    if (call_and_stop(&broken))
        fail_msg("%s, %s: %s", kind_names[kind], list, sensor__stderr(&broken.sensor));
    totals = sensor__totals(&broken.sensor, "munlock");
    sensor__delivered(&broken.sensor, broken.name, &delivered, &dropped);
    if (delivered != totals.read || dropped || totals.lost)
        fail_msg("%s, %s: %s", kind_names[kind], list, sensor__stderr(&broken.sensor));
    assert_in_range(delivered, CALLS, UINT64_MAX);
    bad = verify(lines_of(&broken), delivered);
    if (kind != TO_FIFO || !strstr(list, "short,e"))
        assert_int_equal(bad, 0);
}

static void every_output_survives_writes_that_fail(void **state)
{
    /* A write of its own ends a line that was cut and cannot be taken back: it has its turn too. */
    static const char *const lists[] = {
        "eintr,ok",      "short",           "eio,ok",
        "enospc,eio,ok", "short,eio,ok,ok", "short,enospc,eintr,short,eio,ok",
    };
    enum { ALL_FAULTS = COUNT_OF(lists) - 1 };

    (void)state;
    live__require_unsanitized();
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (size_t i = kind == TO_FILE || load__long() ? 0 : ALL_FAULTS; i < COUNT_OF(lists); i++)
            assert_survives(kind, lists[i], live__path(live__text("%d.%zu", (int)kind, i)));
}

/* -- outputs that stay broken ----------------------------------------------------------------- */

/* Nothing arrives, all is counted as dropped, and the other output has everything. */
static void assert_costs_itself_only(enum kind kind, const char *list, const char *directory)
{
    const char *other = live__text("json,queue=64M:%s.other", directory);
    struct broken broken = { .kind = kind, .faults = list };
    unsigned long long delivered, dropped;
    struct totals totals;

    start(&broken, directory, other);
    assert_int_equal(call_and_stop(&broken), 1);
    totals = sensor__totals(&broken.sensor, "munlock");
    sensor__delivered(&broken.sensor, broken.name, &delivered, &dropped);
    if (delivered || dropped != totals.read || arrived(&broken))
        fail_msg("%s, %s: %s", kind_names[kind], list, sensor__stderr(&broken.sensor));
    sensor__delivered(&broken.sensor, other, &delivered, &dropped);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(dropped, 0);
    assert_int_equal(verify(live__text("%s.other", directory), delivered), 0);
}

static void an_output_that_stays_broken_costs_itself_only(void **state)
{
    static const struct {
        const char *list, *said;
    } cases[] = { { "epipe", "nobody reads it any more" },
                  { "enospc", "No space left on device: tried again" },
                  { "eio", "Input/output error: tried again" } };

    (void)state;
    live__require_unsanitized();
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (size_t i = kind == TO_FIFO || load__long() ? 0 : COUNT_OF(cases) - 1;
             i < COUNT_OF(cases); i++)
            assert_costs_itself_only(kind, cases[i].list,
                                     live__path(live__text("%d.%zu", (int)kind, i)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(every_output_survives_writes_that_fail),
        LIVE_TEST(an_output_that_stays_broken_costs_itself_only),
    };

    return cmocka_run_group_tests_name("live, writes", tests, NULL, NULL);
}
