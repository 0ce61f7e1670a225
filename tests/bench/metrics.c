// SPDX-License-Identifier: Apache-2.0
/*
 * The group metrics: what the histogram of latencies costs an event, and what an answer of /metrics
 * costs: whoever asks, and the sensor, which collects it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "bench/bench.h"
#include "bench/program.h"
#include "deliver/latency.h"
#include "event/batch.h"

enum {
    ROUNDS = 21,
    SLICE_NS = 5 * 1000 * 1000,
    LONE = 1,
    ANSWERS = 50,
    PAUSE_NS = 120 * 1000 * 1000, /* an answer is good for 100 ms */
    ANSWER_BYTES = 256 * 1024,
};

/* -- the histogram ---------------------------------------------------------------------------- */

struct counting {
    struct mrl_latencies latencies;
    struct mrl_batch batch;
};

static struct counting full, lone;

static void count(void *context)
{
    struct counting *counting = context;

    mrl_latencies__count(&counting->latencies, &counting->batch, counting->batch.count);
}

/* As late as events of a busy host are: some 100 us, one now and then a millisecond. */
static void fill(struct counting *counting, unsigned int events)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    counting->batch.count = events;
    for (unsigned int i = 0; i < events; i++)
        counting->batch.events[i].exit_ns =
            (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - (i % 64 ? 100000 : 1000000);
}

static void measure_histogram(struct bench *bench)
{
    struct bench_subject subjects[] = {
        { .run = count, .context = &full, .operations = MRL_BATCH_EVENTS },
        { .run = count, .context = &lone, .operations = LONE },
    };

    fill(&full, MRL_BATCH_EVENTS);
    fill(&lone, LONE);
    bench_rounds(subjects, 2, ROUNDS, SLICE_NS);
    bench_median(bench, "metrics.histogram.batch.ns_per_event", &subjects[0].ns, "ns",
                 "mrl_latencies__count of %d events; CPU time, median of %d rounds of %d ms",
                 MRL_BATCH_EVENTS, ROUNDS, SLICE_NS / 1000000);
    bench_median(bench, "metrics.histogram.lone.ns_per_event", &subjects[1].ns, "ns",
                 "the same of a batch of one, which asks the clock");
    bench_samples__done(&subjects[0].ns);
    bench_samples__done(&subjects[1].ns);
}

/* -- /metrics --------------------------------------------------------------------------------- */

static char answer[ANSWER_BYTES];

/* Bytes of the answer, or -1. */
static ssize_t ask(const char *path)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const struct timeval patience = { 5, 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t size = 1, used = -1;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)) &&
        write(fd, request, sizeof(request) - 1) == sizeof(request) - 1)
        for (used = 0; size > 0 && used < ANSWER_BYTES; used += size)
            size = read(fd, answer + used, (size_t)(ANSWER_BYTES - used));
    close(fd);
    return size || used < 0 || strncmp(answer, "HTTP/1.1 200", 12) != 0 ? -1 : used;
}

static double cpu_us(pid_t pid)
{
    struct timespec used = { 0 };
    clockid_t clock;

    if (!clock_getcpuclockid(pid, &clock))
        clock_gettime(clock, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static int ask_often(const char *path, struct bench_samples *ms, ssize_t *ret_bytes)
{
    for (int i = 0; i < ANSWERS; i++) {
        const uint64_t begin_ns = bench_now_ns();

        *ret_bytes = ask(path);
        if (*ret_bytes < 0)
            return -1;
        bench_samples__add(ms, (double)(bench_now_ns() - begin_ns) / 1e6);
        bench_sleep_until(begin_ns + PAUSE_NS);
    }
    return 0;
}

static int measure_answers(struct bench *bench, const char *path)
{
    char address[96];
    const char *const arguments[] = { "--http", address, "--output", "none", NULL };
    struct bench_program sensor;
    struct bench_samples ms = { 0 };
    double before_us, asked_us, idle_us;
    ssize_t bytes = 0;
    int failed;

    snprintf(address, sizeof(address), "unix:%s", path);
    if (bench_program__start(&sensor, bench_program_cpu(), BENCH_STDOUT_NULL, arguments))
        return -1;
    failed = bench_program__wait(&sensor);
    if (!failed) {
        before_us = cpu_us(sensor.pid);
        failed = ask_often(path, &ms, &bytes);
        asked_us = cpu_us(sensor.pid) - before_us;
        before_us = cpu_us(sensor.pid);
        bench_sleep_until(bench_now_ns() + UINT64_C(1) * ANSWERS * PAUSE_NS);
        idle_us = cpu_us(sensor.pid) - before_us;
    }
    bench_program__stop(&sensor, NULL);
    if (!failed) {
        bench_median(
            bench, "metrics.http.answer.ms", &ms, "ms",
            "GET /metrics of %zd bytes over a unix socket, connection and all; %d of them, "
            "one each %d ms",
            bytes, ANSWERS, PAUSE_NS / 1000000);
        bench_result(bench, "metrics.http.sensor_cpu.us_per_answer",
                     asked_us > idle_us ? (asked_us - idle_us) / ANSWERS : 0, "us", 0,
                     "CPU time of the main process meanwhile, less that of as long a time in which "
                     "nobody asks (%.0f us)",
                     idle_us);
    }
    bench_samples__done(&ms);
    return failed;
}

static int run(struct bench *bench)
{
    char room[] = "/tmp/mrelease-bench.XXXXXX", path[64];
    int failed;

    bench_say("metrics: %d rounds of the histogram, %d answers", ROUNDS, ANSWERS);
    measure_histogram(bench);
    if (!mkdtemp(room))
        bench_die("no directory");
    snprintf(path, sizeof(path), "%s/http", room);
    failed = measure_answers(bench, path);
    unlink(path);
    rmdir(room);
    if (failed)
        bench_say("metrics: /metrics was not answered");
    return failed ? -1 : 0;
}

const struct bench_group bench_metrics = {
    "metrics",
    "What the histogram of latencies costs an event, and an answer of /metrics.",
    run,
};
