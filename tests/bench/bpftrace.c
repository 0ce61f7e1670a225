// SPDX-License-Identifier: Apache-2.0
/*
 * The group bpftrace: the same flood into a file, written by mrelease and by bpftrace in turn.
 * bpftrace prints eight members of the event, where mrelease prints all of them; what is compared
 * is how many arrive, out of the same number of calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/program.h"

enum {
    ROUNDS = 3,
    CALLS = 500 * 1000,
    READY_MS = 20000,
    DRAIN_MS = 1000,
    END_TRY_MS = 200,
    END_TRIES = 100
};

#define PROGRAM                                                                     \
    "BEGIN { @ready = 1; print(@ready); clear(@ready); } "                          \
    "tracepoint:raw_syscalls:sys_exit /pid == %d && args->id == 448/ { "            \
    "printf(\"{\\\"timestamp\\\":%%llu,\\\"processId\\\":%%d,\\\"threadId\\\":%%d," \
    "\\\"userId\\\":%%d,\\\"processName\\\":\\\"%%s\\\",\\\"cgroupId\\\":%%llu,"    \
    "\\\"eventId\\\":\\\"448\\\",\\\"returnValue\\\":%%d}\\n\", "                   \
    "nsecs, pid, tid, uid, comm, cgroup, args->ret); }"

/* -- bpftrace --------------------------------------------------------------------------------- */

static void become_bpftrace(const char *path, pid_t traced)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    char program[1024];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench_program_cpu());
    snprintf(program, sizeof(program), PROGRAM, traced);
    if (nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0)
        execlp("bpftrace", "bpftrace", "-o", path, "-e", program, (char *)NULL);
    _exit(127);
}

static double count_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[512];
    double lines = 0;

    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        lines += line[0] == '{';
    fclose(file);
    return lines;
}

/* Printing a map flushes its file, and it prints only after everything is attached. */
static int wait_until_ready(const char *path, pid_t pid)
{
    uint64_t end = bench_now_ns() + READY_MS * UINT64_C(1000000);
    char line[64];

    while (bench_now_ns() < end && waitpid(pid, NULL, WNOHANG) == 0) {
        FILE *file = fopen(path, "re");
        bool ready = false;

        while (file && !ready && fgets(line, sizeof(line), file))
            ready = !strncmp(line, "@ready", 6);
        if (file)
            fclose(file);
        if (ready)
            return 0;
        poll(NULL, 0, 10);
    }
    return -1;
}

/*
 * bpftrace 0.17 looks whether it was told to end only when a signal breaks its wait: one that comes
 * between two waits is not seen before the next. SIGUSR1 does nothing else to a script like this.
 */
static void end_bpftrace(pid_t pid)
{
    kill(pid, SIGINT);
    for (int tries = 0; tries < END_TRIES; tries++) {
        poll(NULL, 0, END_TRY_MS);
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        kill(pid, SIGUSR1);
    }
    bench_child__stop(pid);
}

static int run_bpftrace(const char *path,
                        struct bench_samples *per_second,
                        struct bench_samples *lost)
{
    struct bench_samples chunks = { 0 };
    pid_t pid = fork();
    double seconds, lines;

    if (!pid)
        become_bpftrace(path, getppid());
    if (pid < 0 || wait_until_ready(path, pid)) {
        bench_say("bpftrace: it does not start here");
        bench_child__stop(pid);
        return -1;
    }
    seconds = bench_produce(bench_call_mrelease, CALLS, 0, &chunks);
    poll(NULL, 0, DRAIN_MS);
    end_bpftrace(pid);
    lines = count_lines(path);
    bench_samples__add(per_second, lines / seconds);
    bench_samples__add(lost, CALLS - lines);
    bench_samples__done(&chunks);
    return 0;
}

/* -- mrelease --------------------------------------------------------------------------------- */

static int run_mrelease(const char *path,
                        struct bench_samples *per_second,
                        struct bench_samples *lost)
{
    char output[128];
    const char *const arguments[] = { "--output", output, "--events", "process_mrelease", NULL };
    struct bench_samples chunks = { 0 };
    struct bench_program program;
    struct bench_totals totals;
    double seconds = 0;
    int failed;

    snprintf(output, sizeof(output), "json:%s", path);
    bench_program__start(&program, bench_program_cpu(), BENCH_STDOUT_NULL, arguments);
    failed = bench_program__wait(&program);
    if (!failed)
        seconds = bench_produce(bench_call_mrelease, CALLS, 0, &chunks);
    bench_program__stop(&program, &totals);
    bench_samples__done(&chunks);
    if (failed || totals.status)
        return -1;
    bench_samples__add(per_second, (double)totals.delivered / seconds);
    bench_samples__add(lost, (double)(totals.lost + totals.dropped));
    return 0;
}

/* -- the group -------------------------------------------------------------------------------- */

struct figures {
    struct bench_samples per_second[2], lost[2]; /* of mrelease, and of bpftrace */
};

static void report(struct bench *bench, const struct figures *figures)
{
    static const char *const names[] = { "mrelease", "bpftrace" };
    char name[64];

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "bpftrace.file_%s.events_per_s", names[i]);
        bench_median(bench, name, &figures->per_second[i], "events/s",
                     "lines in the file per second of the producer's run: %d calls of "
                     "process_mrelease(-1, 0) at full speed, median of %d rounds in turn; %s",
                     CALLS, ROUNDS, bench_cpus());
        snprintf(name, sizeof(name), "bpftrace.file_%s.lost", names[i]);
        bench_median(bench, name, &figures->lost[i], "events", "calls of that run without a line");
    }
    bench_ratio(bench, "bpftrace.ratio", &figures->per_second[0], &figures->per_second[1],
                "lines per second of mrelease over those of bpftrace");
}

static int run_round(struct figures *figures)
{
    struct bench_place place;
    int failed;

    bench_place__open(&place);
    failed = run_mrelease(place.path, &figures->per_second[0], &figures->lost[0]);
    bench_place__close(&place);
    if (failed)
        return failed;
    bench_place__open(&place);
    failed = run_bpftrace(place.path, &figures->per_second[1], &figures->lost[1]);
    bench_place__close(&place);
    return failed;
}

static int run(struct bench *bench)
{
    struct figures figures = { 0 };
    int failed = bench_mount_tracefs();

    if (failed)
        bench_say("bpftrace: tracefs cannot be mounted: %s", strerror(errno));
    bench_pin(bench_load_cpu());
    for (int round = 0; round < ROUNDS && !failed; round++) {
        bench_say("bpftrace: round %d of %d", round + 1, ROUNDS);
        failed = run_round(&figures);
    }
    bench_pin(-1);
    if (!failed)
        report(bench, &figures);
    for (int i = 0; i < 2; i++) {
        bench_samples__done(&figures.per_second[i]);
        bench_samples__done(&figures.lost[i]);
    }
    return failed;
}

const struct bench_group bench_bpftrace = {
    "bpftrace",
    "The same flood into a file, by mrelease and by bpftrace.",
    run,
};
