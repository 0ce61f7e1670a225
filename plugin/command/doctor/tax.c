// SPDX-License-Identifier: Apache-2.0
/* What a system call pays that nobody watches: getppid(), with and without probes. */
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "base/clock.h"
#include "command/doctor/doctor.h"

enum { CALLS = 4000, REPEATS = 5, SAMPLES = 3 };

static int compare(const void *one, const void *other)
{
    const double *left = one, *right = other;

    return (*left > *right) - (*left < *right);
}

double mrl_samples__percentile(const struct mrl_samples *samples, double percent)
{
    struct mrl_samples sorted = *samples;
    double place = percent / 100 * (sorted.count ? sorted.count - 1 : 0);
    unsigned int below = (unsigned int)place, above = below + (below + 1 < sorted.count);

    if (!sorted.count)
        return 0;
    qsort(sorted.at, sorted.count, sizeof(sorted.at[0]), compare);
    return sorted.at[below] + (sorted.at[above] - sorted.at[below]) * (place - below);
}

static void add(struct mrl_samples *samples, double sample)
{
    if (samples->count < MRL_SAMPLES_MAX)
        samples->at[samples->count++] = sample;
}

/* CPU time; the least of a few loops, because a call is disturbed upwards only. */
static double ns_per_call(void)
{
    double least = 0;

    for (int repeat = 0; repeat < REPEATS; repeat++) {
        int64_t start = mrl_clock__ns(CLOCK_THREAD_CPUTIME_ID);
        double ns;

        for (int i = 0; i < CALLS; i++)
            syscall(SYS_getppid);
        ns = (double)(mrl_clock__ns(CLOCK_THREAD_CPUTIME_ID) - start) / CALLS;
        least = !repeat || ns < least ? ns : least;
    }
    return least;
}

/* Where the thread stays for as long as it measures. */
static void stay_on(int *cpu, cpu_set_t *ret_before)
{
    cpu_set_t here;

    if (*cpu < 0)
        *cpu = sched_getcpu() < 0 ? 0 : sched_getcpu(); /* a machine may have no such call */
    sched_getaffinity(0, sizeof(*ret_before), ret_before);
    CPU_ZERO(&here);
    CPU_SET((size_t)*cpu, &here);
    sched_setaffinity(0, sizeof(here), &here);
}

double mrl_doctor__time(struct mrl_doctor *doctor, struct mrl_samples *samples, double less_ns)
{
    struct mrl_samples own = { .count = 0 };
    cpu_set_t before;

    stay_on(&doctor->cpu, &before);
    for (int i = 0; i < SAMPLES; i++) {
        add(&own, ns_per_call() - less_ns);
        add(samples, own.at[i]);
    }
    sched_setaffinity(0, sizeof(before), &before);
    return mrl_samples__percentile(&own, 50);
}
