// SPDX-License-Identifier: Apache-2.0
/* Every field of every classic event, on every rung that this kernel takes. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"

#define ALL_EVENTS "process_mrelease,mlock*,munlock*"

enum { PAGE = 4096, TICKS_APART_MS = 30, CPUS_MAX = 8 };

/* -- values and results ----------------------------------------------------------------------- */

static void expect(struct script *script, const struct call *call, int64_t result)
{
    char text[96];

    snprintf(text, sizeof(text), "%s returned %lld, not %lld", call->event->name,
             (long long)call->result, (long long)result);
    script__check(script, call->result == result, text);
}

static void release_calls(struct script *script)
{
    expect(script, script__call(script, "process_mrelease", UINT64_MAX, 0, 0), -EBADF);
    expect(script, script__call(script, "process_mrelease", 0x7fffffff, 0, 0), -EBADF);
    expect(script, script__call(script, "process_mrelease", 0, 1, 0), -EINVAL);
    expect(script, script__call(script, "process_mrelease", 0, 0xffffffff, 0), -EINVAL);
    expect(script, script__call(script, "process_mrelease", 0x80000000, 0, 0), -EBADF);
    expect(script, script__call(script, "process_mrelease", 0x1234567800000005, 0, 0), -EBADF);
    expect(script, script__call(script, "process_mrelease", 5, 0xabcdef0000000001, 0), -EINVAL);
}

static void lock_calls(struct script *script)
{
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t address = (uintptr_t)page;

    expect(script, script__call(script, "mlock", address, PAGE, 0), 0);
    expect(script, script__call(script, "munlock", address, PAGE, 0), 0);
    expect(script, script__call(script, "mlock", 0, PAGE, 0), -ENOMEM);
    expect(script, script__call(script, "mlock", UINT64_MAX, UINT64_MAX, 0), -EINVAL);
    expect(script, script__call(script, "munlock", UINT64_MAX, 0, 0), -EINVAL);
    expect(script, script__call(script, "munlock", UINT64_MAX - PAGE, 3 * PAGE, 0), -EINVAL);
    expect(script, script__call(script, "mlock2", address, PAGE, 1), 0);
    expect(script, script__call(script, "mlock2", address, PAGE, 0xffffffff00000002), -EINVAL);
    expect(script, script__call(script, "mlock2", 0, PAGE, UINT64_MAX), -EINVAL);
    expect(script, script__call(script, "munlockall", 1, 2, 3), 0);
    expect(script, script__call(script, "mlockall", 0, 0, 0), -EINVAL);
    expect(script, script__call(script, "mlockall", 0x180000000, 0, 0), -EINVAL);
    expect(script, script__call(script, "mlockall", 2, 0, 0), 0);
    expect(script, script__call(script, "munlockall", 0, 0, 0), 0);
}

static void all_calls(struct script *script)
{
    release_calls(script);
    lock_calls(script);
}

static void assert_rung(const char *rung)
{
    struct script *script = script__new();
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", ALL_EVENTS, "--rung", rung, "--output",
                 live__output("json", rung));
    sensor__await_text(&sensor, live__text(", with %s\n", rung));
    script__run(script, all_calls);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(script->count, 21);
    assert_script(lines__load(live__path(rung)), script);
}

static void fields_are_right_on_every_rung(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_rung);
}

static void lock_once(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0);
}

static void run_default(struct script *script,
                        void (*act)(struct script *),
                        const struct lines **ret_lines)
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", ALL_EVENTS, "--output", live__output("json", "events"));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    *ret_lines = lines__load(live__path("events"));
    assert_script(*ret_lines, script);
}

/* -- processors ------------------------------------------------------------------------------- */

static void lock_everywhere(struct script *script)
{
    for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
        cpu_set_t cpus;

        CPU_ZERO(&cpus);
        CPU_SET(cpu, &cpus);
        if (sched_setaffinity(0, sizeof(cpus), &cpus))
            continue; /* there is no such one, or not for us */
        script__call(script, "munlock", 0, 0, 0);
        script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    }
}

