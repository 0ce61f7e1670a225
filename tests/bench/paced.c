// SPDX-License-Identifier: Apache-2.0
/*
 * The group paced: events that come one by one, at rates from quiet to busy: what each costs the
 * program, and when its line is there. The producer spins between its calls, and reads the lines
 * meanwhile, from a file and from a pipe. Beside it the price of one sleep, which is what waiting
 * is made of; and, in each round, how late a process is that does nothing but nap, beside one that
 * spins: what the machine itself takes, below which no reader that naps can come. Where
 * MRELEASE_BENCH_BEFORE names another mrelease, that one is the peer, in the same rounds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/program.h"

enum {
    ROUNDS = 3,
    SECONDS = 2,
    SLEEPS = 2000,
    NAP_NS = 300 * 1000,
    NAPS_NS = 1000 * 1000 * 1000,
    BLOCK_BYTES = 1 << 18,
};

static const int rates[] = { 1000, 10000, 50000, 100000 };

enum { RATE_COUNT = sizeof(rates) / sizeof(rates[0]), PROGRAMS = 2, PLACES = 2 };

struct figures {
    struct bench_samples cpu_us[PLACES], latency_us[PLACES]; /* per event, to each place */
    struct bench_samples lost, nap_us; /* how late a process would be that only naps */
};

static const char *const places[PLACES] = { "file", "pipe" };

/* -- lines ------------------------------------------------------------------------------------ */

struct lines {
    int fd;
    size_t used;
    char block[BLOCK_BYTES];
};

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A line begins with its timestamp, the time of the call's entry. */
static void take_lines(struct lines *lines, struct bench_samples *latency_us)
{
    static const char front[] = "{\"timestamp\":";
    char *at = lines->block, *end = lines->block + lines->used, *newline;
    uint64_t now = wall_ns();

    for (; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        if (!strncmp(at, front, sizeof(front) - 1))
            bench_samples__add(
                latency_us,
                (double)(now - (uint64_t)strtoull(at + sizeof(front) - 1, NULL, 10)) / 1e3);
    lines->used = (size_t)(end - at);
    memmove(lines->block, at, lines->used);
}

static void read_lines(struct lines *lines, struct bench_samples *latency_us)
{
    ssize_t size = read(lines->fd, lines->block + lines->used, BLOCK_BYTES - lines->used);

    if (size <= 0)
        return;
    lines->used += (size_t)size;
    take_lines(lines, latency_us);
}

/* Calls at a rate, spinning; reads what comes. */
static void produce(int rate, struct lines *lines, struct bench_samples *latency_us)
{
    uint64_t gap_ns = UINT64_C(1000000000) / (unsigned int)rate, next = bench_now_ns();

    for (int i = 0; i < rate * SECONDS; i++) {
        bench_call_mrelease();
        next += gap_ns;
        while (bench_now_ns() < next)
            read_lines(lines, latency_us);
        if (bench_now_ns() > next + 100 * gap_ns)
            next = bench_now_ns(); /* a pause is not made up for by a burst */
    }
}

/* -- one run ---------------------------------------------------------------------------------- */

/* All that comes until it ends is read, or it would wait for a reader until it is killed. */
static int watch(int rate, int fd, struct bench_samples *latency_us)
{
    static struct lines lines;

    if (fd < 0)
        return -1;
    lines.fd = fd;
    lines.used = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    produce(rate, &lines, latency_us);
    usleep(10000);
    for (int i = 0; i < 100; i++)
        read_lines(&lines, latency_us);
    return 0;
}

static int run_once(const char *binary, int rate, bool pipe, struct figures *figures)
{
    char output[160] = "json";
    const char *const arguments[] = { "--events", "process_mrelease", "--output", output, NULL };
    struct bench_program program;
    struct bench_totals totals;
    struct bench_place place;
    int failed, fd = -1;

    bench_place__open(&place);
    if (!pipe)
        snprintf(output, sizeof(output), "json:%s", place.path);
    bench_program__start_as(binary, &program, bench_program_cpu(),
                            pipe ? BENCH_STDOUT_PIPE : BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed)
        fd = pipe ? program.stdout_fd : open(place.path, O_RDONLY | O_CLOEXEC);
    if (!failed)
        failed = watch(rate, fd, &figures->latency_us[pipe]);
    bench_program__stop(&program, &totals);
    if (!pipe && fd >= 0)
        close(fd);
    bench_place__close(&place);
    if (failed || totals.status || !totals.delivered)
        return -1;
    bench_samples__add(&figures->cpu_us[pipe], totals.cpu_s * 1e6 / (double)totals.delivered);
    bench_samples__add(&figures->lost, (double)(totals.lost + totals.dropped));
    return 0;
}

/* -- the machine ------------------------------------------------------------------------------ */

/* Events that come at `rate`, as they would be found by a process that does nothing but nap, where
 * the program runs, while another spins where the producer does. */
static void nap_beside_one_that_spins(int rate, struct bench_samples *us)
{
    const struct timespec nap = { .tv_nsec = NAP_NS };
    uint64_t gap_ns = UINT64_C(1000000000) / (unsigned int)rate, event = bench_now_ns(),
             now = event;
    const uint64_t end = event + NAPS_NS;
    pid_t spinner = fork();

    if (!spinner)
        for (;;)
            bench_now_ns();
    bench_pin(bench_program_cpu());
    while (now < end) {
        nanosleep(&nap, NULL);
        now = bench_now_ns();
        for (; event <= now; event += gap_ns)
            bench_samples__add(us, (double)(now - event) / 1e3);
    }
    bench_pin(bench_load_cpu());
    bench_child__stop(spinner);
}

/* -- the group -------------------------------------------------------------------------------- */

static void measure_sleep(struct bench_samples *us)
{
    const struct timespec nap = { .tv_nsec = NAP_NS };

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t before = bench_cpu_ns();

        for (int i = 0; i < SLEEPS; i++)
            nanosleep(&nap, NULL);
        bench_samples__add(us, (double)(bench_cpu_ns() - before) / SLEEPS / 1e3);
    }
}

