// SPDX-License-Identifier: Apache-2.0
/*
 * The group flood: one producer at full speed, or paced for a file, and what arrives. Each run
 * starts mrelease anew; the totals that it prints say what was lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bench/bench.h"
#include "bench/program.h"

enum {
    FULL_CALLS = 3000 * 1000,
    PACED_CALLS = 2000 * 1000,
    PACE_PER_MS = 500,
    CHUNK_CALLS = 5000,
    BARE_CALLS = 1000 * 1000,
    ROUNDS = 3
};

/* -- producers -------------------------------------------------------------------------------- */

static void call_mlock(void)
{
    syscall(SYS_mlock, -1L, -1L);
}

/*
 * Returns the seconds that it took. Adds the time per call of each chunk to `chunk_ns`: their
 * median holds on a machine where others take the CPU now and then.
 */
static double produce(void (*call)(void), int calls, bool paced, struct bench_samples *chunk_ns)
{
    uint64_t start = bench_now_ns(), next = start, before = start, now = start;
    int chunk = paced ? PACE_PER_MS : CHUNK_CALLS;

    for (int done = 0; done < calls; done += chunk) {
        for (int i = 0; i < chunk; i++)
            call();
        now = bench_now_ns();
        bench_samples__add(chunk_ns, (double)(now - before) / chunk);
        next += 1000000;
        if (paced)
            bench_sleep_until(next);
        before = paced ? bench_now_ns() : now;
    }
    return (double)(now - start) / 1e9;
}

/* -- destinations ----------------------------------------------------------------------------- */

/* A directory for what is made here, and the reader of a FIFO. */
struct place {
    char folder[64];
    char path[96];
    pid_t reader;
};

static void place_open(struct place *place)
{
    const char *folder = getenv("TMPDIR");

    *place = (struct place){ .reader = -1 };
    snprintf(place->folder, sizeof(place->folder), "%.40s/mrelease-bench-XXXXXX",
             folder && *folder ? folder : "/var/tmp");
    if (!mkdtemp(place->folder))
        bench_die("%s: %s", place->folder, strerror(errno));
    snprintf(place->path, sizeof(place->path), "%s/events", place->folder);
}

static void read_all(const char *path)
{
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench_program_cpu());
    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(1);
    execlp("cat", "cat", (char *)NULL);
    _exit(127);
}

static void place_fifo(struct place *place)
{
    if (mkfifo(place->path, 0600))
        bench_die("%s: %s", place->path, strerror(errno));
    place->reader = fork();
    if (!place->reader)
        read_all(place->path);
}

static void place_close(struct place *place)
{
    bench_child__stop(place->reader);
    unlink(place->path);
    rmdir(place->folder);
}

/* -- one run ---------------------------------------------------------------------------------- */

enum destination { TO_NONE, TO_NULL, TO_FIFO, TO_FILE };

struct flood {
    const char *name;
    const char *events;
    enum destination to;
    void (*call)(void);
    int calls;
    bool paced;
    const char *method;
    struct bench_samples per_second, call_ns, cpu_s, lost;
};

static int run_once(struct flood *flood, const char *output)
{
    const char *const arguments[] = { "--output", output, "--events", flood->events, NULL };
    struct bench_program program;
    struct bench_totals totals;
    double seconds = 0;
    int failed;

    bench_program__start(&program, bench_program_cpu(), BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed)
        seconds = produce(flood->call, flood->calls, flood->paced, &flood->call_ns);
    bench_program__stop(&program, &totals);
    if (failed || totals.status) {
        bench_say("flood: %s: mrelease ended with status %d", flood->name, totals.status);
        return -1;
    }
    bench_samples__add(&flood->per_second, (double)totals.delivered / seconds);
    bench_samples__add(&flood->cpu_s, totals.cpu_s * 1e6 / (double)totals.delivered);
    bench_samples__add(&flood->lost, (double)(totals.lost + totals.dropped));
    if (totals.delivered + totals.lost + totals.dropped < (uint64_t)flood->calls)
        bench_say("flood: %s: %d calls, %llu delivered, %llu lost: the rest is not accounted for",
                  flood->name, flood->calls, (unsigned long long)totals.delivered,
                  (unsigned long long)(totals.lost + totals.dropped));
    return 0;
}

static int run_to(struct flood *flood)
{
    struct place place;
    char output[128];
    int failed;

    if (flood->to == TO_NONE)
        return run_once(flood, "none");
    if (flood->to == TO_NULL)
        return run_once(flood, "json:/dev/null");
    place_open(&place);
    if (flood->to == TO_FIFO)
        place_fifo(&place);
    snprintf(output, sizeof(output), "json:%s", place.path);
    failed = run_once(flood, output);
    place_close(&place);
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
        { "call_ns", "ns", &flood->call_ns,
          "time per call of each chunk of calls without a pause" },
        { "cpu_s_per_million", "s", &flood->cpu_s,
          "user and system time of mrelease, from ready to end" },
    };
    char name[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
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
    bench_median(bench, name, ns, "ns", "the same call at full speed while mrelease does not run");
}

static int run(struct bench *bench)
{
    struct flood floods[] = {
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
          .method = "process_mrelease(-1, 0) to a FIFO read by cat on mrelease's CPU" },
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
          .method = "process_mrelease(-1, 0) at 500 k/s to a file on disk" },
    };
    enum { COUNT = sizeof(floods) / sizeof(floods[0]) };
    struct bench_samples bare_mrelease = { 0 }, bare_mlock = { 0 };
    int failed = 0;

    bench_pin(bench_load_cpu());
    for (int round = 0; round < ROUNDS && !failed; round++) {
        bench_say("flood: round %d of %d", round + 1, ROUNDS);
        produce(bench_call_mrelease, BARE_CALLS, false, &bare_mrelease);
        produce(call_mlock, BARE_CALLS, false, &bare_mlock);
        for (unsigned int i = 0; i < COUNT && !failed; i++)
            if (!floods[i].paced || round == ROUNDS - 1) /* a gigabyte and a half is written once */
                failed = run_to(&floods[i]);
    }
    bench_pin(-1);
    if (!failed) {
        report_bare(bench, &bare_mrelease, "mrelease");
        report_bare(bench, &bare_mlock, "mlock");
    }
    for (unsigned int i = 0; i < COUNT; i++) {
        if (!failed)
            report(bench, &floods[i]);
        bench_samples__done(&floods[i].per_second);
        bench_samples__done(&floods[i].call_ns);
        bench_samples__done(&floods[i].cpu_s);
        bench_samples__done(&floods[i].lost);
    }
    bench_samples__done(&bare_mrelease);
    bench_samples__done(&bare_mlock);
    return failed;
}

const struct bench_group bench_flood = {
    "flood",
    "A producer at full speed: events per second, losses, cost of a call.",
    run,
};