static void the_processor_is_that_of_the_call(void **state)
{
    const struct lines *lines;
    struct script *script;
    unsigned int seen = 0;

    (void)state;
    live__require();
    script = script__new();
    run_default(script, lock_everywhere, &lines);
    for (unsigned int i = 0; i < script->count; i++)
        seen |= 1U << script->calls[i].cpu;
    assert_int_equal(__builtin_popcount(seen), script->count / 2);
}

/* -- threads and parents ---------------------------------------------------------------------- */

/* The thread is so much younger that no rounding can hide whose start time was taken. */
static void from_two_threads(struct script *script)
{
    lock_once(script);
    live__pause_ms(TICKS_APART_MS);
    script__thread(script, lock_once);
}

static void a_thread_has_its_own_id_and_start_time(void **state)
{
    struct script *script;
    const struct lines *lines;
    const json_t *leader, *thread;

    (void)state;
    live__require();
    script = script__new();
    run_default(script, from_two_threads, &lines);
    leader = line_of_call(lines, script, &script->calls[0])->json;
    thread = line_of_call(lines, script, &script->calls[1])->json;
    assert_int_equal(json__number(thread, "processId"), json__number(leader, "processId"));
    assert_int_not_equal(json__number(thread, "threadId"), json__number(leader, "threadId"));
    assert_in_range(json__number(thread, "threadStartTime"),
                    json__number(leader, "threadStartTime") + TICKS_APART_MS * 1000000, UINT64_MAX);
    assert_int_equal(json__number(thread, "processEntityId"),
                     json__number(leader, "processEntityId"));
    assert_int_not_equal(json__number(thread, "threadEntityId"),
                         json__number(leader, "threadEntityId"));
}

static void assert_parent(const struct lines *lines,
                          const struct script *script,
                          unsigned int child_call,
                          unsigned int parent_call)
{
    const json_t *child = line_of_call(lines, script, &script->calls[child_call])->json;
    const json_t *parent = line_of_call(lines, script, &script->calls[parent_call])->json;

    assert_int_equal(json__number(child, "hostParentProcessId"),
                     json__number(parent, "hostProcessId"));
    assert_int_equal(json__number(child, "parentEntityId"),
                     json__number(parent, "processEntityId"));
}

static void fork_and_lock(struct script *script)
{
    script__fork(script, lock_once);
}

static void from_child_of_thread(struct script *script)
{
    lock_once(script);
    live__pause_ms(TICKS_APART_MS);
    script__thread(script, fork_and_lock);
}

static void a_child_of_a_thread_has_the_process_as_parent(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    run_default(script, from_child_of_thread, &lines);
    assert_parent(lines, script, 1, 0);
}

/* Its parent ends while it waits to be given to the script's first process. */
static void lock_as_orphan(struct script *script)
{
    pid_t parent = getppid(), child = fork();

    script__check(script, child >= 0, "fork");
    if (child)
        _exit(0);
    while (getppid() != parent)
        live__pause_ms(1);
    lock_once(script);
    _exit(0);
}

static void from_orphan(struct script *script)
{
    lock_once(script);
    live__pause_ms(TICKS_APART_MS);
    script__check(script, !prctl(PR_SET_CHILD_SUBREAPER, 1), "becoming a reaper");
    script__fork(script, lock_as_orphan);
    while (wait(NULL) > 0)
        ;
}

static void an_orphan_has_its_new_parent(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    run_default(script, from_orphan, &lines);
    assert_int_equal(script->count, 2);
    assert_parent(lines, script, 1, 0);
    assert_int_equal(script->calls[1].caller.host_ppid, script->calls[0].caller.host_pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(fields_are_right_on_every_rung),
        LIVE_TEST(the_processor_is_that_of_the_call),
        LIVE_TEST(a_thread_has_its_own_id_and_start_time),
        LIVE_TEST(a_child_of_a_thread_has_the_process_as_parent),
        LIVE_TEST(an_orphan_has_its_new_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
