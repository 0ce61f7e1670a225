// SPDX-License-Identifier: Apache-2.0
/* The group start: from the start of the program to its first event. */
#include <poll.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/program.h"

enum { ROUNDS = 10, FIRST_MS = 15000 };

static const char *const json_to_stdout[] = { "--output", "json", NULL };

/* ms, or -1. */
static double start_once(void)
{
    struct pollfd line = { .events = POLLIN };
    struct bench_program program;
    uint64_t start = bench_now_ns();
    double ms = -1;

    bench_program__start(&program, -1, BENCH_STDOUT_PIPE, json_to_stdout);
    line.fd = program.stdout_fd;
    if (poll(&line, 1, FIRST_MS) == 1 && (line.revents & POLLIN))
        ms = (double)(bench_now_ns() - start) / 1e6;
    bench_program__stop(&program, NULL);
    return ms;
}

static int run(struct bench *bench)
{
    pid_t caller = bench_caller__start();
    struct bench_samples ms = { 0 };
    int failed = 0;

    bench_say("start: %d starts", ROUNDS);
    for (int i = 0; i < ROUNDS && !failed; i++) {
        double once = start_once();

        failed = once < 0;
        bench_samples__add(&ms, once);
    }
    bench_child__stop(caller);
    if (failed)
        bench_say("start: no event came");
    else
        bench_median(bench, "start.first_event.ms", &ms, "ms",
                     "fork of 'mrelease run' to its first line readable on stdout, while a process "
                     "calls process_mrelease(-1, 0) at 1 kHz; p50 of %d",
                     ROUNDS);
    bench_samples__done(&ms);
    return failed ? -1 : 0;
}

const struct bench_group bench_start = {
    "start",
    "From the start of mrelease run to the first event on stdout.",
    run,
};
