// SPDX-License-Identifier: Apache-2.0
/*
 * The tests themselves: others on this host may make the watched calls as fast as they can, and
 * several tests may run at once. This holds for all that are not EXCLUSIVE in CMakeLists.txt.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"

enum { OTHERS = 2, CALLS_OF_A_STRANGER = 1000, STEP_MS = 20, TIME_MAX_MS = 60000 };

/* Short ones, which make, and count, calls of every kind. */
static const char *const others[OTHERS] = { "test_live_locks", "test_live_failures" };

static pid_t start(const char *program, const char *argument, const char *output)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (output && (!freopen(output, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0))
            _exit(126);
        execl(program, program, argument, NULL);
        _exit(127);
    }
    cleanup__child(child);
    return child;
}

static void start_stranger(void)
{
    start(MRL_TEST_STRANGER, "60", NULL);
}

static void call_each(struct script *script)
{
    for (size_t i = 0; i < EVENT_ROWS; i++)
        script__call(script, event_rows[i].name, UINT64_MAX, 0, 0);
}

static void a_run_does_not_notice_strangers(void **state)
{
    struct script *script;
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    start_stranger();
    script = script__new();
    SENSOR_START(&sensor, "--events", "process_mrelease,mlock*,munlock*", "--output",
                 live__output("json", "events"));
    live__pause_ms(500); /* in which the stranger makes many calls */
    script__run(script, call_each);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    assert_script(lines, script);
    assert_int_equal(lines->count, EVENT_ROWS);
    for (size_t i = 0; i < EVENT_ROWS; i++) {
        struct totals totals = sensor__totals(&sensor, event_rows[i].name);

        assert_int_equal(totals.read, 1);
        assert_int_equal(totals.lost, 0);
        assert_in_range(totals.filtered_by_kernel, CALLS_OF_A_STRANGER, UINT64_MAX);
    }
}

static const char *beside_this(const char *name)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    assert_true(size > 0);
    path[size] = '\0';
    *strrchr(path, '/') = '\0';
    return live__text("%s/%s", path, name);
}

static void assert_passes(pid_t child, const char *name, const char *output)
{
    static char said[64 * 1024];
    int status;

    for (int waited_ms = 0; !waitpid(child, &status, WNOHANG); waited_ms += STEP_MS) {
        assert_true(waited_ms < TIME_MAX_MS);
        live__pause_ms(STEP_MS);
    }
    cleanup__forget_child(child);
    if (!status)
        return;
    caller__read(output, said, sizeof(said));
    fail_msg("%s: %s", name, said);
}

static void tests_side_by_side_beside_a_stranger_pass(void **state)
{
    const char *outputs[OTHERS];
    pid_t children[OTHERS];

    (void)state;
    live__require();
    start_stranger();
    for (int i = 0; i < OTHERS; i++) {
        outputs[i] = live__path(others[i]);
        children[i] = start(beside_this(others[i]), NULL, outputs[i]);
    }
    for (int i = 0; i < OTHERS; i++)
        assert_passes(children[i], others[i], outputs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_run_does_not_notice_strangers),
        LIVE_TEST(tests_side_by_side_beside_a_stranger_pass),
    };

    return cmocka_run_group_tests_name("live: strangers", tests, NULL, NULL);
}
