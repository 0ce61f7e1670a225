// SPDX-License-Identifier: Apache-2.0
/* The ladder: which rung is taken, what each one sees, and that combined ones see nothing twice. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "harness.h"

#define ALL_EVENTS "process_mrelease,mlock*,munlock*"

static const char *const ladder[] = { "fentry", "kprobe", "tracepoint", "tp_btf", "raw_tp" };
static const char *const functions[] = { "fentry", "kprobe" };

/* -- which rung ------------------------------------------------------------------------------- */

static void rungs_that_this_kernel_offers_work(void **state)
{
    const char *offered = getenv("MRELEASE_TEST_RUNGS");

    (void)state;
    live__require();
    if (!offered) {
        puts("# skipped: MRELEASE_TEST_RUNGS does not say which rungs this kernel offers");
        skip();
    }
    live__private_mounts();
    for (size_t i = 0; i < COUNT_OF(ladder); i++)
        if (live__works(ladder[i]) != !!strstr(offered, ladder[i]))
            fail_msg("rung %s: 'works' is not what '%s' says", ladder[i], offered);
}

/* By default a rung must see 32-bit calls, which the classic tracepoints do not. */
static const char *cheapest(void)
{
    for (size_t i = 0; i < COUNT_OF(ladder); i++)
        if (strcmp(ladder[i], "tracepoint") != 0 && live__works(ladder[i]))
            return ladder[i];
    fail_msg("no rung works");
    return NULL;
}

static void auto_takes_the_cheapest_that_works(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--rung", "auto", "--output", "none");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_non_null(strstr(sensor__stderr(&sensor), live__text(", with %s\n", cheapest())));
}

static void a_rung_that_does_not_work_says_why(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (live__works(functions[i]))
            continue;
        assert_int_equal(sensor__run(&sensor, (const char *const[]){ "run", "--rung", functions[i],
                                                                     "--output", "json", NULL }),
                         1);
        sensor__assert_one_line(&sensor, live__text("no probe works here: %s: ", functions[i]));
    }
}

/* -- what each one sees ------------------------------------------------------------------------ */

/* Some that the kernel runs, some that seccomp refuses; 32-bit ones where there are such. */
static void call_both_ways(struct script *script)
{
    bool compat = trigger__has_compat();

    script__call(script, "process_mrelease", UINT64_MAX, 3, 0);
    script__call(script, "munlockall", 0, 0, 0);
    if (compat) {
        script__call_compat(script, "munlockall", 0, 0, 0);
        script__call_compat(script, "mlock", 0, 0, 0);
        script__call_compat(script, "process_mrelease", UINT32_MAX, 4, 0);
    }
    script__check(script,
                  trigger__block(event__find("process_mrelease")->number,
                                 event__find("mlock")->number, EPERM),
                  "seccomp");
    script__call(script, "process_mrelease", 0x1234567800000009, 0xabcdef0000000004, 0);
    script__call(script, "mlock", 0x7fffffffffffffff, UINT64_MAX, 0);
    script__call(script, "munlock", 0, 0, 0);
    script__call(script, "process_mrelease", 0, 0, 0);
    script__call(script, "mlock2", UINT64_MAX, UINT64_MAX, UINT64_MAX);
    if (compat) {
        script__call_compat(script, "munlock", 0, 0, 0);
        script__call_compat(script, "mlockall", 0, 0, 0);
    }
}

static void call_both_ways_half_seen(struct script *script)
{
    call_both_ways(script);
    for (unsigned int i = 0; i < script->count; i++)
        script->calls[i].unseen = script->calls[i].result == -EPERM;
}

static void assert_coverage(const char *rung, const char *coverage, void (*act)(struct script *))
{
    struct script *script = script__new();
    const char *name = live__text("%s-%s", rung, coverage);
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", ALL_EVENTS, "--rung", rung, "--coverage", coverage,
                 "--output", live__output("json", name));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path(name)), script);
}

static void assert_blocked_seen_once(const char *rung)
{
    if (!live__sees_compat(rung))
        return;
    assert_coverage(rung, "compat",
                    live__sees_blocked(rung) ? call_both_ways : call_both_ways_half_seen);
    assert_coverage(rung, "all", call_both_ways);
}

static void every_call_is_seen_once_blocked_ones_with_coverage_all(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_blocked_seen_once);
}

/* -- calls that wait --------------------------------------------------------------------------- */

