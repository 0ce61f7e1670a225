// SPDX-License-Identifier: Apache-2.0
/*
 * The group flood: one producer at full speed, or paced for a file, and what arrives. Each run
 * starts mrelease anew; the totals that it prints say what was lost.
 */
#include <stdio.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/program.h"

enum {
    FULL_CALLS = 3000 * 1000,
    PACED_CALLS = 2000 * 1000,
    PACE_PER_MS = 500,
    BARE_CALLS = 1000 * 1000,
    ROUNDS = 3
};

static void call_mlock(void)
{
    syscall(SYS_mlock, -1L, -1L);
}

/* -- one run ---------------------------------------------------------------------------------- */

/* Where to: an output, a file in a fresh directory, or a recording beside the format none. */
enum destination { TO_NONE, TO_NULL, TO_FIFO, TO_FILE, RECORD_NULL, RECORD_FILE };

struct flood {
    const char *name;
    const char *events;
    enum destination to;
    void (*call)(void);
    int calls;
    bool paced, once;
    const char *ring; /* NULL: as large as it is by default */
    const char *method;
    struct bench_samples per_second, call_ns, cpu_s, lost, reader_cpu_s;
};

/* Of the two outputs of a recording, the totals are of both. */
static bool is_recording(const struct flood *flood)
{
    return flood->to == RECORD_NULL || flood->to == RECORD_FILE;
}

static int run_once(struct flood *flood, const char *path)
{
    const bool records = is_recording(flood);
    char output[128], recording[128];
    const char *const arguments[] = { "--events",
                                      flood->events,
                                      "--ring",
                                      flood->ring ? flood->ring : "8M",
                                      "--output",
                                      output,
                                      records ? "--record" : NULL,
                                      recording,
                                      NULL };
    struct bench_program program;
    struct bench_totals totals;
    double seconds = 0;
    int failed;

    snprintf(output, sizeof(output), "%s%s",
             records || !path ? "none" : "json:", records || !path ? "" : path);
    snprintf(recording, sizeof(recording), "policy=block:%s", path ? path : "");
    bench_program__start(&program, bench_program_cpu(), BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed)
        seconds = bench_produce(flood->call, flood->calls, flood->paced ? PACE_PER_MS : 0,
                                &flood->call_ns);
    bench_program__stop(&program, &totals);
    if (failed || totals.status) {
        bench_say("flood: %s: mrelease ended with status %d", flood->name, totals.status);
        return -1;
    }
    if (records)
        totals.delivered -= totals.read; /* what the format none got */
    bench_samples__add(&flood->per_second, (double)totals.delivered / seconds);
    bench_samples__add(&flood->cpu_s, totals.cpu_s * 1e6 / (double)totals.delivered);
    bench_samples__add(&flood->lost, (double)(totals.lost + totals.dropped));
    if (totals.delivered + totals.lost + totals.dropped < (uint64_t)flood->calls)
        bench_say("flood: %s: %d calls, %llu delivered, %llu lost: the rest is not accounted for",
                  flood->name, flood->calls, (unsigned long long)totals.delivered,
                  (unsigned long long)(totals.lost + totals.dropped));
    return 0;
}

static int read_to_end(struct flood *flood, struct bench_place *place)
{
    uint64_t lines = 0;
    double cpu_s = bench_place__read_to_end(place, &lines);

    if (cpu_s < 0 || !lines) {
        bench_say("flood: %s: its reader found no end", flood->name);
        return -1;
    }
    bench_samples__add(&flood->reader_cpu_s, cpu_s * 1e6 / (double)lines);
    return 0;
}

static int run_to(struct flood *flood)
{
    struct bench_place place;
    int failed;

    if (flood->to == TO_NONE)
        return run_once(flood, NULL);
    if (flood->to == TO_NULL || flood->to == RECORD_NULL)
        return run_once(flood, "/dev/null");
    bench_place__open(&place);
    if (flood->to == TO_FIFO)
        bench_place__fifo(&place);
    failed = run_once(flood, place.path);
    if (!failed && flood->to == TO_FIFO)
        failed = read_to_end(flood, &place);
    bench_place__close(&place);
    return failed;
}

/* -- the group -------------------------------------------------------------------------------- */

static void report(struct bench *bench, const struct flood *flood)
{
    const struct {
        const char *name, *unit;
        const struct bench_samples *samples;
        const char *method;
    } rows[] = {
        { "events_per_s", "events/s", &flood->per_second,
          "events delivered per second of the producer's run" },
        { "lost", "events", &flood->lost,
          "lost and dropped, from the totals that mrelease prints" },
        { "call_ns", "ns", &flood->call_ns, "CPU time of the producer per call, by chunks" },
        { "cpu_s_per_million", "s", &flood->cpu_s,
          "user and system time of mrelease, from ready to end" },
        { "reader_cpu_s_per_million", "s", &flood->reader_cpu_s,
          "user and system time of the reader, per million lines" },
    };
    char name[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].samples->count)
            continue;
        snprintf(name, sizeof(name), "flood.%s.%s", flood->name, rows[i].name);
        bench_median(bench, name, rows[i].samples, rows[i].unit,
                     "%s: %s; median of %zu, %d runs of %d calls; %s", flood->method,
                     rows[i].method, rows[i].samples->count, (int)flood->lost.count, flood->calls,
                     bench_cpus());
    }
}

