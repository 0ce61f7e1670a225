// SPDX-License-Identifier: Apache-2.0
/* Filters in the kernel: they decide as user space does, take no room, and are bounded. */
#include <mrelease/plugin.h>
#include <signal.h>
#include <string.h>

#include <sys/prctl.h>

#include "filtered.h"
#include "load.h"
#include "release.h"

enum { SOMEBODY = 12345, FLOOD_CALLS = 200000, FLOOD_MAX_MS = 100000 };

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
    filtered__assert_accounted(&sensor);
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
        filtered__assert_accounted(&live[i]);
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
    live__set_scope("pid=new"); /* which the kernel decides; names are among the filters */
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
    filtered__assert_accounted(sensor);
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
        filtered__assert(arguments, script__new(), lock_for_the_most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(the_kernel_and_user_space_decide_alike),
        LIVE_TEST(what_the_kernel_filters_takes_no_room),
        LIVE_TEST(what_user_space_filters_is_accounted_for),
        LIVE_TEST(a_filtered_file_is_complete),
        LIVE_TEST(every_rung_takes_the_most_that_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