enum { WAITERS = 64, ROUNDS = 20, WAIT_BYTES = 1 << 20 };

static void *lock_own_memory(void *context)
{
    struct script *script = context;
    void *memory =
        mmap(NULL, WAIT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    script__check(script, memory != MAP_FAILED, "mmap");
    for (int i = 0; i < ROUNDS; i++) {
        trigger__native(event__find("mlock")->number, (uintptr_t)memory, WAIT_BYTES, 0);
        trigger__native(event__find("munlock")->number, (uintptr_t)memory, WAIT_BYTES, 0);
        madvise(memory, WAIT_BYTES, MADV_DONTNEED);
    }
    return NULL;
}

/* They all want the lock of one address space, so most of them sleep within the call. At the end
 * each makes one more call, which shows whether the one before came to its exit. */
static void lock_together(struct script *script)
{
    pthread_t threads[WAITERS];

    for (int i = 0; i < WAITERS; i++)
        script__check(script, !pthread_create(&threads[i], NULL, lock_own_memory, script),
                      "pthread_create");
    for (int i = 0; i < WAITERS; i++)
        script__check(script, !pthread_join(threads[i], NULL), "pthread_join");
}

/*
 * A kretprobe has room for so many calls at once; one more is not shown at its exit. Each call is
 * read or told as lost, but for the last one of each thread, which nothing follows.
 */
static void assert_waiters(const char *rung)
{
    const char *name = live__text("waiters-%s", rung);
    struct totals locked, unlocked;
    const struct lines *lines;
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", "mlock,munlock", "--busy-ring", "16M", "--rung", rung,
                 "--output", live__output("json", name));
    script__run(script__new(), lock_together);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path(name));
    locked = sensor__totals(&sensor, "mlock");
    unlocked = sensor__totals(&sensor, "munlock");
    printf("# %llu of %d told as lost\n", locked.lost + unlocked.lost, 2 * WAITERS * ROUNDS);
    assert_int_equal(locked.read, lines__count(lines, "mlock", 0));
    assert_int_equal(locked.lost, lines__lost(lines, "mlock", NULL));
    assert_int_equal(unlocked.lost, lines__lost(lines, "munlock", NULL));
    assert_in_range(locked.read + locked.lost, WAITERS * ROUNDS, UINT64_MAX);
    assert_in_range(unlocked.read + unlocked.lost, WAITERS * (ROUNDS - 1), UINT64_MAX);
}

static void calls_that_wait_in_the_kernel_are_read_or_told(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_waiters);
}

/* -- what is left behind ----------------------------------------------------------------------- */

#define DEFINITIONS "/sys/kernel/tracing/events/mrelease"

static void run_kprobe(int how_it_ends)
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--rung", "kprobe", "--output", "none");
    assert_int_equal(access(DEFINITIONS, F_OK), 0);
    if (how_it_ends == SIGKILL) {
        assert_int_equal(kill(sensor.pid, SIGKILL), 0);
        assert_int_equal(waitpid(sensor.pid, NULL, 0), sensor.pid);
        cleanup__forget_child(sensor.pid);
        assert_int_equal(access(DEFINITIONS, F_OK), 0);
    } else {
        assert_int_equal(sensor__stop(&sensor, how_it_ends), 0);
        assert_int_not_equal(access(DEFINITIONS, F_OK), 0);
    }
}

static void kprobe_leaves_nothing_in_tracefs(void **state)
{
    const char *forced = getenv("MRELEASE_TEST_RUNG");

    (void)state;
    live__require();
    if ((forced && strcmp(forced, "kprobe") != 0) || !live__works("kprobe")) {
        puts("# skipped: needs a kernel with kprobes, and no other rung to be forced");
        skip();
    }
    live__private_mounts();
    run_kprobe(SIGINT);
    run_kprobe(SIGKILL);
    run_kprobe(SIGTERM); /* what the killed one left goes as well */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(rungs_that_this_kernel_offers_work),
        LIVE_TEST(auto_takes_the_cheapest_that_works),
        LIVE_TEST(a_rung_that_does_not_work_says_why),
        LIVE_TEST(every_call_is_seen_once_blocked_ones_with_coverage_all),
        LIVE_TEST(calls_that_wait_in_the_kernel_are_read_or_told),
        LIVE_TEST(kprobe_leaves_nothing_in_tracefs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
