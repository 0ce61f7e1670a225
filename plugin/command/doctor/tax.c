// SPDX-License-Identifier: Apache-2.0
/* What a system call pays that nobody watches: getppid(), with and without probes, in turn. */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "base/clock.h"
#include "command/doctor/doctor.h"

enum { CALLS = 4000, REPEATS = 5, TIME_MS = 7000 };

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
    if (samples->count < MRL_ROUNDS_MAX)
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

static void time_setup(struct mrl_setup *setup, double bare_ns)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_plugin *plugin;
    struct mrl_error error;

    options.rung = setup->rung->name;
    options.coverage = setup->coverage;
    if (!setup->works || mrl_plugin__open(&options, &error, &plugin))
        return;
    add(&setup->added_ns, ns_per_call() - bare_ns);
    mrl_plugin__close(plugin);
}

/* From now on the thread stays where it is: CPUs differ. */
static void stay_here(cpu_set_t *ret_before)
{
    int cpu = sched_getcpu(); /* fails where the machine has no such call */
    cpu_set_t here;

    sched_getaffinity(0, sizeof(*ret_before), ret_before);
    CPU_ZERO(&here);
    CPU_SET((size_t)(cpu < 0 ? 0 : cpu), &here);
    sched_setaffinity(0, sizeof(here), &here);
}

void mrl_doctor__time_setups(struct mrl_doctor *doctor, unsigned int rounds)
{
    int64_t end = mrl_clock__ns(CLOCK_MONOTONIC) + TIME_MS * INT64_C(1000000);
    cpu_set_t before;

    stay_here(&before);
    for (unsigned int i = 0; i < rounds && mrl_clock__ns(CLOCK_MONOTONIC) < end; i++) {
        double bare_ns = ns_per_call();

        add(&doctor->bare_ns, bare_ns);
        for (unsigned int j = 0; j < doctor->setup_count; j++)
            time_setup(&doctor->setups[j], bare_ns);
    }
    sched_setaffinity(0, sizeof(before), &before);
}
