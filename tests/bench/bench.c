// SPDX-License-Identifier: Apache-2.0
/* Samples, rounds and the clock. */
#include "bench/bench.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -- words ------------------------------------------------------------------------------------ */

void bench_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void bench_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

/* -- samples ---------------------------------------------------------------------------------- */

void bench_samples__add(struct bench_samples *samples, double value)
{
    if (samples->count == samples->room) {
        samples->room = samples->room ? samples->room * 2 : 32;
        samples->values = realloc(samples->values, samples->room * sizeof(*samples->values));
        if (!samples->values)
            bench_die("out of memory");
    }
    samples->values[samples->count++] = value;
}

void bench_samples__done(struct bench_samples *samples)
{
    free(samples->values);
    *samples = (struct bench_samples){ 0 };
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double bench_samples__percentile(const struct bench_samples *samples, double percent)
{
    double *sorted, value, rank;
    size_t below;

    if (!samples->count)
        return 0;
    sorted = malloc(samples->count * sizeof(*sorted));
    if (!sorted)
        bench_die("out of memory");
    memcpy(sorted, samples->values, samples->count * sizeof(*sorted));
    qsort(sorted, samples->count, sizeof(*sorted), by_value);
    rank = percent / 100 * (double)(samples->count - 1);
    below = (size_t)rank;
    value = sorted[below];
    if (below + 1 < samples->count)
        value += (rank - (double)below) * (sorted[below + 1] - value);
    free(sorted);
    return value;
}

double bench_samples__spread(const struct bench_samples *samples)
{
    return bench_samples__percentile(samples, 75) - bench_samples__percentile(samples, 25);
}

/* -- the clock -------------------------------------------------------------------------------- */

uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_sleep_until(uint64_t ns)
{
    struct timespec until = { .tv_sec = (time_t)(ns / 1000000000),
                              .tv_nsec = (long)(ns % 1000000000) };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* -- rounds ----------------------------------------------------------------------------------- */

static double time_one(const struct bench_subject *subject, uint64_t slice_ns)
{
    uint64_t start = bench_now_ns(), now, runs = 0;

    do {
        subject->run(subject->context);
        runs++;
        now = bench_now_ns();
    } while (now - start < slice_ns);
    return (double)(now - start) / (double)(runs * subject->operations);
}

void bench_rounds(struct bench_subject *subjects,
                  size_t count,
                  unsigned int rounds,
                  uint64_t slice_ns)
{
    for (unsigned int round = 0; round <= rounds; round++)
        for (size_t i = 0; i < count; i++) {
            double ns = time_one(&subjects[i], slice_ns);

            if (round)
                bench_samples__add(&subjects[i].ns, ns);
        }
}

/* -- CPUs ------------------------------------------------------------------------------------- */

static int cpu_at(unsigned int wanted)
{
    /* Of the process, not of the calling thread: that one may be pinned already. */
    static cpu_set_t allowed;
    unsigned int seen = 0;
    int found = -1;

    if (!CPU_COUNT(&allowed))
        sched_getaffinity(getpid(), sizeof(allowed), &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && seen <= wanted; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed)) {
            found = cpu;
            seen++;
        }
    return found;
}

int bench_load_cpu(void)
{
    return cpu_at(0);
}

int bench_program_cpu(void)
{
    return cpu_at(1);
}

const char *bench_cpus(void)
{
    return bench_load_cpu() == bench_program_cpu()
               ? "load and mrelease share the only CPU"
               : "load and mrelease each pinned to a CPU of its own";
}

void bench_pin(int cpu)
{
    static cpu_set_t before;
    cpu_set_t only;

    (void)cpu_at(0); /* remembers what is allowed before it is narrowed */
    if (!CPU_COUNT(&before))
        sched_getaffinity(0, sizeof(before), &before);
    CPU_ZERO(&only);
    if (cpu >= 0)
        CPU_SET((size_t)cpu, &only);
    sched_setaffinity(0, sizeof(only), cpu >= 0 ? &only : &before);
}
