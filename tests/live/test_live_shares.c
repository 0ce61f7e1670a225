// SPDX-License-Identifier: Apache-2.0
/*
 * What exhausts the shares of a crowded ring (docs/limits.md): with tables of 256 entries few
 * targets do, and as many as the formula says.
 */
#include <math.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "harness.h"
#include "probe/sizes.h"
#include "victim.h"

enum {
    ENTRIES = 256,
    RING_BYTES = 32 << 20,
    ROUND_CALLS = 1000,
    TARGETS_MAX = 256,
};

unsigned int mrl_tables_max = ENTRIES;

static struct mrl_plugin *plugin;
static int held[TARGETS_MAX];
static pid_t targets[TARGETS_MAX];

static void fail_times(unsigned int times)
{
    while (times--)
        syscall(SYS_process_mrelease, -1, 1);
}

static struct mrl_event_counts counts_of(unsigned int event)
{
    struct mrl_event_counts counts;

    assert_int_equal(mrl_plugin__counts(plugin, event, &counts), 0);
    return counts;
}

/* Nobody reads: what is not given back stays. Beyond seven eighths the tokens of this process go.
 */
static void crowd_the_ring(void)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    options.rare_ring_bytes = RING_BYTES;
    options.scopes[0] = live__text("pid=%d", getpid());
    options.scope_count = 1;
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_msg("%s", error.text);
    while (counts_of(MRL_EVENT_PROCESS_MRELEASE).suppressed < ROUND_CALLS / 2)
        fail_times(ROUND_CALLS);
    assert_int_equal(counts_of(MRL_EVENT_PROCESS_MRELEASE).refused, 0);
}

static void leave_the_ring(void)
{
    /* Below fifteen sixteenths to the end: else it was not this that was asked. */
    assert_int_equal(counts_of(MRL_EVENT_PROCESS_MRELEASE).refused, 0);
    mrl_plugin__close(plugin);
}

/* The chance that n things thrown into a table hit a certain place. */
static double chance(unsigned int n)
{
    return 1 - pow(1 - 1.0 / ENTRIES, n);
}

/* Of `count` things with the same chance each, some of which depend on each other: four times as
 * far off as they are now and then. */
static double margin(double chance, unsigned int count)
{
    return 4 * sqrt(2 * chance * (1 - chance) / count);
}

static unsigned int release_all(unsigned int count, unsigned int rounds)
{
    uint64_t before = counts_of(MRL_EVENT_DO_MRELEASE).submitted;

    for (unsigned int round = 0; round < rounds; round++)
        for (unsigned int i = 0; i < count; i++)
            assert_int_equal(syscall(SYS_process_mrelease, held[i], 0), 0);
    return (unsigned int)(counts_of(MRL_EVENT_DO_MRELEASE).submitted - before);
}

static void hold_targets(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        held[i] = victim__hold_dying(&targets[i]);
        assert_in_range(held[i], 0, INT32_MAX);
    }
}

static void let_targets_go(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        ptrace(PTRACE_CONT, targets[i], NULL, NULL);
        waitpid(targets[i], NULL, 0);
        close(held[i]);
    }
}

/* A release is a first one again when another one took its place in between. */
static void assert_targets(unsigned int count)
{
    unsigned int rounds = 1000 / count, passed;
    double share, expected = chance(count - 1);
    int64_t start_ns, spent_ms;

    crowd_the_ring();
    hold_targets(count);
    fail_times(ROUND_CALLS); /* what has come of tokens since */
    start_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    assert_in_range(release_all(count, 1), count, count); /* each is the first of its kind */
    passed = release_all(count, rounds);
    spent_ms = (mrl_clock__ns(CLOCK_MONOTONIC) - start_ns) / 1000000;
    share = (double)passed / (count * rounds);
    printf("# %u targets over %d: %.3f pass again, %.3f by the formula; %lld ms\n", count, ENTRIES,
           share, expected, (long long)spent_ms);
    assert_true(share >= expected - margin(expected, count));
    assert_true(share <= expected + margin(expected, count) +
                             (double)(spent_ms + 1) / (count * rounds)); /* with a token each */
    let_targets_go(count);
    leave_the_ring();
}

static void targets_exhaust_the_shares_by_the_formula(void **state)
{
    static const unsigned int counts[] = { 8, 32, 128, TARGETS_MAX };

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        assert_targets(counts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(targets_exhaust_the_shares_by_the_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
