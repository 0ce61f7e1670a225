// SPDX-License-Identifier: Apache-2.0
/*
 * Filters on real calls: who and what gets through, that the kernel and user space decide alike,
 * and that nothing filtered is unaccounted for.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "filtered.h"
#include "release.h"

enum { SOMEBODY = 12345, OTHER = 12346 };

/* -- data and results ------------------------------------------------------------------------- */

static void lock_lengths(struct script *script)
{
    static const uint64_t lengths[] = { 0, 4095, 4096, 4097, 8192, UINT64_MAX };
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        script__call(script, "mlock", 0, lengths[i], 0)->unseen =
            lengths[i] != 4096 && lengths[i] != 8192;
    script__call(script, "munlock", (uint64_t)page, 4096, 0)->unseen = true; /* returns 0 */
    script__call(script, "munlock", 0, 4096, 0);
    if (trigger__has_compat())
        script__call_compat(script, "mlock", 0, 8192, 0);
}

static void data_and_results_are_filtered(void **state)
{
    (void)state;
    live__require();
    ASSERT_FILTERED(script__new(), lock_lengths, "-e", "mlock.data.len=4096,0x2000", "-e",
                    "munlock.retval<0");
}

/* What is cut to the argument's width is compared: pidfd -5 in a register that says more. */
static void call_with_wide_arguments(struct script *script)
{
    script__call(script, "process_mrelease", 0x1234567800000000 | (uint32_t)-5, 0, 0);
    script__call(script, "process_mrelease", (uint64_t)-6, 0, 0)->unseen = true;
    script__call(script, "process_mrelease", 0xfffffffb, 0xabcdef0000000001, 0);
}

static void arguments_are_compared_at_their_width(void **state)
{
    (void)state;
    live__require();
    ASSERT_FILTERED(script__new(), call_with_wide_arguments, "-e",
                    "process_mrelease.data.pidfd=-5,-7");
    ASSERT_FILTERED(script__new(), call_with_wide_arguments, "-e",
                    "process_mrelease.data.pidfd>-6");
}

static void a_successful_release_is_filtered_by_its_own_fields(void **state)
{
    struct script *script;
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "-o", "json", "-e", "process_mrelease.retval!=0", "-e",
                 "do_mrelease.data.released_bytes>0", "-e", "do_mrelease.data.outcome=reaped", "-e",
                 "do_mrelease.retval=0");
    script__run(script, release__act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    filtered__assert_accounted(&sensor);
    lines = lines__parse(sensor__stdout(&sensor));
    assert_release(release__find(lines, script, release__call(script)), release__call(script));
    for (size_t i = 0; i < lines->count; i++)
        if (!strcmp(json__text(lines->at[i].json, "eventName"), "process_mrelease"))
            assert_int_not_equal(json__signed(lines->at[i].json, "returnValue"), 0);
}

/* -- who -------------------------------------------------------------------------------------- */

static void lock_as_other(struct script *script)
{
    script__check(script, !setresuid(OTHER, OTHER, OTHER), "setresuid");
    script__call(script, "munlock", 0, 0, 0)->unseen = true;
}

static void lock_as_somebody(struct script *script)
{
    script__check(script, !setresuid(SOMEBODY, SOMEBODY, SOMEBODY), "setresuid");
    script__call(script, "munlock", 0, 0, 0);
}

/* The real uid counts: the effective one does not show. */
static void lock_as_effective_somebody(struct script *script)
{
    script__check(script, !setresuid((uid_t)-1, SOMEBODY, 0), "seteuid");
    script__call(script, "munlock", 0, 0, 0)->unseen = true;
}

static void lock_as_each(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0)->unseen = true;
    script__fork(script, lock_as_somebody);
    script__fork(script, lock_as_other);
    script__fork(script, lock_as_effective_somebody);
}

static void the_scope_of_a_uid_is_the_real_one(void **state)
{
    (void)state;
    live__require();
    ASSERT_FILTERED(script__new(), lock_as_each, "-e", "munlock", "-s", "uid=12345,77");
    ASSERT_FILTERED(script__new(), lock_as_each, "-e", "munlock", "-s", "uid!=0,12346");
    ASSERT_FILTERED(script__new(), lock_as_each, "-e", "munlock", "-s", "uid>5", "-s",
                    "uid!=12346");
    ASSERT_FILTERED(script__new(), lock_as_each, "-e", "munlock.scope.uid=12345");
}

static void lock_by_names(struct script *script)
{
    static const struct {
        const char *name;
        bool seen;
    } names[] = { { "worker", true },          { "worker-2", false },
                  { "worke", false },          { "w", false },
                  { "oomd-1", true },          { "oomd", true },
                  { "xoomd", false },          { "", false },
                  { "fifteen-bytes-x", true }, { "fifteen-bytes-", false } };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        prctl(PR_SET_NAME, "a-longer-name--"); /* what is behind the NUL must not count */
        prctl(PR_SET_NAME, names[i].name);
        script__call(script, "munlock", 0, 0, 0)->unseen = !names[i].seen;
    }
}

