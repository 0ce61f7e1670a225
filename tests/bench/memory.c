// SPDX-License-Identifier: Apache-2.0
/*
 * The group memory: what mrelease keeps resident, idle and in a flood, beside the ring buffers that
 * are mapped. A mapped ring counts twice in VmRSS, because libbpf maps its data twice in a row.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/program.h"

enum {
    IDLE_NS = 300 * 1000 * 1000,
    SAMPLE_NS = 50 * 1000 * 1000,
    FLOOD_SAMPLES = 200,
    QUARTERS = 4,
    MAP_TYPE_RINGBUF = 27, /* enum bpf_map_type */
    CALLS_PER_LOOK = 1000,
};

struct resident {
    double rss_kib, anon_kib;
};

/* The number that follows `key` at the beginning of a line; 0 where there is no such line. */
static double number_of(FILE *file, const char *key)
{
    size_t size = strlen(key);
    double number = 0;
    char line[256];

    rewind(file);
    while (fgets(line, sizeof(line), file))
        if (!strncmp(line, key, size))
            number = strtod(line + size, NULL);
    return number;
}

static struct resident resident_of(pid_t pid)
{
    struct resident resident = { 0 };
    char path[64];
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    status = fopen(path, "re");
    if (!status)
        return resident;
    resident.rss_kib = number_of(status, "VmRSS:");
    resident.anon_kib = number_of(status, "RssAnon:");
    fclose(status);
    return resident;
}

static double ring_of_fd(pid_t pid, const char *fd)
{
    double bytes = 0;
    char path[300];
    FILE *info;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
    info = fopen(path, "re");
    if (!info)
        return 0;
    if (number_of(info, "map_type:") == MAP_TYPE_RINGBUF)
        bytes = number_of(info, "max_entries:");
    fclose(info);
    return bytes;
}

/* Each ring buffer that the process holds, asked from the kernel. */
static double rings_kib(pid_t pid)
{
    struct dirent *entry;
    double bytes = 0;
    char path[64];
    DIR *fds;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
    fds = opendir(path);
    if (!fds)
        return 0;
    while ((entry = readdir(fds)))
        if (entry->d_name[0] != '.')
            bytes += ring_of_fd(pid, entry->d_name);
    closedir(fds);
    return bytes / 1024;
}

/* What was seen while this process calls at full speed: the quarters show whether it is flat. */
struct flood_memory {
    struct resident most;
    struct bench_samples rss_kib[QUARTERS];
};

static void flood(pid_t pid, struct flood_memory *seen)
{
    uint64_t next = bench_now_ns() + SAMPLE_NS;
    struct resident now;

    for (int samples = 0; samples < FLOOD_SAMPLES;) {
        for (int i = 0; i < CALLS_PER_LOOK; i++)
            bench_call_mrelease();
        if (bench_now_ns() < next)
            continue;
        now = resident_of(pid);
        seen->most.rss_kib = now.rss_kib > seen->most.rss_kib ? now.rss_kib : seen->most.rss_kib;
        seen->most.anon_kib =
            now.anon_kib > seen->most.anon_kib ? now.anon_kib : seen->most.anon_kib;
        bench_samples__add(&seen->rss_kib[samples * QUARTERS / FLOOD_SAMPLES], now.rss_kib);
        next += SAMPLE_NS;
        samples++;
    }
}

static void report_quarters(struct bench *bench, const char *prefix, struct flood_memory *seen)
{
    char name[64];

    for (int i = 0; i < QUARTERS; i++) {
        snprintf(name, sizeof(name), "%s.flood_rss_quarter_%d", prefix, i + 1);
        bench_median(bench, name, &seen->rss_kib[i], "KiB",
                     "mrelease run --output json:/dev/null: median of %zu looks at VmRSS in this "
                     "quarter of 10 s of calls at full speed",
                     seen->rss_kib[i].count);
        bench_samples__done(&seen->rss_kib[i]);
    }
}

static void report(struct bench *bench,
                   const char *prefix,
                   struct resident idle,
                   struct resident most,
                   double rings)
{
    const struct {
        const char *name;
        double kib;
        const char *method;
    } rows[] = {
        { "rings", rings, "sum of the ring buffers' sizes, from /proc/PID/fdinfo" },
        { "idle_rss", idle.rss_kib, "VmRSS 0.3 s after the probes were ready" },
        { "idle_anon", idle.anon_kib, "RssAnon 0.3 s after the probes were ready" },
        { "flood_rss", most.rss_kib, "largest VmRSS in 10 s of calls at full speed" },
        { "flood_anon", most.anon_kib, "largest RssAnon in 10 s of calls at full speed" },
        { "limit_rss", 12 * 1024 + 2 * rings, "the design's limit: 12 MiB and twice the rings" },
        { "limit_anon", 8 * 1024, "the design's limit: 8 MiB" },
    };
    char name[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(name, sizeof(name), "%s.%s", prefix, rows[i].name);
        bench_result(bench, name, rows[i].kib, "KiB", 0, "mrelease run --output json:/dev/null: %s",
                     rows[i].method);
    }
}

static int measure(struct bench *bench, const char *prefix, const char *events)
{
    const char *const arguments[] = { "--output", "json:/dev/null", "--events", events, NULL };
    struct flood_memory seen = { 0 };
    struct bench_program program;
    struct resident idle;
    double rings;
    int failed;

    bench_say("memory: events %s", events);
    bench_program__start(&program, bench_program_cpu(), BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed) {
        bench_sleep_until(bench_now_ns() + IDLE_NS);
        idle = resident_of(program.pid);
        rings = rings_kib(program.pid);
        bench_pin(bench_load_cpu());
        flood(program.pid, &seen);
        bench_pin(-1);
        report(bench, prefix, idle, seen.most, rings);
        report_quarters(bench, prefix, &seen);
    }
    bench_program__stop(&program, NULL);
    return failed;
}

static int run(struct bench *bench)
{
    int failed = measure(bench, "memory.default", "default");

    return failed
               ? failed
               : measure(bench, "memory.all", "default,mlock,mlock2,munlock,mlockall,munlockall");
}

const struct bench_group bench_memory = {
    "memory",
    "Resident memory, idle and in a flood, beside the ring buffers.",
    run,
};
