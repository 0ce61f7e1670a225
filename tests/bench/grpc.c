// SPDX-License-Identifier: Apache-2.0
/*
 * The group grpc: events to raw HTTP/2 readers, in steps of pace, over unix sockets and TCP; the
 * time to a client; and what a client takes. The peer is the format json to a FIFO. Where
 * MRELEASE_BENCH_BEFORE names another mrelease, that one is a peer as well, in the same rounds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>

#include "bench/bench.h"
#include "bench/h2.h"
#include "bench/load.h"
#include "bench/program.h"

enum {
    ROUNDS = 3,
    SETTLE_NS = 300 * 1000 * 1000,
    DRAIN_TRIES = 200,
    DRAIN_TRY_NS = 20 * 1000 * 1000,
    LATENCY_CALLS = 5000,
    LATENCY_WARM_UP = 100,
    PACE_NS = 1000 * 1000,
    MESSAGE_MS = 2000,
    MEMORY_CLIENTS = 1000,
    MEMORY_CALLS = 20 * 1000,
};

/* -- steps ------------------------------------------------------------------------------------ */

/* Every run makes `calls` calls; each client should get them all. */
struct step {
    const char *name;
    const char *binary; /* NULL: the mrelease of this tree */
    bool tcp;
    unsigned int clients;
    int per_ms; /* 0: full speed */
    int calls;
    struct bench_samples per_second, lost, cpu_s;
};

static struct step steps[] = {
    { .name = "unix_200k", .clients = 1, .per_ms = 200, .calls = 600 * 1000 },
    { .name = "unix_500k", .clients = 1, .per_ms = 500, .calls = 1500 * 1000 },
    { .name = "unix_full", .clients = 1, .per_ms = 0, .calls = 2000 * 1000 },
    { .name = "unix_10_at_50k", .clients = 10, .per_ms = 50, .calls = 150 * 1000 },
    { .name = "unix_10_at_100k", .clients = 10, .per_ms = 100, .calls = 300 * 1000 },
    { .name = "tcp_500k", .tcp = true, .clients = 1, .per_ms = 500, .calls = 1500 * 1000 },
    { .name = "tcp_10_at_50k", .tcp = true, .clients = 10, .per_ms = 50, .calls = 150 * 1000 },
};

enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]), COMPARED = 1 /* unix_500k */ };

static struct step other = {
    .name = "before_unix_500k", .clients = 1, .per_ms = 500, .calls = 1500 * 1000
};

/* A socket in a fresh directory, or a port of loopback that was free a moment ago. */
struct where {
    struct bench_place place;
    char address[128], output[160];
};

static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)&address, size) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        bench_die("no port");
    close(fd);
    return ntohs(address.sin_port);
}

static void where__open(struct where *where, bool tcp)
{
    bench_place__open(&where->place);
    if (tcp)
        snprintf(where->address, sizeof(where->address), "tcp:127.0.0.1:%d", free_port());
    else
        snprintf(where->address, sizeof(where->address), "unix:%s", where->place.path);
    snprintf(where->output, sizeof(where->output), "grpc:%s", where->address);
}

static int start(struct bench_program *program, const char *binary, const struct where *where)
{
    const char *const arguments[] = { "--output", where->output, "--events", "process_mrelease",
                                      "--ring",   "8M",          NULL };

    bench_program__start_as(binary ? binary : MRL_TEST_PROGRAM, program, -1, BENCH_STDOUT_NULL,
                            arguments);
    return bench_program__wait(program);
}

/* Until nothing more comes. */
static uint64_t drain(const struct bench_h2_counts *counts, uint64_t wanted)
{
    uint64_t before = 0, now = 0;

    for (int tries = 0; tries < DRAIN_TRIES; tries++) {
        now = __atomic_load_n(&counts->events, __ATOMIC_RELAXED);
        if (now >= wanted || (tries > DRAIN_TRIES / 10 && now == before))
            break;
        before = now;
        bench_sleep_until(bench_now_ns() + DRAIN_TRY_NS);
    }
    return now;
}

static void keep(struct step *step, const struct bench_totals *totals, uint64_t got, double seconds)
{
    const uint64_t wanted = (uint64_t)step->calls * step->clients;

    bench_samples__add(&step->per_second, (double)got / seconds);
    if (got > wanted)
        bench_say("grpc: %s: more messages than calls: %llu", step->name, (unsigned long long)got);
    bench_samples__add(&step->lost, (double)wanted - (double)got);
    bench_samples__add(&step->cpu_s, totals->cpu_s * 1e6 / (double)got);
}

