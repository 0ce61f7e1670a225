// SPDX-License-Identifier: Apache-2.0
/* What is asked for is what comes: events, ends, wrong words, and rights that are missing. */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "harness.h"

enum { NOBODY = 65534, COUNT = 5, NOT_EXECUTED = 127 };

/* -- events ----------------------------------------------------------------------------------- */

/* Which of event_rows, in their order, come: '1' or '0'. NULL: no --events at all. */
static const struct {
    const char *list, *seen;
} choices[] = {
    { "process_mrelease", "100000" },
    { "mlock", "010000" },
    { "mlock*", "010101" },
    { "mun*,process_mrelease", "101010" },
    { "default", "100000" },
    { "proc", "011111" },
    { "proc_mem", "011111" },
    { "syscalls", "111111" },
    { "*", "111111" },
    { "syscalls,-mlock", "101111" },
    { "-mlock*,syscalls", "101010" },
    { "syscalls,-proc", "100000" },
    { "-do_mrelease", "100000" },
    { NULL, "100000" },
};

_Static_assert(EVENT_ROWS == 6, "a digit per event");

static const char *seen_rows;

static void call_each(struct script *script)
{
    for (unsigned int i = 0; i < EVENT_ROWS; i++)
        script__call(script, event_rows[i].name, UINT64_MAX, UINT64_MAX, UINT64_MAX)->unseen =
            seen_rows[i] == '0';
}

static void assert_choice(unsigned int number)
{
    const char *file = live__text("events.%u", number);
    const char *arguments[] = { "run",      "--output",           live__output("json", file),
                                "--events", choices[number].list, NULL };
    struct script *script = script__new();
    const struct lines *lines;
    struct sensor sensor;

    if (!choices[number].list)
        arguments[3] = NULL;
    sensor__start(&sensor, arguments);
    seen_rows = choices[number].seen;
    script__run(script, call_each);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path(file));
    assert_script(lines, script);
    for (unsigned int i = 0; i < EVENT_ROWS; i++)
        if (seen_rows[i] == '0')
            assert_int_equal(lines__count(lines, event_rows[i].name, 0), 0);
}

static void only_chosen_events_come(void **state)
{
    (void)state;
    live__require();
    for (unsigned int i = 0; i < COUNT_OF(choices); i++)
        assert_choice(i);
}

/* -- ends ------------------------------------------------------------------------------------- */

static void call_often(struct script *script)
{
    for (int i = 0; i < 4 * COUNT; i++)
        script__call(script, "munlock", 0, 0, 0);
}

static void count_is_exact(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, "--events", "munlock", "--output", "json", "--count", "5");
    script__run(script__new(), call_often);
    assert_int_equal(sensor__wait(&sensor), 0);
    assert_int_equal(lines__parse(sensor__stdout(&sensor))->count, COUNT);
}

static void duration_ends_a_run(void **state)
{
    struct sensor sensor;
    int64_t start_ms;

    (void)state;
    live__require();
    start_ms = mrl_clock__ms();
    assert_int_equal(sensor__run(&sensor, (const char *const[]){ "run", "--duration", "200ms",
                                                                 "--output", "none", NULL }),
                     0);
    assert_in_range(mrl_clock__ms() - start_ms, 200, 20000);
    sensor__totals(&sensor, "process_mrelease");
}

/* -- wrong words ------------------------------------------------------------------------------ */

static const struct {
    const char *words[4];
    const char *said;
} mistakes[] = {
    { { NULL }, "which verb?" },
    { { "rum" }, "unknown verb 'rum': did you mean 'run'?" },
    { { "event" }, "did you mean 'events'?" },
    { { "--hlp" }, "did you mean '--help'?" },
    { { "events", "mloc" }, "did you mean 'mlock'?" },
    { { "run", "--evens", "mlock" }, "unknown option '--evens': did you mean '--events'?" },
    { { "run", "--events" }, "needs a value" },
    { { "run", "--events", "process_mreleese" }, "did you mean 'process_mrelease'?" },
    { { "run", "--events", "mlock,mlok" }, "unknown event 'mlok': did you mean 'mlock'?" },
    { { "run", "--events", "defualt" }, "did you mean 'default'?" },
    { { "run", "--events", "-munlok" }, "did you mean 'munlock'?" },
    { { "run", "--events", "nosuch*" }, "unknown event 'nosuch*'" },
    { { "run", "--events", "mlock.data.le=1" }, "unknown field 'le': did you mean 'len'?" },
    { { "run", "--scope", "uidd=1" }, "unknown scope 'uidd': did you mean 'uid'?" },
    { { "run", "--events", "" }, "is not a list of events" },
    { { "run", "--events", "mlock,,munlock" }, "is not a list of events" },
    { { "run", "--events", "mlock,-mlock" }, "leaves no event to watch" },
    { { "run", "--output", "jsn" }, "unknown format 'jsn': did you mean 'json'?" },
    { { "run", "--output", "tabel:/tmp/x" }, "did you mean 'table'?" },
    { { "run", "--output", "json:" }, "names no destination" },
    { { "run", "--output", "none:/tmp/x" }, "takes no destination" },
    { { "run", "--rung", "tpbtf" }, "did you mean 'tp_btf'?" },
    { { "run", "--rung", "rawtp" }, "did you mean 'raw_tp'?" },
    { { "run", "--coverage", "compad" }, "did you mean 'compat'?" },
    { { "run", "--log-level", "inof" }, "did you mean 'info'?" },
    { { "run", "--count", "0" }, "is not a count" },
    { { "run", "--count", "-3" }, "is not a count" },
    { { "run", "--count", "99999999999999999999" }, "is too large" },
    { { "run", "--duration", "5parsecs" }, "is not a duration" },
    { { "run", "--duration", "5" }, "is not a duration" },
    { { "run", "--ring", "0" }, "between 1 and 1G" },
    { { "run", "--ring", "2G" }, "not between 1 and 1G" },
    { { "run", "--busy-ring", "lots" }, "is not a size" },
    { { "run", "--help=me" }, "takes no value" },
    { { "run", "-x" }, "unknown option '-x'" },
    { { "run", "stray" }, "unexpected operand 'stray'" },
};

