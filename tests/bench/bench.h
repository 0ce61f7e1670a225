/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks share: rounds that take turns with a peer, the median and spread of their
 * samples, and results that carry how they were measured. Programming errors and a machine without
 * memory end the program: a benchmark has nobody to hand them to.
 */
#ifndef MRL_BENCH_BENCH_H
#define MRL_BENCH_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One run of the program. */
struct bench {
    json_t *results; /* array, in the order of measuring */
};

/** A group of figures. Returns 0, or -1 after saying on stderr what is missing. */
struct bench_group {
    const char *name;
    const char *doc;
    int (*run)(struct bench *bench);
};

extern const struct bench_group bench_encode, bench_start, bench_memory, bench_flood, bench_tax,
    bench_latency, bench_bpftrace, bench_validate, bench_protobuf, bench_falco, bench_grpc,
    bench_paced, bench_identity, bench_spool, bench_metrics, bench_names;

/* -- samples ---------------------------------------------------------------------------------- */

/** Numbers in the order in which they were measured. Zeroed: empty. */
struct bench_samples {
    double *values;
    size_t count, room;
};

void bench_samples__add(struct bench_samples *samples, double value);

void bench_samples__done(struct bench_samples *samples);

/** The sample below which `percent` of them lie; 0 when there are none. */
double bench_samples__percentile(const struct bench_samples *samples, double percent);

/** The distance between the quartiles. */
double bench_samples__spread(const struct bench_samples *samples);

/* -- rounds ----------------------------------------------------------------------------------- */

/** Something whose time is measured: `run` does `operations` of it. */
struct bench_subject {
    void (*run)(void *context);
    void *context;
    unsigned int operations;
    struct bench_samples ns; /* per operation, one sample per round */
};

/**
 * Measures all subjects in turn, `rounds` times, each for at least `slice_ns` of CPU time; one
 * round before them warms up and is not kept.
 */
void bench_rounds(struct bench_subject *subjects,
                  size_t count,
                  unsigned int rounds,
                  uint64_t slice_ns);

/** CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/**
 * CPU time of the calling thread: what a loop costs, whoever else takes the CPU meanwhile. A call
 * of it costs some 0.2 us.
 */
uint64_t bench_cpu_ns(void);

/** Sleeps until a time of CLOCK_MONOTONIC. */
void bench_sleep_until(uint64_t ns);

/** Keeps the calling thread on a CPU; -1: on any. Does nothing on a machine with one CPU. */
void bench_pin(int cpu);

/** CPU of the load, and that of the program under test: the same where there is only one. */
int bench_load_cpu(void);
int bench_program_cpu(void);

/** A phrase about the two, for methods. */
const char *bench_cpus(void);

/**
 * Mounts tracefs where it is not, in a mount namespace of this process's own: the host's stays as
 * it is. -1 with errno.
 */
int bench_mount_tracefs(void);

/* -- results ---------------------------------------------------------------------------------- */

/** Adds a figure; `method` says how it was measured. */
__attribute__((format(printf, 6, 7))) void bench_result(struct bench *bench,
                                                        const char *name,
                                                        double value,
                                                        const char *unit,
                                                        double spread,
                                                        const char *method,
                                                        ...);

/** Adds median and spread of samples. */
__attribute__((format(printf, 5, 6))) void bench_median(struct bench *bench,
                                                        const char *name,
                                                        const struct bench_samples *samples,
                                                        const char *unit,
                                                        const char *method,
                                                        ...);

/** Adds the median of the ratios of samples that were taken in the same rounds. */
void bench_ratio(struct bench *bench,
                 const char *name,
                 const struct bench_samples *of,
                 const struct bench_samples *to,
                 const char *method);

/** The same of their differences. */
void bench_difference(struct bench *bench,
                      const char *name,
                      const struct bench_samples *of,
                      const struct bench_samples *to,
                      const char *unit,
                      const char *method);

/** A line about progress, on stderr. */
__attribute__((format(printf, 1, 2))) void bench_say(const char *format, ...);

/** Says why, and ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) void bench_die(const char *format, ...);

/** Prints the results to stdout. */
void bench_print_table(const struct bench *bench);
void bench_print_json(const struct bench *bench);

#endif
