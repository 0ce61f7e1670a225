// SPDX-License-Identifier: Apache-2.0
/*
 * What exhausts the shares of a crowded ring (docs/limits.md): with tables of 256 entries few
 * targets and few owners do, and as many as the formulas say.
 */
#include <abi/share.h>
#include <math.h>
#include <mrelease/mrelease.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "harness.h"
#include "load.h"
#include "probe/sizes.h"
#include "victim.h"

enum {
    ENTRIES = 256,
    RING_BYTES = 128 << 20, /* a sixteenth of it holds what has room */
    ROUND_CALLS = 1000,
    TARGETS_MAX = 256,
    RELEASES = 1024,    /* with each number of targets */
    RINGS = 2,          /* that each number of owners crowds */
    LONG = 2,           /* times as many with time */
    QUIET_OWNERS = 128, /* of each round */
    QUIET_CALLS = 16,   /* of each of them: so four that meet have enough */
    SWEEP_CALLS = 2 * QUIET_CALLS,
    OWNERS_MIN = 8,
    OWNERS_MAX = 256,
    TRIES = 8,
    FIRST_UID = 100000,
};

unsigned int mrl_tables_max = ENTRIES;

static struct mrl_plugin *plugin;
static int held[TARGETS_MAX];
static pid_t targets[TARGETS_MAX];
static uid_t next_uid = FIRST_UID;

static void fail_times(unsigned int times)
{
    while (times--)
        syscall(SYS_process_mrelease, -1, 1);
}

/* Only the real uid of this thread: it keeps its rights. */
static void become(uid_t uid)
{
    assert_int_equal(syscall(SYS_setresuid, uid, -1, -1), 0);
}

static struct mrl_event_counts counts_of(unsigned int event)
{
    struct mrl_event_counts counts;

    assert_int_equal(mrl_plugin__counts(plugin, event, &counts), 0);
    return counts;
}

static uint64_t suppressed(void)
{
    return counts_of(MRL_EVENT_PROCESS_MRELEASE).suppressed;
}

static int64_t tokens_since(int64_t start_ns)
{
    return (mrl_clock__ns(CLOCK_MONOTONIC) - start_ns) / MRL_TOKEN_NS;
}

/* Nobody reads: what has room stays. Beyond seven eighths the tokens of root go, and are back when
 * this returns. */
static void crowd_the_ring(void)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    options.rare_ring_bytes = RING_BYTES;
    options.scopes[0] = live__text("pid=%d", getpid());
    options.scope_count = 1;
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_msg("%s", error.text);
    while (suppressed() < ROUND_CALLS / 2)
        fail_times(ROUND_CALLS);
    live__pause_ms(2 * MRL_TOKENS);
}

/* Below fifteen sixteenths to the end, where a token still counts: else it was not this that was
 * asked. */
static void leave_the_ring(void)
{
    uint64_t before;

    become(0);
    live__pause_ms(2 * MRL_TOKENS);
    before = suppressed();
    fail_times(1);
    assert_int_equal(suppressed(), before);
    mrl_plugin__close(plugin);
}

/* Of a set of `count` with the same chance each, how far the share of many `sets` may be off:
 * `one` and `both` are the chances that one, and that two of a set, have room. */
static double four_sigma(double one, double both, unsigned int count, unsigned int sets)
{
    double variance = one * (1 - one) / count + (1 - 1.0 / count) * (both - one * one);

    return 4 * sqrt(variance / sets);
}

/* The chance that n things thrown into the table leave `places` of it alone. */
static double missed(unsigned int places, unsigned int n)
{
    return pow(1 - (double)places / ENTRIES, n);
}

/* Returns when none was left. */
static int64_t spend_tokens(void)
{
    int64_t start_ns, end_ns;

    do {
        start_ns = mrl_clock__ns(CLOCK_MONOTONIC);
        fail_times(MRL_TOKENS + 2);
        end_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    } while (end_ns - start_ns >= MRL_TOKEN_NS);
    return end_ns;
}

static unsigned int releases(void)
{
    return RELEASES * (load__long() ? LONG : 1);
}

static unsigned int rings(void)
{
    return RINGS * (load__long() ? LONG : 1);
}

/* -- targets ---------------------------------------------------------------------------------- */

static void hold_targets(void)
{
    for (unsigned int i = 0; i < TARGETS_MAX; i++) {
        held[i] = victim__hold_dying(&targets[i]);
        assert_in_range(held[i], 0, INT32_MAX);
    }
}

static void let_targets_go(void)
{
    for (unsigned int i = 0; i < TARGETS_MAX; i++) {
        ptrace(PTRACE_CONT, targets[i], NULL, NULL);
        waitpid(targets[i], NULL, 0);
        close(held[i]);
    }
}

/* How many of them had room. One may have had it by a token that came after all were spent:
 * `tokens` grows by as many as came so, on average. */
static unsigned int release_all(unsigned int count, double *tokens)
{
    uint64_t before = counts_of(MRL_EVENT_DO_MRELEASE).submitted, after;

    for (unsigned int i = 0; i < count; i++) {
        int64_t spent_ns = spend_tokens();

        assert_int_equal(syscall(SYS_process_mrelease, held[i], 0), 0);
        *tokens += fmin(1, (double)(mrl_clock__ns(CLOCK_MONOTONIC) - spent_ns) / MRL_TOKEN_NS);
    }
    after = counts_of(MRL_EVENT_DO_MRELEASE).submitted;
    return (unsigned int)(after - before);
}

/* A release is a first one again when another one took its place in between. Each set is of an
 * owner of its own, and so in places of its own. */
