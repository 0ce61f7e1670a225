// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that swaps the descriptor between our look and the kernel's. What was read through the
 * descriptor says so (target_from), and what was read of the memory being reaped is right.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "harness.h"
#include "release.h"

enum { PID, ANON }; /* what is noted of a victim */

enum { ROUNDS = 2000, LONG_ROUNDS = 100000, RELEASES = 12 };

#define MIB         ((size_t)1 << 20)
#define SMALL_BYTES (8 * MIB)

/* -- living processes: nothing is ever released ----------------------------------------------- */

struct swap {
    int to, from[2];
    atomic_bool over;
    atomic_uint done; /* swaps */
};

/* On whatever CPU: the script is kept on one. */
static void *swap_for_ever(void *context)
{
    struct swap *swap = context;
    cpu_set_t all;

    memset(&all, -1, sizeof(all));
    sched_setaffinity(0, sizeof(all), &all);

    for (unsigned int i = 0; !swap->over; i++) {
        dup2(swap->from[i % 2], swap->to);
        swap->done = i + 1;
    }
    return NULL;
}

/* Where CPUs are scarce, a whole run of calls would fit between two swaps. */
static void await_a_swap(const struct swap *swap)
{
    unsigned int before = swap->done;

    while (swap->done == before)
        sched_yield();
}

static unsigned int rounds(void)
{
    return getenv("MRELEASE_TEST_LONG") ? LONG_ROUNDS : ROUNDS;
}

/* Two victims at once: the script's own, and one whose description is kept aside. */
static struct victim *other;

static void start_both(struct script *script, size_t bytes)
{
    script->victim.anon_bytes = 2 * bytes;
    victim__start(script);
    *other = script->victim;
    script->victim.anon_bytes = bytes;
    victim__start(script);
}

static void bury_both(struct script *script)
{
    struct victim kept = script->victim;

    victim__bury(script);
    script->victim = *other;
    victim__bury(script);
    script->victim = kept;
}

static void kill_both(struct script *script)
{
    struct victim kept = script->victim;

    victim__kill(script);
    script->victim = *other;
    victim__kill(script);
    script->victim = kept;
}

static void start_swapping(struct script *script, struct swap *swap, pthread_t *ret_thread)
{
    *swap = (struct swap){
        dup(script->victim.pidfd), { script->victim.pidfd, other->pidfd }, false, 0
    };
    script__check(script, swap->to >= 0, "dup");
    script__check(script, !pthread_create(ret_thread, NULL, swap_for_ever, swap), "pthread_create");
}

static void stop_swapping(struct swap *swap, pthread_t thread)
{
    swap->over = true;
    pthread_join(thread, NULL);
    close(swap->to);
}

static void call_while_it_is_swapped(struct script *script)
{
    struct swap swap;
    pthread_t thread;

    start_both(script, MIB);
    start_swapping(script, &swap, &thread);
    for (unsigned int i = 0; i < rounds(); i++) {
        if (i % 16 == 0)
            await_a_swap(&swap);
        syscall(SYS_process_mrelease, swap.to, 0);
    }
    stop_swapping(&swap, thread);
    script->victim.self.tid = (uint32_t)gettid();
    kill_both(script);
    bury_both(script);
}

/* Every call fails; its target is one of the two, and does not claim to be more than a look. */
static void a_swapped_descriptor_is_never_more_than_a_look(void **state)
{
    const struct lines *lines;
    struct script *script;
    size_t count, seen[2] = { 0 };

    (void)state;
    live__require();
    script = script__new();
    other = &((struct script *)script__new())->victim;
    lines =
        release__run_extra("target,outcome", "process_mrelease", script, call_while_it_is_swapped);
    count = lines__count(lines, "process_mrelease", script->victim.self.tid);
    assert_int_equal(count + lines__lost(lines, "process_mrelease", NULL), rounds());
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->at[i];
        const char *outcome;

        if (strcmp(json__text(line->json, "eventName"), "process_mrelease") != 0 ||
            json__number(line->json, "hostThreadId") != script->victim.self.tid)
            continue;
        outcome = release__text(line, "outcome");
        assert_true(!strcmp(outcome, "not_dying") || !strcmp(outcome, "unknown"));
        if (release__is_absent(line, "target_host_pid"))
            continue; /* looked at in the middle of a dup2() */
        assert_string_equal(release__text(line, "target_from"), "descriptor");
        assert_true(release__number(line, "target_host_pid") == script->victim.self.host_pid ||
                    release__number(line, "target_host_pid") == other->self.host_pid);
        seen[release__number(line, "target_host_pid") == other->self.host_pid]++;
    }
    assert_true(seen[0] && seen[1]); /* they were swapped indeed */
}

/* -- dying ones: one of them is released, and the other is not -------------------------------- */

/* In the place of a call that nobody makes. */
static void note(struct script *script, int index, const struct victim *victim)
{
    script->calls[index].args[PID] = victim->self.host_pid;
    script->calls[index].args[ANON] = victim->anon_resident_bytes;
}

static void release_while_it_is_swapped(struct script *script)
{
    for (int i = 0; i < RELEASES; i++) {
        struct swap swap;
        pthread_t thread;

        start_both(script, SMALL_BYTES);
        start_swapping(script, &swap, &thread);
        note(script, 2 * i, &script->victim);
        note(script, 2 * i + 1, other);
        kill_both(script);
        syscall(SYS_process_mrelease, swap.to, 0);
        stop_swapping(&swap, thread);
        bury_both(script);
    }
    script->victim.self.tid = (uint32_t)gettid();
}

static uint64_t anon_of(const struct script *script, uint64_t host_pid)
{
    for (int i = 0; i < 2 * RELEASES; i++)
        if (script->calls[i].args[PID] == host_pid)
            return script->calls[i].args[ANON];
    fail_msg("process %" PRIu64 " is no victim", host_pid);
    return 0;
}

/* The size was read of the memory that was reaped: it must be that of the process that is named. */
static void a_target_that_was_proven_is_the_one_that_was_reaped(void **state)
{
    const struct lines *lines;
    struct script *script;
    size_t proven = 0;

    (void)state;
    live__require();
    script = script__new();
    other = &((struct script *)script__new())->victim;
    lines = release__run_extra("target,bytes,outcome", "process_mrelease", script,
                               release_while_it_is_swapped);
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->at[i];
        uint64_t anon;

        if (strcmp(json__text(line->json, "eventName"), "process_mrelease") != 0 ||
            json__number(line->json, "hostThreadId") != script->victim.self.tid ||
            release__is_absent(line, "target_from") ||
            strcmp(release__text(line, "target_from"), "reaped_mm") != 0)
            continue;
        proven++;
        anon = anon_of(script, release__number(line, "target_host_pid"));
        assert_in_range(release__number(line, "anon_before"), anon - MIB, anon + MIB);
    }
    if (!proven) {
        puts("# skipped: this kernel does not let the reaping itself be probed");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_swapped_descriptor_is_never_more_than_a_look),
        LIVE_TEST(a_target_that_was_proven_is_the_one_that_was_reaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
