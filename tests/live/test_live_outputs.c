// SPDX-License-Identifier: Apache-2.0
/* Where lines go: several outputs at once; files that exist, move or are refused. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "harness.h"

#define EVENTS "--events", "munlock,process_mrelease"

static void call_once(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

static void await_file(const char *path)
{
    for (int i = 0; i < 1000 && access(path, F_OK); i++)
        live__pause_ms(5);
    assert_int_equal(access(path, F_OK), 0);
}

static void await_lines(const char *path)
{
    struct stat status = { 0 };

    for (int i = 0; i < 1000 && !(stat(path, &status) == 0 && status.st_size); i++)
        live__pause_ms(5);
    assert_int_not_equal(status.st_size, 0);
}

static size_t line_count(const char *path, const char *text)
{
    char line[4096];
    size_t count = 0;
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

/* -- several ---------------------------------------------------------------------------------- */

static void assert_table(const char *path, const struct script *script, size_t events)
{
    const struct call *call = &script->calls[0];
    const char *row = live__text("%u ", call->caller.host_pid);

    assert_int_equal(line_count(path, "\n"), events + 1);
    assert_int_equal(line_count(path, "TIME "), 1);
    assert_int_equal(line_count(path, "\033"), 0); /* no colours in a file */
    assert_in_range(line_count(path, row), 1, events);
    assert_in_range(line_count(path, "EBADF"), 1, events);
    assert_in_range(line_count(path, "process_mrelease pidfd -1, flags 0\n"), 1, events);
}

static void several_outputs_get_the_same_events(void **state)
{
    const char *json = live__output("json", "json"), *table = live__output("table", "table");
    const char *outputs[] = { json, table, "none", "stdout" };
    unsigned long long delivered, dropped;
    const struct lines *lines;
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, EVENTS, "-o", json, "-o", table, "-o", "none", "-o", "json:stdout");
    script__run(script, call_once);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("json"));
    assert_script(lines, script);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
    assert_table(live__path("table"), script, lines->count);
    outputs[3] = "json:stdout";
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        sensor__delivered(&sensor, outputs[i], &delivered, &dropped);
        assert_int_equal(delivered, lines->count);
        assert_int_equal(dropped, 0);
    }
}

static void two_outputs_to_one_destination_are_refused(void **state)
{
    const char *file = live__output("json", "file"), *again = live__output("table", "file");
    struct sensor sensor;

    (void)state;
    assert_int_equal(
        sensor__run(&sensor, (const char *const[]){ "run", "-o", file, "-o", again, NULL }), 2);
    sensor__assert_one_line(&sensor, live__text("two outputs to %s", live__path("file")));
    assert_int_not_equal(access(live__path("file"), F_OK), 0);
    assert_int_equal(sensor__run(&sensor, (const char *const[]){ "run", "-o", "json", "-o",
                                                                 "table:stdout", NULL }),
                     2);
    sensor__assert_one_line(&sensor, "two outputs to stdout");
}

/* -- files ------------------------------------------------------------------------------------ */

static void a_file_is_appended_to(void **state)
{
    struct script *scripts[2];
    struct sensor sensor;
    const struct lines *lines;

    (void)state;
    live__require();
    for (int i = 0; i < 2; i++) {
        scripts[i] = script__new();
        SENSOR_START(&sensor, EVENTS, "-o", live__output("json", "events"));
        script__run(scripts[i], call_once);
        assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    }
    lines = lines__load(live__path("events"));
    assert_script(lines, scripts[0]);
    assert_script(lines, scripts[1]);
}

static void mask_all(void)
{
    umask(077);
}

static void mask_nothing(void)
{
    umask(0);
}

static void a_new_file_is_for_its_owner_and_group(void **state)
{
    void (*const masks[])(void) = { mask_nothing, mask_all };
    const mode_t modes[] = { 0640, 0600 };

    (void)state;
    live__require();
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        const char *name = i ? "masked" : "unmasked";
        const char *arguments[] = { "run", "-o", live__output("json", name), "-d", "1ms", NULL };
        const struct sensor_options options = { .arguments = arguments, .prepare = masks[i] };
        struct sensor sensor;
        struct stat status;

        sensor__spawn(&sensor, &options);
        assert_int_equal(sensor__wait(&sensor), 0);
        assert_int_equal(stat(live__path(name), &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i]);
    }
}

