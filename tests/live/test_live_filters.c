// SPDX-License-Identifier: Apache-2.0
/*
 * Filters on real calls: who and what gets through, that the kernel and user space decide alike,
 * and that nothing filtered is unaccounted for.
 */
#include <mrelease/plugin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "harness.h"
#include "load.h"
#include "release.h"

enum { SOMEBODY = 12345, OTHER = 12346, FLOOD_CALLS = 200000, FLOOD_MAX_MS = 100000 };

static void assert_accounted(const struct sensor *sensor)
{
    if (strstr(sensor__stderr(sensor), "accounting: "))
        fail_msg("not every event is accounted for: %s", sensor__stderr(sensor));
}

/* Runs the script under these arguments; each call is there, or marked as unseen. */
static void assert_filtered(const char *const *arguments,
                            struct script *script,
                            void (*act)(struct script *script))
{
    struct sensor sensor;

    sensor__start(&sensor, arguments);
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_accounted(&sensor);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
}

#define ASSERT_FILTERED(script, act, ...) \
    assert_filtered((const char *const[]){ "run", "-o", "json", __VA_ARGS__, NULL }, script, act)

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
    assert_accounted(&sensor);
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
    assert_accounted(&sensor);
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

/* -- the kernel and user space ---------------------------------------------------------------- */

/* Each is decided by the kernel when it is live, and by user space when a capture is replayed. */
static const char *const filter_sets[][6] = {
    { "-e", "mlock.data.len=4096" },
    { "-e", "mlock.data.len!=4096,0" },
    { "-e", "mlock.data.len>4096", "-e", "mlock.data.addr!=4096" },
    { "-e", "mlock.retval<0", "-e", "mlock.retval!=-22" },
    { "-e", "mlock.retval>=-12" },
    { "-e", "mlock.retval=-12,0", "-e", "mlock.data.len<=4096" },
    { "-e", "mlock", "-s", "uid=12345" },
    { "-e", "mlock", "-s", "uid!=12345", "-s", "comm=a*" },
    { "-e", "mlock", "-s", "comm!=ab" },
    { "-e", "mlock", "-s", "pid>1", "-s", "uid<12345" },
    { "-e", "mlock.scope.uid>0", "-e", "mlock.scope.comm=abc,a" },
    { "-e", "mlock.scope.hostTid!=1", "-e", "mlock.data.addr=0,0xffffffffffffffff" },
};

enum { SETS = COUNT_OF(filter_sets), SETS_AT_ONCE = 4, SET_WORDS = 6 };

static void lock_variously(struct script *script)
{
    static const char *const names[] = { "a", "ab", "abc", "x" };
    static const uint64_t numbers[] = { 0, 4096, 4097, UINT64_MAX };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        for (size_t j = 0; j < COUNT_OF(numbers); j++) {
            prctl(PR_SET_NAME, names[j]);
            script__call(script, "mlock", numbers[i], numbers[j], 0);
        }
    }
}

static void lock_variously_as_somebody(struct script *script)
{
    script__check(script, !setresuid(SOMEBODY, SOMEBODY, SOMEBODY), "setresuid");
    lock_variously(script);
}

static void lock_as_two(struct script *script)
{
    lock_variously(script);
    script__fork(script, lock_variously_as_somebody);
}

static void start_set(struct sensor *sensor, const char *const set[SET_WORDS])
{
    const char *arguments[SET_WORDS + 4] = { "run", "-o", "json" };

    memcpy(arguments + 3, set, SET_WORDS * sizeof(*set));
    sensor__start(sensor, arguments);
}

static const struct lines *replay_set(const char *capture, const char *const set[SET_WORDS])
{
    const char *arguments[SET_WORDS + 5] = { "replay", capture, "-o", "json" };
    struct sensor sensor;

    memcpy(arguments + 4, set, SET_WORDS * sizeof(*set));
    assert_int_equal(sensor__run(&sensor, arguments), 0);
    assert_accounted(&sensor);
    return lines__parse(sensor__stdout(&sensor));
}