static void report_bare(struct bench *bench, const struct bench_samples *ns, const char *what)
{
    char name[64];

    snprintf(name, sizeof(name), "flood.untraced_%s.call_ns", what);
    bench_median(bench, name, ns, "ns",
                 "the same call at full speed while mrelease does not run (CPU time)");
}

/* What is measured, and the samples. The group runs once. */
static struct flood floods[] = {
    { .name = "none",
      .events = "default",
      .to = TO_NONE,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .method = "process_mrelease(-1, 0) to the format none" },
    { .name = "null",
      .events = "default",
      .to = TO_NULL,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .method = "process_mrelease(-1, 0) to json:/dev/null" },
    { .name = "fifo",
      .events = "default",
      .to = TO_FIFO,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .method = "process_mrelease(-1, 0) to a FIFO; its reader, on mrelease's CPU too, "
                "counts lines" },
    { .name = "mlock",
      .events = "mlock*",
      .to = TO_NONE,
      .call = call_mlock,
      .calls = FULL_CALLS,
      .method = "mlock(-1, -1) to the format none" },
    { .name = "file",
      .events = "default",
      .to = TO_FILE,
      .call = bench_call_mrelease,
      .calls = PACED_CALLS,
      .paced = true,
      .once = true,
      .method = "process_mrelease(-1, 0) at 500 k/s to a file on disk" },
    { .name = "file_64m",
      .events = "default",
      .to = TO_FILE,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .paced = true,
      .once = true,
      .ring = "64M",
      .method = "process_mrelease(-1, 0) at 500 k/s to a file on disk, --ring 64M" },
    { .name = "file_full",
      .events = "default",
      .to = TO_FILE,
      .call = bench_call_mrelease,
      .calls = PACED_CALLS,
      .once = true,
      .method = "process_mrelease(-1, 0) at full speed to a file on disk" },
    { .name = "record_null",
      .events = "default",
      .to = RECORD_NULL,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .once = true,
      .method =
          "process_mrelease(-1, 0) to --record policy=block:/dev/null, beside the format none" },
    { .name = "record_file",
      .events = "default",
      .to = RECORD_FILE,
      .call = bench_call_mrelease,
      .calls = FULL_CALLS,
      .once = true,
      .method =
          "process_mrelease(-1, 0) to --record policy=block:FILE on disk, beside the format none" },
};

enum { FLOOD_COUNT = sizeof(floods) / sizeof(floods[0]) };

/* The calls themselves, without any sensor. */
struct bare {
    struct bench_samples mrelease, mlock;
};

static int measure_round(int round, struct bare *bare)
{
    int failed = 0;

    bench_say("flood: round %d of %d", round + 1, ROUNDS);
    bench_produce(bench_call_mrelease, BARE_CALLS, 0, &bare->mrelease);
    bench_produce(call_mlock, BARE_CALLS, 0, &bare->mlock);
    for (unsigned int i = 0; i < FLOOD_COUNT && !failed; i++)
        if (!floods[i].once || round == ROUNDS - 1) /* gigabytes are written once */
            failed = run_to(&floods[i]);
    return failed;
}

static void report_all(struct bench *bench, const struct bare *bare)
{
    report_bare(bench, &bare->mrelease, "mrelease");
    report_bare(bench, &bare->mlock, "mlock");
    for (unsigned int i = 0; i < FLOOD_COUNT; i++)
        report(bench, &floods[i]);
}

static void free_samples(struct bare *bare)
{
    for (unsigned int i = 0; i < FLOOD_COUNT; i++) {
        bench_samples__done(&floods[i].per_second);
        bench_samples__done(&floods[i].call_ns);
        bench_samples__done(&floods[i].cpu_s);
        bench_samples__done(&floods[i].lost);
        bench_samples__done(&floods[i].reader_cpu_s);
    }
    bench_samples__done(&bare->mrelease);
    bench_samples__done(&bare->mlock);
}

static int run(struct bench *bench)
{
    struct bare bare = { 0 };
    int failed = 0;

    bench_pin(bench_load_cpu());
    for (int round = 0; round < ROUNDS && !failed; round++)
        failed = measure_round(round, &bare);
    bench_pin(-1);
    if (!failed)
        report_all(bench, &bare);
    free_samples(&bare);
    return failed;
}

const struct bench_group bench_flood = {
    "flood",
    "A producer at full speed: events per second, losses, cost of a call.",
    run,
};
