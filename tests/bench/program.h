/* SPDX-License-Identifier: Apache-2.0 */
/* The program under test as a child: started, waited for, stopped, its totals read. */
#ifndef MRL_BENCH_PROGRAM_H
#define MRL_BENCH_PROGRAM_H

#include <stdint.h>

#include <sys/types.h>

enum { BENCH_SAID_BYTES = 16 * 1024 };

/** A running mrelease. */
struct bench_program {
    pid_t pid;
    int stdout_fd;      /* reading end; -1: not asked for */
    int stderr_fd;      /* reading end */
    double ready_cpu_s; /* CPU time it took until the probes were ready */
};

/** What it said and cost. */
struct bench_totals {
    uint64_t seen, read, lost; /* of all events together; self calls not in `lost` */
    uint64_t delivered, dropped;
    double cpu_s; /* user and system time, from ready to the end */
    int status;   /* exit status; -1: killed */
};

enum bench_stdout { BENCH_STDOUT_NULL, BENCH_STDOUT_PIPE };

/**
 * Starts `mrelease run ARGUMENTS…` (ended by NULL) pinned to `cpu` (-1: anywhere). It dies with
 * this process. -1 after saying why.
 */
int bench_program__start(struct bench_program *program,
                         int cpu,
                         enum bench_stdout standard_output,
                         const char *const *arguments);

/** The same of another mrelease, at the path `binary`. */
int bench_program__start_as(const char *binary,
                            struct bench_program *program,
                            int cpu,
                            enum bench_stdout standard_output,
                            const char *const *arguments);

/** Waits until the probes are ready. -1 after saying what it said instead. */
int bench_program__wait(struct bench_program *program);

/**
 * Asks it to end, and reads what it says. Kills it after half a minute. `ret_totals` may be NULL.
 */
void bench_program__stop(struct bench_program *program, struct bench_totals *ret_totals);

/** One call of process_mrelease that fails at once. */
void bench_call_mrelease(void);

/** A child of this process that calls it once per millisecond, and dies with it; -1: none. */
pid_t bench_caller__start(void);

/** Kills a child and waits for it; -1 is allowed. */
void bench_child__stop(pid_t pid);

#endif