static int run_step(struct step *step)
{
    struct bench_samples call_ns = { 0 };
    struct bench_h2_counts *counts = NULL;
    struct bench_program program;
    struct bench_totals totals;
    struct where where;
    double seconds = 1;
    uint64_t got = 0;
    pid_t reader = -1;
    int failed;

    where__open(&where, step->tcp);
    failed = start(&program, step->binary, &where);
    if (!failed)
        reader = bench_h2__start(where.address, step->clients, &counts);
    failed |= reader < 0;
    if (!failed) {
        uint64_t begin;

        bench_sleep_until(bench_now_ns() + SETTLE_NS);
        begin = bench_now_ns();
        bench_produce(bench_call_mrelease, step->calls, step->per_ms, &call_ns);
        got = drain(counts, (uint64_t)step->calls * step->clients);
        seconds = (double)(bench_now_ns() - begin) / 1e9;
    }
    bench_program__stop(&program, &totals);
    bench_child__stop(reader); /* its clients were told to go */
    failed |= !got;
    if (!failed)
        keep(step, &totals, got, seconds);
    if (counts)
        munmap(counts, sizeof(*counts));
    bench_place__close(&where.place);
    bench_samples__done(&call_ns);
    return failed ? -1 : 0;
}

static void report_step(struct bench *bench, const struct step *step)
{
    const struct {
        const char *name, *unit, *method;
        const struct bench_samples *samples;
    } rows[] = {
        { "events_per_s", "events/s", "messages per second, of all clients, until the last one",
          &step->per_second },
        { "lost", "events", "calls that did not arrive, of all clients", &step->lost },
        { "cpu_s_per_million", "s",
          "user and system time of mrelease per million messages, from ready to end",
          &step->cpu_s },
    };
    char name[64], pace[32];

    snprintf(pace, sizeof(pace), step->per_ms ? "%d k/s" : "full speed", step->per_ms);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(name, sizeof(name), "grpc.%s.%s", step->name, rows[i].name);
        bench_median(bench, name, rows[i].samples, rows[i].unit,
                     "%d calls at %s to %u raw HTTP/2 reader%s in one process, %s: %s; median of "
                     "%zu runs",
                     step->calls, pace, step->clients, step->clients > 1 ? "s" : "",
                     step->tcp ? "TCP" : "unix socket", rows[i].method, rows[i].samples->count);
    }
}

/* -- the peer --------------------------------------------------------------------------------- */

static struct bench_samples fifo_cpu_s;

static int run_peer(void)
{
    char output[128];
    const char *const arguments[] = { "--output", output, "--events", "process_mrelease",
                                      "--ring",   "8M",   NULL };
    struct bench_samples call_ns = { 0 };
    struct bench_program program;
    struct bench_totals totals = { 0 };
    struct bench_place place;
    uint64_t lines = 0;
    int failed;

    bench_place__open(&place);
    bench_place__fifo(&place);
    snprintf(output, sizeof(output), "json:%s", place.path);
    bench_program__start(&program, -1, BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed)
        bench_produce(bench_call_mrelease, 1500 * 1000, 500, &call_ns);
    bench_program__stop(&program, &totals);
    if (!failed && bench_place__read_to_end(&place, &lines) >= 0 && totals.delivered)
        bench_samples__add(&fifo_cpu_s, totals.cpu_s * 1e6 / (double)totals.delivered);
    bench_place__close(&place);
    bench_samples__done(&call_ns);
    return failed;
}

/* -- latency ---------------------------------------------------------------------------------- */

static int await_event(struct bench_h2 *client, uint64_t wanted)
{
    struct pollfd input = { .fd = client->fd, .events = POLLIN };

    while (client->events < wanted)
        if (poll(&input, 1, MESSAGE_MS) != 1 || !bench_h2__read(client))
            return -1;
    return 0;
}

static int measure_latency(const struct where *where, struct bench_samples *us)
{
    struct bench_h2 client;
    uint64_t next;
    int failed;

    if (bench_h2__open(&client, where->address, true))
        return -1;
    bench_sleep_until(bench_now_ns() + SETTLE_NS);
    next = bench_now_ns();
    failed = 0;
    for (int i = 0; i < LATENCY_CALLS + LATENCY_WARM_UP && !failed; i++) {
        uint64_t start;

        next += PACE_NS;
        bench_sleep_until(next);
        bench_call_mrelease();
        start = bench_now_ns();
        failed = await_event(&client, (uint64_t)i + 1);
        if (i >= LATENCY_WARM_UP && !failed)
            bench_samples__add(us, (double)(bench_now_ns() - start) / 1e3);
        if (bench_now_ns() > next + PACE_NS)
            next = bench_now_ns();
    }
    bench_h2__close(&client);
    return failed;
}