static void report(struct bench *bench, const char *who, int rate, const struct figures *figures)
{
    char name[96];

    for (int place = 0; place < PLACES; place++) {
        const struct bench_samples *latency_us = &figures->latency_us[place];

        snprintf(name, sizeof(name), "paced.%dk.%s%s_cpu_us", rate / 1000, who, places[place]);
        bench_median(
            bench, name, &figures->cpu_us[place], "us",
            "CPU time per event, JSON to a %s, calls at a pace from a process that spins; %s",
            places[place], bench_cpus());
        for (int percent = 50; percent <= 99; percent += 49) {
            snprintf(name, sizeof(name), "paced.%dk.%s%s_p%d_us", rate / 1000, who, places[place],
                     percent);
            bench_result(bench, name, bench_samples__percentile(latency_us, percent), "us",
                         bench_samples__spread(latency_us),
                         "entry of the call to its line read from the %s, %zu lines", places[place],
                         latency_us->count);
        }
    }
    snprintf(name, sizeof(name), "paced.%dk.%slost", rate / 1000, who);
    bench_median(bench, name, &figures->lost, "events", "lost and dropped");
}

static void report_nap(struct bench *bench, int rate, const struct bench_samples *us)
{
    char name[64];

    snprintf(name, sizeof(name), "paced.%dk.nap_p99_us", rate / 1000);
    bench_result(bench, name, bench_samples__percentile(us, 99), "us", bench_samples__spread(us),
                 "how late a process finds events that only naps for %d us at a time, beside one "
                 "that spins",
                 NAP_NS / 1000);
}

static int measure(const char *const *binaries, int rate, struct figures *figures)
{
    for (int round = 0; round < ROUNDS; round++) {
        nap_beside_one_that_spins(rate, &figures->nap_us);
        for (int i = 0; i < PROGRAMS && binaries[i]; i++)
            for (int place = 0; place < PLACES; place++)
                if (run_once(binaries[i], rate, place, &figures[i]))
                    return -1;
    }
    return 0;
}

static int run(struct bench *bench)
{
    const char *const binaries[PROGRAMS] = { MRL_TEST_PROGRAM, getenv("MRELEASE_BENCH_BEFORE") };
    struct bench_samples sleep_us = { 0 };
    int failed = 0;

    bench_pin(bench_load_cpu());
    measure_sleep(&sleep_us);
    bench_median(bench, "paced.sleep_cpu_us", &sleep_us, "us",
                 "CPU time of one sleep of %d us, and of waking from it", NAP_NS / 1000);
    for (unsigned int i = 0; !failed && i < RATE_COUNT; i++) {
        struct figures figures[PROGRAMS] = { 0 };

        bench_say("paced: %d calls a second", rates[i]);
        failed = measure(binaries, rates[i], figures);
        report(bench, "", rates[i], &figures[0]);
        report_nap(bench, rates[i], &figures->nap_us);
        if (binaries[1]) {
            char name[64];

            report(bench, "before_", rates[i], &figures[1]);
            snprintf(name, sizeof(name), "paced.%dk.file_cpu_ratio", rates[i] / 1000);
            bench_ratio(bench, name, &figures[0].cpu_us[0], &figures[1].cpu_us[0],
                        "CPU time per event to a file, against the program before");
        }
    }
    bench_pin(-1);
    bench_samples__done(&sleep_us);
    return failed;
}

const struct bench_group bench_paced = {
    "paced",
    "Single events at 1, 10, 50 and 100 k/s: CPU time of each, and when its line is there.",
    run,
};
