// SPDX-License-Identifier: Apache-2.0
/* Outputs that fail while the program runs: full devices and disks, pipes that nobody reads. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"

enum { MANY = 400, FEW = 25, PIPE_FULL = 3000 };

#define EVENTS "--events", "munlock,process_mrelease"

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

static void call_once(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0);
}

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
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1);
    assert_script(lines__load(live__path("events")), script);
    assert_non_null(
        strstr(sensor__stderr(&sensor),
               "mrelease: warning: json:/dev/full: No space left on device: tried again"));
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
    script__run(script__new(), call_once); /* and none behind it: the reader must be woken */
    assert_int_equal(sensor__wait(&sensor), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), "mrelease: warning: json: Broken pipe: "));
    sensor__delivered(&sensor, "json", &delivered, &dropped);
    assert_int_equal(delivered, 0);
    assert_in_range(dropped, 1, UINT64_MAX);
}

/* More than a pipe holds that the program has enlarged, and less than the queue beside it. */
static void fill_pipe(struct script *script)
{
    (void)script;
    for (int i = 0; i < PIPE_FULL; i++)
        trigger__native(event__find("munlock")->number, 0, 0, 0);
}

/* The output dies while the reader sleeps, and no call comes that would wake it. */
static void a_full_pipe_that_closes_ends_the_run(void **state)
{
    struct sensor_options options = { .arguments = (const char *const[]){ "run", EVENTS, "-o",
                                                                          "json", NULL } };
    struct sensor sensor;
    int ends[2];

    (void)state;
    live__require();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    options.stdout_fd = ends[1];
    sensor__spawn(&sensor, &options);
    close(ends[1]);
    sensor__await_ready(&sensor);
    script__run(script__new(), fill_pipe);
    live__pause_ms(300); /* by then the output waits for room */
    close(ends[0]);
    assert_int_equal(sensor__wait(&sensor), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), "mrelease: warning: json: Broken pipe: "));
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
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1);
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

/* Then there is room again, and everything that waited in the queue follows, each line whole. */
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
    sensor__await_text(&sensor, "No space left on device: tried again until it works");
    lines = lines__load(file);
    assert_in_range(lines->count, 1, MANY - 1);
    assert_int_equal(mount(NULL, live__path("small"), NULL, MS_REMOUNT, "size=8m"), 0);
    script__run(later, call_few);
    sensor__await_text(&sensor, "works again, ");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(file);
    assert_script(lines, later);
    totals = sensor__totals(&sensor, "munlock");
    sensor__delivered(&sensor, output, &delivered, &dropped);
    assert_int_equal(delivered, totals.read);
    assert_int_equal(dropped, 0);
    assert_int_equal(lines->count, totals.read);
}

/* It never gets room: what was read but is not in the file is counted. */
static void a_disk_that_stays_full_is_accounted_for(void **state)
{
    unsigned long long delivered, dropped;
    const char *output;
    struct sensor sensor;
    struct totals totals;

    (void)state;
    live__require();
    mount_small(live__path("small"));
    output = live__output("json", "small/events");
    SENSOR_START(&sensor, "--events", "munlock", "-o", output);
    script__run(script__new(), call_many);
    sensor__await_text(&sensor, "No space left on device: tried again until it works");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1);
    totals = sensor__totals(&sensor, "munlock");
    sensor__delivered(&sensor, output, &delivered, &dropped);
    assert_int_equal(delivered + dropped, totals.read);
    assert_int_equal(delivered, lines__load(live__path("small/events"))->count);
}

/* Each way to run that can lose events says so by its exit status, and which output it was. */
static void a_run_that_keeps_less_than_it_got_fails(void **state)
{
    const char *capture = live__path("capture");
    const char *const cases[][7] = {
        { "demo", "-o", "json:/dev/full" },
        { "replay", capture, "-o", "json:/dev/full" },
        { "replay", capture, "-o", "json:/dev/full", "-o", "none" },
        { "replay", capture, "-o", "none", "--record", "/dev/full" },
    };
    struct sensor sensor;

    (void)state;
    live__require();
    SENSOR_START(&sensor, EVENTS, "-o", "none", "--record", capture);
    script__run(script__new(), call_few);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(sensor__run(&sensor, cases[i]), 1);
        assert_non_null(strstr(sensor__stderr(&sensor), "/dev/full: "));
        assert_non_null(
            strstr(sensor__stderr(&sensor), " events are not in it: No space left on device\n"));
    }
}

static void run_to_full_output(const char *const *arguments)
{
    const struct sensor_options options = { .arguments = arguments,
                                            .stdout_fd = open("/dev/full", O_WRONLY | O_CLOEXEC) };
    struct sensor sensor;

    sensor__spawn(&sensor, &options);
    close(options.stdout_fd);
    assert_int_equal(sensor__wait(&sensor), 1);
    if (!strstr(sensor__stderr(&sensor), " events are not in it: No space left"))
        fail_msg("the program said: %s", sensor__stderr(&sensor));
}

static void a_full_standard_output_fails_the_run(void **state)
{
    (void)state;
    live__require();
    run_to_full_output((const char *const[]){ "demo", NULL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_full_device_costs_its_own_events_only),
        LIVE_TEST(a_closed_pipe_ends_the_run),
        LIVE_TEST(a_full_pipe_that_closes_ends_the_run),
        LIVE_TEST(a_closed_pipe_leaves_the_other_output_alone),
        LIVE_TEST(a_full_disk_cuts_no_line),
        LIVE_TEST(a_disk_that_stays_full_is_accounted_for),
        LIVE_TEST(a_run_that_keeps_less_than_it_got_fails),
        LIVE_TEST(a_full_standard_output_fails_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
