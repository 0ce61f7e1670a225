// SPDX-License-Identifier: Apache-2.0
/* Where lines go: several outputs, files that exist, move, fill up or are refused, closed pipes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include "harness.h"

enum { MANY = 400, FEW = 25, QUIET_MS = 300 };

#define EVENTS "--events", "munlock,process_mrelease"

static void call_once(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

static void call_few(struct script *script)
{
    for (int i = 0; i < FEW; i++)
        script__call(script, "munlock", 0, 0, 0);
}

/* Too many to write each down; the last one tells who made them. */
static void call_many(struct script *script)
{
    for (int i = 1; i < MANY; i++)
        trigger__native(event__find("munlock")->number, 0, 0, 0);
    script__call(script, "munlock", 0, 0, 0);
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
    assert_in_range(line_count(path, "process_mrelease  pidfd: -1, flags: 0\n"), 1, events);
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

/* -- failures while running ------------------------------------------------------------------- */

static void a_full_device_costs_its_own_events_only(void **state)
{
    unsigned long long delivered, dropped;
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, EVENTS, "-o", "json:/dev/full", "-o", live__output("json", "events"));
    script__run(script, call_few);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path("events")), script);
    assert_non_null(
        strstr(sensor__stderr(&sensor),
               "mrelease: json:/dev/full: No space left on device: events are dropped"));
    sensor__delivered(&sensor, "json:/dev/full", &delivered, &dropped);
    assert_int_equal(delivered, 0);
    assert_in_range(dropped, FEW, UINT64_MAX);
}

/* A pipe that nobody reads any more. */
static void start_with_closed_pipe(struct sensor *sensor, const char *const *arguments)
{
    struct sensor_options options = { .arguments = arguments };
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    options.stdout_fd = ends[1];
    sensor__spawn(sensor, &options);
    close(ends[0]);
    close(ends[1]);
    sensor__await_ready(sensor);
}

static void a_closed_pipe_ends_the_run(void **state)
{
    unsigned long long delivered, dropped;
    struct sensor sensor;

    (void)state;
    live__require();
    start_with_closed_pipe(&sensor, (const char *const[]){ "run", EVENTS, "-o", "json", NULL });
    script__run(script__new(), call_few);
    assert_int_equal(sensor__wait(&sensor), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), "mrelease: json: Broken pipe: "));
    sensor__delivered(&sensor, "json", &delivered, &dropped);
    assert_int_equal(delivered, 0);
    assert_in_range(dropped, 1, UINT64_MAX);
}

static void a_closed_pipe_leaves_the_other_output_alone(void **state)
{
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    start_with_closed_pipe(&sensor, (const char *const[]){ "run", EVENTS, "-o", "json", "-o",
                                                           live__output("json", "events"), NULL });
    script__run(script, call_few);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(live__path("events")), script);
}

static void unmount(void *path)
{
    umount2(path, MNT_DETACH);
}

static void mount_small(const char *path)
{
    live__private_mounts();
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "size=32k"), 0);
    cleanup__add(unmount, (void *)(uintptr_t)path);
}

/* Then there is room again, and it goes on with whole lines. */
static void a_full_disk_cuts_no_line(void **state)
{
    unsigned long long delivered, dropped;
    const char *output, *file;
    struct script *later;
    const struct lines *lines;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    mount_small(live__path("small"));
    output = live__output("json", "small/events");
    file = live__path("small/events");
    later = script__new();
    SENSOR_START(&sensor, "--events", "munlock", "-o", output);
    script__run(script__new(), call_many);
    sensor__await_text(&sensor, "No space left on device: events are dropped until it works again");
    live__pause_ms(QUIET_MS); /* so that nothing is written between reading and emptying the file */
    lines = lines__load(file);
    assert_in_range(lines->count, 1, MANY - 1);
    assert_int_equal(truncate(file, 0), 0);
    script__run(later, call_few);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_script(lines__load(file), later);
    assert_non_null(strstr(sensor__stderr(&sensor), "works again, "));
    totals = sensor__totals(&sensor, "munlock");
    sensor__delivered(&sensor, output, &delivered, &dropped);
    assert_int_equal(delivered + dropped, totals.read);
    assert_int_equal(delivered, lines->count + lines__load(file)->count);
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
        LIVE_TEST(a_full_device_costs_its_own_events_only),
        LIVE_TEST(a_closed_pipe_ends_the_run),
        LIVE_TEST(a_closed_pipe_leaves_the_other_output_alone),
        LIVE_TEST(a_full_disk_cuts_no_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