static void assert_targets(unsigned int count)
{
    unsigned int sets = releases() / count, passed = 0;
    double once = missed(1, count - 1), both = (1 - 1.0 / ENTRIES) * missed(2, count - 2);
    double off = four_sigma(once, both, count, sets), share, tokens = 0, ignored = 0;

    crowd_the_ring();
    for (unsigned int set = 0; set < sets; set++) {
        become(next_uid++);
        assert_int_equal(release_all(count, &ignored), count); /* each is the first of its kind */
        usleep((useconds_t)random() % (MRL_TOKEN_NS / 1000));  /* tokens come at no fixed step */
        passed += release_all(count, &tokens);
    }
    leave_the_ring();
    tokens *= once / releases();                     /* the others need none */
    off = hypot(off, 4 * sqrt(tokens / releases())); /* whether one came is chance as well */
    share = (double)passed / releases();
    printf("# %u targets over %d: %.3f pass again, %.3f +- %.3f by the formula, %.3f by a token\n",
           count, ENTRIES, share, 1 - once, off, tokens);
    assert_true(fabs(share - tokens - (1 - once)) <= off);
}

static void targets_exhaust_the_shares_by_the_formula(void **state)
{
    static const unsigned int counts[] = { 8, 32, 128, TARGETS_MAX };

    (void)state;
    live__require();
    hold_targets();
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        assert_targets(counts[i]);
    let_targets_go();
}

/* -- owners ----------------------------------------------------------------------------------- */

/* Where it may: so a round is within its time whatever else the machine does. */
static void hurry(bool hurries)
{
    const struct sched_param param = { .sched_priority = hurries };

    sched_setscheduler(0, hurries ? SCHED_FIFO : SCHED_OTHER, &param);
}

static unsigned int count_held_back(void)
{
    unsigned int held_back = 0;

    for (unsigned int i = 0; i < QUIET_OWNERS; i++) {
        uint64_t before = suppressed();

        become(next_uid++);
        fail_times(QUIET_CALLS);
        held_back += suppressed() > before;
    }
    return held_back;
}

/*
 * `count` owners spend all their tokens, and once more what has come of them meanwhile; then quiet
 * ones make their few calls, before so many have come again. Returns whether all were in time.
 */
static bool flood(unsigned int count, unsigned int *ret_held_back)
{
    int64_t first_ns = mrl_clock__ns(CLOCK_MONOTONIC), last_ns;
    bool spent;

    for (unsigned int i = 0; i < count; i++) {
        become(next_uid + i);
        spend_tokens();
    }
    last_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    for (unsigned int i = 0; i < count; i++) {
        become(next_uid + i);
        fail_times(SWEEP_CALLS);
    }
    spent = tokens_since(first_ns) < SWEEP_CALLS - 1;
    next_uid += count;
    *ret_held_back = count_held_back();
    return spent && tokens_since(last_ns) < QUIET_CALLS - 1;
}

struct flood {
    unsigned int owners;
    unsigned int rounds; /* for which a crowded ring has room */
};

static bool try_rounds(const struct flood *by, unsigned int *ret_held_back)
{
    unsigned int held_back = 0, of_round;
    bool in_time = true;

    crowd_the_ring();
    for (unsigned int round = 0; round < by->rounds; round++) {
        hurry(true);
        in_time &= flood(by->owners, &of_round);
        hurry(false);
        held_back += of_round;
        live__pause_ms(2 * MRL_TOKENS);
    }
    leave_the_ring();
    *ret_held_back = held_back;
    return in_time;
}

/* Rounds that were not in time say nothing, and are made again with other owners. Returns whether
 * some were in time. */
static bool hold_back_in_rounds(const struct flood *by, unsigned int *ret_held_back)
{
    for (unsigned int i = 0; i < TRIES; i++) {
        if (try_rounds(by, ret_held_back))
            return true;
        printf("# a round of %u owners took too long\n", by->owners);
    }
    return false;
}

static bool hold_back_in_rings(const struct flood *by, unsigned int *ret_held_back)
{
    unsigned int of_ring;

    *ret_held_back = 0;
    for (unsigned int ring = 0; ring < rings(); ring++) {
        if (!hold_back_in_rounds(by, &of_ring))
            return false;
        *ret_held_back += of_ring;
    }
    return true;
}

/* By those that a round is about, or by as many as this machine has the time for. */
static unsigned int hold_back(struct flood *by)
{
    unsigned int held_back;

    while (!hold_back_in_rings(by, &held_back)) {
        by->owners = by->owners * 3 / 4;
        assert_in_range(by->owners, OWNERS_MIN, OWNERS_MAX);
    }
    return held_back;
}

static void assert_owners(struct flood by)
{
    double held_back = hold_back(&by), once = missed(1, by.owners);
    double both = once / ENTRIES + (1 - 1.0 / ENTRIES) * missed(2, by.owners);
    double off = four_sigma(once, both, QUIET_OWNERS, rings() * by.rounds);
    double share = held_back / (rings() * by.rounds * QUIET_OWNERS);

    printf("# %u owners over %d: %.3f held back, %.3f +- %.3f by the formula\n", by.owners, ENTRIES,
           share, 1 - once, off);
    assert_true(fabs(share - (1 - once)) <= off);
}

static void owners_exhaust_the_tokens_by_the_formula(void **state)
{
    static const struct flood floods[] = { { OWNERS_MIN, 7 }, { 64, 3 }, { OWNERS_MAX, 1 } };

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(floods); i++)
        assert_owners(floods[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(targets_exhaust_the_shares_by_the_formula),
        LIVE_TEST(owners_exhaust_the_tokens_by_the_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