/* Which calls of the script are among the lines, by task and arguments: each is made once. */
static uint64_t calls_among(const struct lines *lines, const struct script *script)
{
    uint64_t among = 0;

    for (size_t i = 0; i < lines->count; i++) {
        json_t *args = json_object_get(lines->at[i].json, "args");

        for (unsigned int j = 0; j < script->count; j++) {
            const struct call *call = &script->calls[j];
            bool same = json__number(lines->at[i].json, "hostThreadId") == call->caller.host_tid;

            for (unsigned int k = 0; same && k < 2; k++)
                same = json__number(json_array_get(args, k), "value") == call->args[k];
            among |= same ? UINT64_C(1) << j : 0;
        }
    }
    return among;
}

static void assert_sets_agree(size_t first, uint64_t *ret_union)
{
    const char *capture = live__path(live__text("capture.%zu", first));
    struct sensor recorder, live[SETS_AT_ONCE];
    struct script *script = script__new();

    SENSOR_START(&recorder, "-e", "mlock", "-o", "none", "--record", capture);
    for (size_t i = 0; i < SETS_AT_ONCE; i++)
        start_set(&live[i], filter_sets[first + i]);
    script__run(script, lock_as_two);
    assert_int_equal(sensor__stop(&recorder, SIGINT), 0);
    for (size_t i = 0; i < SETS_AT_ONCE; i++) {
        const char *const *set = filter_sets[first + i];
        uint64_t by_kernel, by_reader;
        struct totals totals;

        assert_int_equal(sensor__stop(&live[i], SIGINT), 0);
        assert_accounted(&live[i]);
        totals = sensor__totals(&live[i], "mlock");
        assert_int_equal(totals.filtered, totals.filtered_by_kernel);
        by_kernel = calls_among(lines__parse(sensor__stdout(&live[i])), script);
        by_reader = calls_among(replay_set(capture, set), script);
        if (by_kernel != by_reader || !by_kernel || by_kernel == UINT32_MAX)
            fail_msg("'%s' '%s': the kernel lets %#lx through, user space %#lx", set[1],
                     set[3] ? set[3] : "", by_kernel, by_reader);
        *ret_union |= by_kernel;
    }
}

static void the_kernel_and_user_space_decide_alike(void **state)
{
    uint64_t all = 0;

    (void)state;
    live__require();
    live__set_scope("pid=new"); /* names are among the filters */
    for (size_t first = 0; first < SETS; first += SETS_AT_ONCE)
        assert_sets_agree(first, &all);
    assert_int_equal(all, UINT32_MAX); /* 32 calls, and each was wanted by some */
}

/* -- room and numbers ------------------------------------------------------------------------- */

static void flood_under(const char *condition, struct totals *ret_totals, struct sensor *sensor)
{
    const struct load load = { .event = "process_mrelease", .calls = FLOOD_CALLS };

    SENSOR_START(sensor, "-e", condition, "-o", "none", "--ring", "16K");
    load__wait(load__start(&load), FLOOD_MAX_MS);
    assert_int_equal(sensor__stop(sensor, SIGINT), 0);
    assert_accounted(sensor);
    *ret_totals = sensor__totals(sensor, "process_mrelease");
}

static void what_the_kernel_filters_takes_no_room(void **state)
{
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    flood_under("process_mrelease.retval=0", &totals, &sensor);
    assert_in_range(totals.filtered_by_kernel, FLOOD_CALLS, UINT64_MAX);
    assert_int_equal(totals.filtered, totals.filtered_by_kernel);
    assert_int_equal(totals.lost, 0);
    assert_int_equal(totals.read, 0);
}

static void what_user_space_filters_is_accounted_for(void **state)
{
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    live__set_scope(""); /* that would be the kernel's */
    flood_under("process_mrelease.scope.hostName=nowhere", &totals, &sensor);
    assert_int_equal(totals.filtered_by_kernel, 0);
    assert_int_equal(totals.read, 0);
    assert_in_range(totals.filtered + totals.lost, FLOOD_CALLS, UINT64_MAX);
}