static void assert_refused(const char *name, const char *why)
{
    struct sensor sensor;

    assert_int_equal(
        sensor__run(&sensor, (const char *const[]){ "run", "-o", live__output("json", name), "-d",
                                                    "1ms", NULL }),
        1);
    sensor__assert_one_line(&sensor, why);
}

static void a_symbolic_link_is_refused(void **state)
{
    struct stat status;
    int fd;

    (void)state;
    fd = open(live__path("target"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    assert_int_equal(symlink("target", live__path("link")), 0);
    assert_int_equal(symlink("absent", live__path("dangling")), 0);
    assert_refused("link", "link is a symbolic link: refused");
    assert_refused("dangling", "dangling is a symbolic link: refused");
    assert_int_equal(stat(live__path("target"), &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_not_equal(access(live__path("absent"), F_OK), 0);
}

static void what_cannot_be_opened_is_one_line(void **state)
{
    (void)state;
    assert_refused("no/such/directory", "no/such/directory: no such directory; what exists is");
    assert_refused("", "Is a directory");
}

static void a_hangup_opens_the_file_anew(void **state)
{
    struct script *before, *after;
    struct sensor sensor;

    (void)state;
    live__require();
    before = script__new();
    after = script__new();
    SENSOR_START(&sensor, EVENTS, "-o", live__output("json", "events"));
    script__run(before, call_once);
    await_lines(live__path("events"));
    assert_int_equal(rename(live__path("events"), live__path("events.1")), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    await_file(live__path("events"));
    script__run(after, call_once);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path("events.1")), before);
    assert_script(lines__load(live__path("events")), after);
    assert_int_equal(lines__of_script(lines__load(live__path("events.1")), after), 0);
}

/* -- what the sensor says of itself ----------------------------------------------------------- */

/* Standard output goes to a file, as a shell or a service manager has it. */
static void a_run_that_ends_in_order_is_proven_complete(void **state)
{
    const char *run[] = { "run", EVENTS, "--extra", "seq", NULL };
    const char *verify[] = { "verify", live__path("events"), NULL };
    const struct sensor_options options = {
        .arguments = run,
        .stdout_fd = open(verify[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644),
    };
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    sensor__spawn(&sensor, &options);
    close(options.stdout_fd);
    sensor__await_ready(&sensor);
    script__run(script, call_once);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(line_count(verify[1], "\"value\":\"started\""), 1);
    assert_int_equal(line_count(verify[1], "\"value\":\"stopped\""), 1);
    assert_int_equal(sensor__run(&sensor, verify), 0);
    assert_non_null(strstr(sensor__stdout(&sensor), "from its start to its end\ncomplete: "));
}

/* Named, it is there without numbers; it counts for nothing, and no scope hides it. */
static void who_names_sensor_state_gets_it(void **state)
{
    const char *file = live__path("events"), *strict = live__path("strict");
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, EVENTS ",sensor_state", "--scope", "comm!=nobody", "--count", "1", "-o",
                 live__output("json", "events"));
    script__run(script, call_once);
    assert_int_equal(sensor__wait(&sensor), 0);
    assert_int_equal(line_count(file, "\n"), 3);
    assert_int_equal(line_count(file, "\"eventName\":\"sensor_state\""), 2);
    assert_int_equal(line_count(file, "scope comm!=nobody"), 1);
    assert_int_equal(line_count(file, "\"name\":\"seq\""), 0);
    script = script__new();
    SENSOR_START(&sensor, EVENTS, "-o", live__output("json", "strict"));
    script__run(script, call_once);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_in_range(line_count(strict, "\n"), 1, UINT64_MAX);
    assert_int_equal(line_count(strict, "sensor_state"), 0);
    SENSOR_START(&sensor, EVENTS ",sensor_state", "-e", "-sensor_state", "-o",
                 live__output("json", "left-out"));
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(line_count(live__path("left-out"), "sensor_state"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(several_outputs_get_the_same_events),
        LIVE_TEST(two_outputs_to_one_destination_are_refused),
        LIVE_TEST(a_file_is_appended_to),
        LIVE_TEST(a_new_file_is_for_its_owner_and_group),
        LIVE_TEST(a_symbolic_link_is_refused),
        LIVE_TEST(what_cannot_be_opened_is_one_line),
        LIVE_TEST(a_hangup_opens_the_file_anew),
        LIVE_TEST(a_run_that_ends_in_order_is_proven_complete),
        LIVE_TEST(who_names_sensor_state_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