static int run_latency(struct bench *bench, bool tcp)
{
    static const double percents[] = { 50, 99, 99.9 };
    static const char *const names[] = { "p50", "p99", "p99_9" };
    struct bench_samples us = { 0 };
    struct bench_program program;
    struct where where;
    char name[64];
    int failed;

    where__open(&where, tcp);
    failed = start(&program, NULL, &where);
    if (!failed)
        failed = measure_latency(&where, &us);
    bench_program__stop(&program, NULL);
    bench_place__close(&where.place);
    for (size_t i = 0; i < 3 && !failed; i++) {
        snprintf(name, sizeof(name), "grpc.%s_latency.%s_us", tcp ? "tcp" : "unix", names[i]);
        bench_result(bench, name, bench_samples__percentile(&us, percents[i]), "us",
                     bench_samples__spread(&us),
                     "return of process_mrelease(-1, 0) to its message at one raw HTTP/2 reader; "
                     "%zu samples at 1 k/s",
                     us.count);
    }
    bench_samples__done(&us);
    return failed;
}

/* -- memory ----------------------------------------------------------------------------------- */

static double anon_kib(pid_t pid)
{
    char path[64], line[256];
    double kib = 0;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status))
        if (!strncmp(line, "RssAnon:", 8))
            kib = strtod(line + 8, NULL);
    if (status)
        fclose(status);
    return kib;
}

static int measure_memory(struct bench *bench, pid_t pid, const struct where *where)
{
    static struct bench_h2 clients[MEMORY_CLIENTS];
    double before = anon_kib(pid), idle;
    unsigned int opened = 0;

    while (opened < MEMORY_CLIENTS && !bench_h2__open(&clients[opened], where->address, false))
        opened++;
    bench_sleep_until(bench_now_ns() + 5ULL * SETTLE_NS);
    idle = anon_kib(pid);
    bench_result(bench, "grpc.memory.idle_client", (idle - before) / opened, "KiB", 0,
                 "growth of RssAnon by %u clients of one stream each, without events", opened);
    for (int i = 0; i < MEMORY_CALLS; i++)
        bench_call_mrelease();
    bench_sleep_until(bench_now_ns() + 5ULL * SETTLE_NS);
    bench_result(bench, "grpc.memory.non_reading_client", (anon_kib(pid) - before) / opened, "KiB",
                 0, "growth of RssAnon by %u clients that read nothing, after %d events", opened,
                 MEMORY_CALLS);
    for (unsigned int i = 0; i < opened; i++)
        bench_h2__close(&clients[i]);
    return opened == MEMORY_CLIENTS ? 0 : -1;
}

static int run_memory(struct bench *bench)
{
    struct bench_program program;
    struct where where;
    int failed;

    where__open(&where, false);
    failed = start(&program, NULL, &where);
    if (!failed)
        failed = measure_memory(bench, program.pid, &where);
    bench_program__stop(&program, NULL);
    bench_place__close(&where.place);
    return failed;
}

/* -- the group -------------------------------------------------------------------------------- */

static int run_rounds(void)
{
    int failed = 0;

    for (int round = 0; round < ROUNDS && !failed; round++) {
        bench_say("grpc: round %d of %d", round + 1, ROUNDS);
        for (unsigned int i = 0; i < STEP_COUNT && !failed; i++) {
            failed = run_step(&steps[i]);
            if (!failed && i == COMPARED && other.binary)
                failed = run_step(&other);
        }
        if (!failed)
            failed = run_peer();
    }
    return failed;
}

static void report_before(struct bench *bench)
{
    if (!other.binary)
        return;
    report_step(bench, &other);
    bench_ratio(bench, "grpc.unix_500k.cpu_of_before", &steps[COMPARED].cpu_s, &other.cpu_s,
                "CPU time per message, of all processes, by that of MRELEASE_BENCH_BEFORE");
}

static void free_step(struct step *step)
{
    bench_samples__done(&step->per_second);
    bench_samples__done(&step->lost);
    bench_samples__done(&step->cpu_s);
}

static void free_samples(void)
{
    for (unsigned int i = 0; i < STEP_COUNT; i++)
        free_step(&steps[i]);
    free_step(&other);
    bench_samples__done(&fifo_cpu_s);
}

static int run(struct bench *bench)
{
    int failed;

    other.binary = getenv("MRELEASE_BENCH_BEFORE");
    bench_pin(bench_load_cpu());
    failed = run_rounds();
    if (!failed) {
        for (unsigned int i = 0; i < STEP_COUNT; i++)
            report_step(bench, &steps[i]);
        bench_median(bench, "grpc.json_fifo.cpu_s_per_million", &fifo_cpu_s, "s",
                     "the peer: the format json at 500 k/s to a FIFO");
        bench_ratio(bench, "grpc.unix_500k.cpu_of_json_fifo", &steps[COMPARED].cpu_s, &fifo_cpu_s,
                    "CPU time per event of grpc to one reader, by that of json to a FIFO");
        report_before(bench);
    }
    if (!failed)
        failed = run_latency(bench, false) || run_latency(bench, true);
    bench_pin(-1);
    if (!failed)
        failed = run_memory(bench);
    free_samples();
    return failed ? -1 : 0;
}

const struct bench_group bench_grpc = {
    "grpc",
    "Events to raw HTTP/2 readers: losses, CPU time, latency, memory of a client.",
    run,
};
