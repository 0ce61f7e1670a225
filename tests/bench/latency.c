// SPDX-License-Identifier: Apache-2.0
/*
 * The group latency: from the return of a call to its JSON line on a pipe. The peer is a process
 * that only passes a byte from one pipe to another: two wake-ups, which is what the machine charges
 * whoever hands something from one process to the next.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>

#include "bench/bench.h"
#include "bench/program.h"

enum { CALLS = 5000, PEER_CALLS = 2000, WARM_UP = 100, PACE_NS = 1000 * 1000, LINE_MS = 2000 };

static const char *const only_the_call[] = { "--output", "json", "--events", "process_mrelease",
                                             NULL };

/* Waits for the end of a line; -1: none came. */
static int read_line(int fd)
{
    struct pollfd input = { .fd = fd, .events = POLLIN };
    char bytes[4096];
    ssize_t size;

    do {
        if (poll(&input, 1, LINE_MS) != 1)
            return -1;
        size = read(fd, bytes, sizeof(bytes));
    } while (size > 0 && bytes[size - 1] != '\n');
    return size > 0 ? 0 : -1;
}

struct relay {
    int to, from;
    pid_t pid;
};

static void cause_call(const struct relay *relay)
{
    (void)relay;
    bench_call_mrelease();
}

static void cause_byte(const struct relay *relay)
{
    if (write(relay->to, "\n", 1) != 1)
        bench_die("the relay is gone");
}

static int measure(int fd,
                   void (*cause)(const struct relay *relay),
                   const struct relay *relay,
                   int calls,
                   struct bench_samples *us)
{
    uint64_t next = bench_now_ns();

    for (int i = 0; i < calls + WARM_UP; i++) {
        uint64_t start;

        next += PACE_NS;
        bench_sleep_until(next);
        cause(relay);
        start = bench_now_ns();
        if (read_line(fd))
            return -1;
        if (i >= WARM_UP)
            bench_samples__add(us, (double)(bench_now_ns() - start) / 1e3);
        if (bench_now_ns() > next + PACE_NS)
            next = bench_now_ns(); /* a pause is not made up for by a burst */
    }
    return 0;
}

static void pass_on(int from, int to)
{
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench_program_cpu());
    while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
        ;
    _exit(0);
}

static void relay_start(struct relay *relay)
{
    int there[2], back[2];

    if (pipe(there) || pipe(back))
        bench_die("no pipe");
    relay->pid = fork();
    if (!relay->pid) {
        close(there[1]);
        pass_on(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    relay->to = there[1];
    relay->from = back[0];
}

static int measure_peer(struct bench_samples *us)
{
    struct relay relay;
    int failed;

    relay_start(&relay);
    failed = measure(relay.from, cause_byte, &relay, PEER_CALLS, us);
    bench_child__stop(relay.pid);
    close(relay.to);
    close(relay.from);
    return failed;
}

static int measure_program(struct bench_samples *us)
{
    struct bench_program program;
    int failed;

    bench_program__start(&program, bench_program_cpu(), BENCH_STDOUT_PIPE, only_the_call);
    failed = bench_program__wait(&program);
    if (!failed)
        failed = measure(program.stdout_fd, cause_call, NULL, CALLS, us);
    bench_program__stop(&program, NULL);
    return failed;
}

static void report(struct bench *bench,
                   const char *what,
                   const struct bench_samples *us,
                   const char *method)
{
    static const struct {
        const char *name;
        double percent;
    } rows[] = { { "p50", 50 }, { "p99", 99 }, { "p99_9", 99.9 } };
    char name[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(name, sizeof(name), "latency.%s.%s_us", what, rows[i].name);
        bench_result(bench, name, bench_samples__percentile(us, rows[i].percent), "us",
                     bench_samples__spread(us), "%s; %zu samples at 1 k/s; %s", method, us->count,
                     bench_cpus());
    }
}

static int run(struct bench *bench)
{
    struct bench_samples program = { 0 }, peer = { 0 };
    int failed;

    bench_say("latency: %d calls, and %d of the peer", CALLS, PEER_CALLS);
    bench_pin(bench_load_cpu());
    failed = measure_peer(&peer);
    if (!failed)
        failed = measure_program(&program);
    bench_pin(-1);
    if (failed) {
        bench_say("latency: no line came");
    } else {
        report(bench, "line", &program,
               "return of process_mrelease(-1, 0) to its JSON line read from a pipe");
        report(
            bench, "relay", &peer,
            "a byte written to a pipe, passed on by a process that does nothing else, read back");
    }
    bench_samples__done(&program);
    bench_samples__done(&peer);
    return failed ? -1 : 0;
}

const struct bench_group bench_latency = {
    "latency",
    "Return of a call to its JSON line on a pipe, beside a bare relay.",
    run,
};