static void a_wrong_word_is_one_line_and_status_2(void **state)
{
    struct sensor sensor;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        int status = sensor__run(&sensor, mistakes[i].words);

        if (status != 2)
            fail_msg("status %d, not 2, for '%s'", status, mistakes[i].said);
        sensor__assert_one_line(&sensor, mistakes[i].said);
    }
}

static void a_wrong_word_opens_no_file(void **state)
{
    const char *output = live__output("json", "events");
    const char *const arguments[] = { "run", "--output", output, "--events", "mlok", NULL };
    struct sensor sensor;

    (void)state;
    assert_int_equal(sensor__run(&sensor, arguments), 2);
    sensor__assert_one_line(&sensor, "did you mean 'mlock'?");
    assert_int_not_equal(access(live__path("events"), F_OK), 0);
}

/* -- rights ----------------------------------------------------------------------------------- */

static void be_nobody_with(uint64_t capabilities)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t part = (uint32_t)(capabilities >> 32 * i);

        data[i] = (struct __user_cap_data_struct){ part, part, part };
    }
    if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
        setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capset, &header, data))
        _exit(1);
    for (unsigned int cap = 0; cap < 64; cap++)
        if ((capabilities & (1ULL << cap)) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
            _exit(1);
}

static void be_nobody(void)
{
    be_nobody_with(0);
}

static void be_nobody_with_bpf(void)
{
    be_nobody_with(1ULL << CAP_BPF);
}

static void be_nobody_with_bpf_and_perfmon(void)
{
    be_nobody_with(1ULL << CAP_BPF | 1ULL << CAP_PERFMON);
}

static void assert_lacks(void (*prepare)(void), const char *said)
{
    const char *const arguments[] = { "run", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = prepare };
    struct sensor sensor;
    int status;

    sensor__spawn(&sensor, &options);
    status = sensor__wait(&sensor);
    if (status == NOT_EXECUTED) {
        puts("# skipped: nobody may not execute the program where it lies");
        skip();
    }
    assert_int_equal(status, 1);
    sensor__assert_one_line(&sensor, said);
    assert_non_null(strstr(sensor__stderr(&sensor), "setcap cap_bpf,cap_perfmon+ep"));
}

static void missing_rights_are_named(void **state)
{
    (void)state;
    live__require();
    assert_lacks(be_nobody, "mrelease: missing CAP_BPF and CAP_PERFMON: ");
    assert_lacks(be_nobody_with_bpf, "mrelease: missing CAP_PERFMON: ");
}

static void call_as_root(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    script__call(script, "mlock", 0, 0, 0);
}

/* On the rung that is chosen: kprobe and tracepoint use perf events, which some kernels keep for
 * root. */
static void two_capabilities_are_enough(void **state)
{
    const char *const arguments[] = { "run", "--rung", "auto", "--events", "process_mrelease,mlock",
                                      NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = be_nobody_with_bpf_and_perfmon };
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    assert_lacks(be_nobody, "CAP_BPF");
    script = script__new();
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    script__run(script, call_as_root);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
}

static void be_nobody_who_may_read(void)
{
    be_nobody_with(1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_DAC_READ_SEARCH);
}

/* Debian's level beyond those of the kernel. */
static bool perf_events_are_for_root(void)
{
    char level[16] = "";

    return caller__read("/proc/sys/kernel/perf_event_paranoid", level, sizeof(level)) &&
           atoi(level) > 2;
}

/* tracefs is for root alone, and the right to read it does not come from the user. */
static void tracefs_is_read_with_a_capability(void **state)
{
    const char *const arguments[] = {
        "run", "--rung", "tracepoint", "--coverage", "native", "--events", "process_mrelease,mlock",
        NULL
    };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = be_nobody_who_may_read };
    struct script *script;
    struct sensor sensor;
    struct stat root;

    (void)state;
    live__require();
    if (!live__works("tracepoint")) {
        print_message("# skipped: the rung tracepoint does not work here\n");
        skip();
    }
    live__private_mounts();
    if (perf_events_are_for_root()) {
        print_message("# skipped: kernel.perf_event_paranoid keeps perf events for root here\n");
        skip();
    }
    assert_int_equal(stat("/sys/kernel/tracing", &root), 0);
    if (root.st_mode & 077) {
        print_message("# skipped: others than root may read tracefs here\n");
        skip();
    }
    assert_lacks(be_nobody, "CAP_BPF");
    script = script__new();
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    script__run(script, call_as_root);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(only_chosen_events_come),     LIVE_TEST(count_is_exact),
        LIVE_TEST(duration_ends_a_run),         LIVE_TEST(a_wrong_word_is_one_line_and_status_2),
        LIVE_TEST(a_wrong_word_opens_no_file),  LIVE_TEST(missing_rights_are_named),
        LIVE_TEST(two_capabilities_are_enough), LIVE_TEST(tracefs_is_read_with_a_capability),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
