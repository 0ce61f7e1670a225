// SPDX-License-Identifier: Apache-2.0
/* A run that is started by a configuration file, by a profile, and by both with options beside
 * them. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static const char *config_path;

static void write_config(const char *text)
{
    FILE *file;

    config_path = live__path("mrelease.yaml");
    file = fopen(config_path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* -- files ------------------------------------------------------------------------------------ */

static const char *seen_event;

/* Both calls are made; one of them is in force. */
static void call_two(struct script *script)
{
    static const char *const events[] = { "mlock", "munlock" };

    for (size_t i = 0; i < COUNT_OF(events); i++)
        script__call(script, events[i], UINT64_MAX, UINT64_MAX, UINT64_MAX)->unseen =
            strcmp(events[i], seen_event) != 0;
}

static void assert_sees(const char *event, const char *file, const struct sensor_options *options)
{
    struct script *script = script__new();
    struct sensor sensor;

    seen_event = event;
    sensor__spawn(&sensor, options);
    sensor__await_ready(&sensor);
    script__run(script, call_two);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path(file)), script);
}

static void a_file_says_what_runs(void **state)
{
    const char *arguments[] = { "run", "--config", NULL, NULL };
    const struct sensor_options options = { .arguments = arguments };

    (void)state;
    live__require();
    write_config(live__text("events: [mlock]\noutput:\n  - json:%s\n", live__path("events")));
    arguments[2] = config_path;
    assert_sees("mlock", "events", &options);
}

static void the_command_line_overrides_the_file(void **state)
{
    const char *arguments[] = { "run", "--output", NULL,      "--config",
                                NULL,  "--events", "munlock", NULL };
    const struct sensor_options options = { .arguments = arguments };

    (void)state;
    live__require();
    write_config(live__text("events: mlock\noutput: ['json:%s', none]\n", live__path("other")));
    arguments[2] = live__output("json", "events");
    arguments[4] = config_path;
    assert_sees("munlock", "events", &options);
    assert_int_not_equal(access(live__path("other"), F_OK), 0);
}

static void read_config_from_stdin(void)
{
    int fd = open(config_path, O_RDONLY);

    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
        _exit(1);
}

static void a_file_may_be_standard_input(void **state)
{
    static const char *const arguments[] = { "run", "--config", "-", NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = read_config_from_stdin };

    (void)state;
    live__require();
    write_config(live__text("events: mlock\noutput: json:%s\n", live__path("events")));
    assert_sees("mlock", "events", &options);
}

static void a_wrong_file_starts_nothing(void **state)
{
    const char *arguments[] = { "run", "--config", NULL, NULL };
    struct sensor sensor;

    (void)state;
    write_config(live__text("output: json:%s\nevnets: mlock\n", live__path("events")));
    arguments[2] = config_path;
    assert_int_equal(sensor__run(&sensor, arguments), 2);
    sensor__assert_one_line(&sensor,
                            "mrelease.yaml:2:1: unknown key 'evnets': did you mean 'events'?");
    assert_int_not_equal(access(live__path("events"), F_OK), 0);
    arguments[2] = "/nonexistent/mrelease.yaml";
    assert_int_equal(sensor__run(&sensor, arguments), 1);
    sensor__assert_one_line(&sensor, "/nonexistent/mrelease.yaml: No such file or directory");
}

/* -- profiles --------------------------------------------------------------------------------- */

static void fail_once(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

/* The arguments of the one call that was made, as "name,name,…,": Tracee's own first. `more`:
 * names that are among the others, or NULL where there must be none. */
static void assert_arguments(const char *profile, const char *const *more)
{
    const char *arguments[] = {
        "run", "--profile", profile, "--output", live__output("json", profile), NULL
    };
    struct script *script = script__new();
    struct sensor sensor;
    const struct line *line;
    char names[1024] = "";
    const json_t *argument;
    size_t index;

    sensor__start(&sensor, arguments);
    script__run(script, fail_once);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    line = lines__find(lines__load(live__path(profile)), "process_mrelease",
                       (uint32_t)script->calls[0].caller.host_tid, 0);
    json_array_foreach(json_object_get(line->json, "args"), index, argument)
    {
        strncat(names, json__text(argument, "name"), sizeof(names) - strlen(names) - 1);
        strncat(names, ",", sizeof(names) - strlen(names) - 1);
    }
    if (!more)
        assert_string_equal(names, "pidfd,flags,");
    assert_ptr_equal(strstr(names, "pidfd,flags,"), names);
    for (; more && *more; more++)
        if (!strstr(names, live__text(",%s,", *more)))
            fail_msg("no '%s' in %s", *more, names);
}

static void a_profile_switches_on_what_it_says(void **state)
{
    static const char *const soc[] = { "seq", "lane", "target_host_pid", "outcome", NULL };

    (void)state;
    live__require();
    assert_arguments("default", NULL);
    assert_arguments("soc", soc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_file_says_what_runs),
        LIVE_TEST(the_command_line_overrides_the_file),
        LIVE_TEST(a_file_may_be_standard_input),
        LIVE_TEST(a_wrong_file_starts_nothing),
        LIVE_TEST(a_profile_switches_on_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