static void the_scope_of_a_name_is_the_threads(void **state)
{
    (void)state;
    live__require();
    live__set_scope(""); /* these names are the scope */
    ASSERT_FILTERED(script__new(), lock_by_names, "-e", "munlock", "-s",
                    "comm=worker,oomd*,fifteen-bytes-x");
    ASSERT_FILTERED(script__new(), lock_by_names, "-e",
                    "munlock.scope.processName=worker,oomd*,fifteen-bytes-x");
}

/* -- processes -------------------------------------------------------------------------------- */

/* The child tells the id by which it will be sought, and waits until the sensor watches. */
static int told[2], go[2];

static void tell_and_wait(struct script *script)
{
    pid_t id = (pid_t)syscall(SYS_gettid);
    char byte;

    script__check(script,
                  write(told[1], &id, sizeof(id)) == sizeof(id) && read(go[0], &byte, 1) == 1,
                  "waiting for the sensor");
}

static void lock_seen(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0);
}

static void lock_unseen(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0)->unseen = true;
}

static void lock_in_the_process(struct script *script)
{
    tell_and_wait(script);
    lock_seen(script);
    script__thread(script, lock_seen);
    script__fork(script, lock_unseen);
}

static void wait_and_lock(struct script *script)
{
    tell_and_wait(script);
    lock_seen(script);
}

static void lock_in_the_thread(struct script *script)
{
    script__thread(script, wait_and_lock);
    lock_unseen(script);
}

static void assert_pid_scope(void (*act)(struct script *script), const char *format)
{
    struct script *script = script__new();
    struct sensor sensor;
    pid_t child, id;

    assert_int_equal(pipe(told) || pipe(go), 0);
    child = script__start(script, act);
    assert_int_equal(read(told[0], &id, sizeof(id)), sizeof(id));
    SENSOR_START(&sensor, "-o", "json", "-e", "munlock", "-s", live__text("pid%s%d", format, id));
    assert_int_equal(write(go[1], "", 1), 1);
    script__wait(script, child);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    filtered__assert_accounted(&sensor);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
    for (int i = 0; i < 2; i++) {
        close(told[i]);
        close(go[i]);
    }
}

static void the_scope_of_a_pid_is_a_process_or_a_thread(void **state)
{
    (void)state;
    live__require();
    assert_pid_scope(lock_in_the_process, "=");
    assert_pid_scope(lock_in_the_thread, "=");
}

static void lock_new_and_old(struct script *script)
{
    tell_and_wait(script);
    lock_unseen(script);
    script__fork(script, lock_seen);
}

static void a_new_process_began_after_the_sensor(void **state)
{
    struct script *script;
    struct sensor sensor;
    pid_t child, id;

    (void)state;
    live__require();
    script = script__new();
    assert_int_equal(pipe(told) || pipe(go), 0);
    child = script__start(script, lock_new_and_old);
    assert_int_equal(read(told[0], &id, sizeof(id)), sizeof(id));
    SENSOR_START(&sensor, "-o", "json", "-e", "munlock", "-s", "pid=new");
    assert_int_equal(write(go[1], "", 1), 1);
    script__wait(script, child);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
}

/* -- containers ------------------------------------------------------------------------------- */

#define CONTAINER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const char *container_cgroup;
static bool container_is_seen;

static void lock_inside_and_outside(struct script *script)
{
    struct call *call = script__call(script, "munlock", 0, 0, 0);

    call->unseen = container_is_seen;
    script__check(script, cgroup__enter(container_cgroup), "entering a container's cgroup");
    call = script__call(script, "munlock", 0, 0, 0);
    call->unseen = !container_is_seen;
    snprintf(call->caller.container_id, sizeof(call->caller.container_id), "%s", CONTAINER);
}

static void the_scope_of_a_container_is_told_from_the_host(void **state)
{
    (void)state;
    live__require();
    container_cgroup = cgroup__make("filters/docker-" CONTAINER ".scope");
    if (!container_cgroup)
        skip();
    container_is_seen = true;
    ASSERT_FILTERED(script__new(), lock_inside_and_outside, "-e", "munlock", "-s", "container");
    ASSERT_FILTERED(script__new(), lock_inside_and_outside, "-e", "munlock", "-s",
                    "container=fedcba98");
    ASSERT_FILTERED(script__new(), lock_inside_and_outside, "-e", "munlock.scope.container");
    container_is_seen = false;
    ASSERT_FILTERED(script__new(), lock_inside_and_outside, "-e", "munlock", "-s", "not-container");
    ASSERT_FILTERED(script__new(), lock_inside_and_outside, "-e", "munlock", "-s",
                    "container!=fedcba98");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(data_and_results_are_filtered),
        LIVE_TEST(arguments_are_compared_at_their_width),
        LIVE_TEST(a_successful_release_is_filtered_by_its_own_fields),
        LIVE_TEST(the_scope_of_a_uid_is_the_real_one),
        LIVE_TEST(the_scope_of_a_name_is_the_threads),
        LIVE_TEST(the_scope_of_a_pid_is_a_process_or_a_thread),
        LIVE_TEST(a_new_process_began_after_the_sensor),
        LIVE_TEST(the_scope_of_a_container_is_told_from_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