static void lock_often(struct script *script)
{
    for (unsigned int i = 0; i < CALLS_MAX; i++)
        script__call(script, "munlock", 0, i, 0)->unseen = i % 10 == 3 || i / 10 % 10 == 3;
}

/* Numbers close ranks, whoever filtered. */
static void a_filtered_file_is_complete(void **state)
{
    static const char *const filters[] = { "munlock.data.len!=*3*", "munlock.data.len>40" };

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        const char *name = live__text("events.%zu", i);
        struct script *script = script__new();
        struct sensor sensor;

        SENSOR_START(&sensor, "-e", filters[i], "--extra", "seq", "-o", live__output("json", name));
        script__run(script, lock_often);
        assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
        assert_in_range(sensor__totals(&sensor, "munlock").filtered, 1, UINT64_MAX);
        assert_int_equal(
            sensor__run(&sensor, (const char *const[]){ "verify", live__path(name), NULL }),
            LIVE_GAPLESS);
        assert_non_null(strstr(sensor__stdout(&sensor), "0 gaps"));
    }
}

/* -- each rung, and the most that the kernel takes -------------------------------------------- */

#define FIFTEEN "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"

static void lock_for_the_most(struct script *script)
{
    prctl(PR_SET_NAME, "worker");
    script__call(script, "mlock", 1, 15, 0);
    script__call(script, "mlock", 1, 16, 0)->unseen = true;
    prctl(PR_SET_NAME, "other");
    script__call(script, "mlock", 1, 15, 0)->unseen = true;
}

static void every_rung_takes_the_most_that_there_may_be(void **state)
{
    static const char *const events[] = { "mlock", "munlock", "mlock2" };
    static const char *const fields[] = { "data.addr", "data.len" };
    const char *arguments[80] = { "run", "-o", "json", "--coverage", "native", "--rung" };
    unsigned int count, used = 7;
    const struct mrl_rung *rungs = mrl_rung__all(&count);

    (void)state;
    live__require();
    live__set_scope(""); /* it would be one more than the most */
#define ADD(...)                                     \
    do {                                             \
        arguments[used++] = "-e";                    \
        arguments[used++] = live__text(__VA_ARGS__); \
    } while (0)
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        for (size_t j = 0; j < COUNT_OF(fields); j++)
            ADD("%s.%s=" FIFTEEN, events[i], fields[j]);
        ADD("%s.retval!=" FIFTEEN, events[i]);
        ADD("%s.scope.uid=0," FIFTEEN, events[i]);
        ADD("%s.scope.hostPid!=0," FIFTEEN, events[i]);
        ADD("%s.scope.comm=worker,b,c,d,e,f,g,h", events[i]);
    }
    ADD("do_mrelease.scope.comm=a,b,c,d,e,f,g,h");
    ADD("do_mrelease.retval<5");
    for (unsigned int i = 0; i < count; i++) {
        struct sensor probe;

        arguments[6] = rungs[i].name;
        sensor__spawn(&probe, &(const struct sensor_options){
                                  .arguments = (const char *const[]){
                                      "run", "--coverage", "native", "--rung", rungs[i].name, "-e",
                                      "mlock", "-d", "1ms", "-o", "none", NULL } });
        if (sensor__wait(&probe)) {
            print_message("# rung %s does not work here\n", rungs[i].name);
            continue;
        }
        assert_filtered(arguments, script__new(), lock_for_the_most);
    }
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
        LIVE_TEST(the_kernel_and_user_space_decide_alike),
        LIVE_TEST(what_the_kernel_filters_takes_no_room),
        LIVE_TEST(what_user_space_filters_is_accounted_for),
        LIVE_TEST(a_filtered_file_is_complete),
        LIVE_TEST(every_rung_takes_the_most_that_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
