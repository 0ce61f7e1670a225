// SPDX-License-Identifier: Apache-2.0
/* Names of processes and hosts that hold what names should not: byte for byte as Go writes them. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>

#include "harness.h"

/* The bytes that are set; the text that a JSON reader must get; what stands in the line. */
struct name_case {
    const char *bytes, *decoded, *written;
};

static const struct name_case names[] = {
    { "", "", "" },
    { "x", "x", "x" },
    { "fifteen-bytes-x", "fifteen-bytes-x", "fifteen-bytes-x" },
    { "sixteen-bytes-xy", "sixteen-bytes-x", "sixteen-bytes-x" },
    { "a<b>&c", "a<b>&c", "a\\u003cb\\u003e\\u0026c" },
    { "say \"hi\"\\", "say \"hi\"\\", "say \\\"hi\\\"\\\\" },
    { "\\u003c\\n", "\\u003c\\n", "\\\\u003c\\\\n" },
    { "\x01\x1f\x7f\x0b", "\x01\x1f\x7f\x0b", "\\u0001\\u001f\x7f\\u000b" },
    { "\b\f\n\r\t/", "\b\f\n\r\t/", "\\b\\f\\n\\r\\t/" },
    { "bad\xff\xfe\x80z", "bad\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz", "bad\\ufffd\\ufffd\\ufffdz" },
    { "cut\xe2\x82", "cut\xef\xbf\xbd\xef\xbf\xbd", "cut\\ufffd\\ufffd" },
    { "\xc0\xaf\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd" },
    { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\ufffd\\ufffd\\ufffd\\ufffd" },
    { "\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" },
    { "\xef\xbf\xbd\xe2\x82\xac\xf0\x9f\x90\xa7", "\xef\xbf\xbd\xe2\x82\xac\xf0\x9f\x90\xa7",
      "\xef\xbf\xbd\xe2\x82\xac\xf0\x9f\x90\xa7" },
    { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
    /* The 15th byte is the middle of a character. */
    { "fourteen-bytes\xc3\xbc", "fourteen-bytes\xef\xbf\xbd", "fourteen-bytes\\ufffd" },
};

enum { NAME_COUNT = COUNT_OF(names) };

/* Each call has a name of its own; the host is renamed in a UTS namespace of the script's own. */
static void call_under_names(struct script *script)
{
    script__check(script, !unshare(CLONE_NEWUTS), "a new UTS namespace");
    for (unsigned int i = 0; i < NAME_COUNT; i++) {
        const struct name_case *host = &names[NAME_COUNT - 1 - i];
        struct call *call;

        prctl(PR_SET_NAME, names[i].bytes);
        script__check(script, !sethostname(host->bytes, strlen(host->bytes)), "sethostname");
        call = script__call(script, i % 2 ? "munlockall" : "process_mrelease", UINT64_MAX, 0, 0);
        strcpy(call->caller.name, names[i].decoded);
        strcpy(call->caller.host_name, host->decoded);
    }
}

static void assert_written(const struct line *line, const char *key, const char *written)
{
    const char *expected = live__text(",\"%s\":\"%s\",", key, written);

    if (!strstr(line->text, expected))
        fail_msg("%s is missing from: %s", expected, line->text);
}

static const struct script *run_names(const char *rung, const char *name)
{
    struct script *script = script__new();
    struct sensor sensor;

    SENSOR_START(&sensor, "--events", "process_mrelease,munlockall", "--rung", rung, "--output",
                 live__output("json", name));
    script__run(script, call_under_names);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(script->count, NAME_COUNT);
    return script;
}

static void names_are_written_as_go_writes_them(void **state)
{
    const struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    live__scope_to_namespace();
    script = run_names("auto", "events");
    lines = lines__load(live__path("events"));
    assert_script(lines, script);
    for (unsigned int i = 0; i < NAME_COUNT; i++) {
        const struct line *line = line_of_call(lines, script, &script->calls[i]);

        assert_written(line, "processName", names[i].written);
        assert_written(line, "hostName", names[NAME_COUNT - 1 - i].written);
    }
}

/* -- the thread's name, and when it is taken -------------------------------------------------- */

static void call_with_name(struct script *script)
{
    prctl(PR_SET_NAME, "the-thread");
    script__call(script, "munlockall", 0, 0, 0);
}

static void call_from_named_thread(struct script *script)
{
    prctl(PR_SET_NAME, "the-process");
    script__thread(script, call_with_name);
    script__call(script, "munlockall", 0, 0, 0);
}

static void the_name_is_that_of_the_thread(void **state)
{
    struct script *script;
    const struct lines *lines;
    struct sensor sensor;

    (void)state;
    live__require();
    live__scope_to_namespace();
    script = script__new();
    SENSOR_START(&sensor, "--events", "munlockall", "--output", live__output("json", "events"));
    script__run(script, call_from_named_thread);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_string_equal(script->calls[0].caller.name, "the-thread");
    assert_string_equal(script->calls[1].caller.name, "the-process");
    lines = lines__load(live__path("events"));
    assert_script(lines, script);
}

/* -- judged from outside ---------------------------------------------------------------------- */

static void python_writes_the_same_lines(void **state)
{
    int status;

    (void)state;
    live__require();
    live__scope_to_namespace();
    if (access("/usr/bin/python3", X_OK)) {
        puts("# skipped: needs python3");
        skip();
    }
    run_names("auto", "events");
    run_names("auto", "events"); /* appended */
    assert_in_range(lines__load(live__path("events"))->count, 2 * NAME_COUNT, SIZE_MAX);
    status = system(live__text("/usr/bin/python3 %s/live/reserialise.py %s", MRL_TEST_DIR,
                               live__path("events")));
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(names_are_written_as_go_writes_them),
        LIVE_TEST(the_name_is_that_of_the_thread),
        LIVE_TEST(python_writes_the_same_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
