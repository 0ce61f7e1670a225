// SPDX-License-Identifier: Apache-2.0
/* Recording what happens, and showing it again: the same bytes, without privileges. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"
#include "release.h"

#define EVENTS "--events", "process_mrelease,do_mrelease,munlock"

static const char *plain_cgroup, *container_cgroup;

static off_t size_of(const char *path)
{
    struct stat file;

    assert_int_equal(stat(path, &file), 0);
    return file.st_size;
}

static void assert_same_bytes(const char *path, const char *other)
{
    static char bytes[2][1 << 20];
    const char *paths[] = { path, other };
    size_t sizes[2];

    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(paths[i], "re");

        assert_non_null(file);
        sizes[i] = fread(bytes[i], 1, sizeof(bytes[i]), file);
        fclose(file);
    }
    assert_in_range(sizes[0], 1, sizeof(bytes[0]) - 1);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
}

/* Calls from the host and from a container, and a victim that is released there. */
static void act(struct script *script)
{
    script__call(script, "munlock", 0, 0, 0);
    script__check(script, cgroup__enter(container_cgroup), "entering a container's cgroup");
    script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
    release__act(script);
    script__check(script, cgroup__enter(plain_cgroup), "leaving a container's cgroup");
}

/* Records to "capture", beside json lines in "live". */
static struct script *record(void)
{
    struct script *script = script__new();
    struct sensor sensor;

    plain_cgroup = cgroup__make("plain");
    container_cgroup =
        cgroup__make("engine/docker-"
                     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope");
    if (!plain_cgroup || !container_cgroup)
        skip();
    SENSOR_START(&sensor, EVENTS, "--record", live__path("capture"), "--output",
                 live__output("json", "live"));
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    return script;
}

/* -- the same again --------------------------------------------------------------------------- */

static void drop_all_capabilities(void)
{
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static void replay_prints_what_the_live_run_printed(void **state)
{
    const char *arguments[] = { "replay", live__path("capture"), NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = drop_all_capabilities };
    const struct lines *lines;
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = record();
    lines = lines__load(live__path("live"));
    assert_true(lines__of_script(lines, script) >= 4);
    assert_in_range(lines__count(lines, "do_mrelease", 0), 1, lines->count);
    assert_non_null(strstr(lines__find(lines, "do_mrelease", 0, 0)->text,
                           "\"target_container_id\",\"type\":\"const char*\",\"value\":\"0123"));
    for (int i = 0; i < 2; i++) {
        sensor__spawn(&sensor, &options);
        assert_int_equal(sensor__wait(&sensor), 0);
        assert_same_bytes(live__path("live"), sensor.stdout_path);
    }
}

static void copy_to_standard_input(void)
{
    dup2(open(live__path("capture"), O_RDONLY | O_CLOEXEC), STDIN_FILENO);
}

static void replay_of_standard_input_selects_and_counts(void **state)
{
    const char *arguments[] = { "replay", "-",       "--events", "munlock", "--output",
                                "table",  "--count", "1",        NULL };
    const struct sensor_options options = { .arguments = arguments,
                                            .prepare = copy_to_standard_input };
    struct sensor sensor;
    const char *printed;

    (void)state;
    live__require();
    record();
    sensor__spawn(&sensor, &options);
    assert_int_equal(sensor__wait(&sensor), 0);
    printed = sensor__stdout(&sensor);
    assert_non_null(strstr(printed, "munlock"));
    assert_null(strstr(printed, "process_mrelease"));
    assert_ptr_equal(strrchr(printed, '\n'), strchr(strchr(printed, '\n') + 1, '\n'));
}

static void replay_can_be_recorded_again(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    record();
    assert_int_equal(
        sensor__run(&sensor, (const char *const[]){ "replay", live__path("capture"), "--record",
                                                    live__path("copy"), "--output", "none", NULL }),
        0);
    assert_same_bytes(live__path("capture"), live__path("copy"));
}

/* -- ends ------------------------------------------------------------------------------------- */

static void call_often(struct script *script)
{
    for (int i = 0; i < CALLS_MAX; i++)
        script__call(script, "process_mrelease", UINT64_MAX, 0, 0);
}

/* What was written before kill -9 is there. */
static void recording_that_was_killed_is_replayed_up_to_its_end(void **state)
{
    const char *arguments[] = { "replay", live__path("capture"), NULL };
    struct script *script;
    struct sensor sensor;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, EVENTS, "--record", live__path("capture"), "--output", "none");
    script__run(script, call_often);
    for (int i = 0; i < 400 && !size_of(live__path("capture")); i++)
        live__pause_ms(5);
    live__pause_ms(200);
    assert_int_equal(kill(sensor.pid, SIGKILL), 0);
    assert_int_equal(waitpid(sensor.pid, NULL, 0), sensor.pid);
    cleanup__forget_child(sensor.pid);
    assert_int_equal(sensor__run(&sensor, arguments), 0);
    assert_non_null(strstr(sensor__stderr(&sensor), "warning: "));
    assert_non_null(strstr(sensor__stderr(&sensor), "ends here without its last frame"));
    lines = lines__parse(sensor__stdout(&sensor));
    assert_script(lines, script);
    assert_int_equal(truncate(live__path("capture"), size_of(live__path("capture")) - 3), 0);
    assert_int_equal(sensor__run(&sensor, arguments), 0);
    assert_non_null(strstr(sensor__stderr(&sensor), "it is torn here"));
    assert_int_equal(lines__parse(sensor__stdout(&sensor))->count, lines->count - 1);
}

static void replay_of_a_damaged_capture_ends_as_failed(void **state)
{
    const char *arguments[] = { "replay", live__path("capture"), NULL };
    struct sensor sensor;
    off_t middle;
    char byte;
    int fd;

    (void)state;
    live__require();
    record();
    middle = size_of(live__path("capture")) / 2;
    fd = open(live__path("capture"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, middle), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, middle), 1);
    close(fd);
    assert_int_equal(sensor__run(&sensor, arguments), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), live__text("%s: at byte ", arguments[1])));
    assert_non_null(strstr(sensor__stderr(&sensor), "checksum"));
    assert_in_range(lines__parse(sensor__stdout(&sensor))->count, 1,
                    lines__load(live__path("live"))->count - 1);
}

static int pipe_of_nobody[2];

static void read_from_pipe(void)
{
    dup2(pipe_of_nobody[0], STDIN_FILENO);
}

/* Nothing was written to the pipe yet, so that there is no session to end. */
static void replay_of_a_silent_pipe_ends_by_a_signal(void **state)
{
    const char *arguments[] = { "replay", "-", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = read_from_pipe };
    struct sensor sensor;

    (void)state;
    assert_int_equal(pipe2(pipe_of_nobody, O_CLOEXEC), 0);
    sensor__spawn(&sensor, &options);
    sensor__await_handler(&sensor, SIGINT);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    close(pipe_of_nobody[0]);
    close(pipe_of_nobody[1]);
    assert_string_equal(sensor__stderr(&sensor), "");
}

/* -- a service -------------------------------------------------------------------------------- */

static void call_few(struct script *script)
{
    for (int i = 0; i < 3; i++)
        script__call(script, "munlock", 0, 0, 0);
}

static void record_as_a_service(const char *config)
{
    struct sensor sensor;

    SENSOR_START(&sensor, "--config", config);
    script__run(script__new(), call_few);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

static size_t replayed_from(const char *path)
{
    const char *arguments[] = { "replay", path, NULL };
    struct sensor sensor;

    assert_int_equal(sensor__run(&sensor, arguments), 0);
    return lines__parse(sensor__stdout(&sensor))->count;
}

/* It is started again and again, with the same settings. */
static void a_service_that_starts_again_records_to_a_file_of_its_own(void **state)
{
    const char *path = live__path("calls"), *config = live__path("config.yaml");
    FILE *file = fopen(config, "we");

    (void)state;
    live__require();
    assert_non_null(file);
    fprintf(file, "events: [munlock]\noutput: none\nrecord: rotate=1G,keep=2:%s\n", path);
    fclose(file);
    for (int i = 0; i < 3; i++)
        record_as_a_service(config);
    for (int i = 0; i < 3; i++)
        assert_in_range(replayed_from(i ? live__text("%s.%d", path, i) : path), 3, SIZE_MAX);
}

/* -- refusals --------------------------------------------------------------------------------- */

static void recording_to_what_is_no_recording_is_refused(void **state)
{
    const char *text = live__path("text"), *link = live__path("link");
    const struct {
        const char *path, *said;
    } cases[] = {
        { text, ": holds something already" },
        { link, " is a symbolic link: refused" },
        { live__path("missing/capture"), ": no such directory" },
    };
    FILE *file = fopen(text, "we");
    struct sensor sensor;

    (void)state;
    assert_non_null(file);
    fputs("text\n", file);
    fclose(file);
    assert_int_equal(symlink(text, link), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(
            sensor__run(&sensor, (const char *const[]){ "run", "--record", cases[i].path, NULL }),
            1);
        sensor__assert_one_line(&sensor, live__text("%s%s", cases[i].path, cases[i].said));
    }
    assert_int_equal(size_of(text), 5);
}

static void replay_of_what_is_no_capture_is_refused(void **state)
{
    const struct {
        const char *const arguments[5];
        int status;
        const char *said;
    } cases[] = {
        { { "replay", MRL_TEST_DIR "/CMakeLists.txt" }, 1, "CMakeLists.txt: it is no capture" },
        { { "replay", "/nowhere" }, 1, "/nowhere: No such file or directory" },
        { { "replay", "--sandbox-paths", "/nowhere", "-" },
          1,
          "--sandbox-paths: /nowhere: No such" },
        { { "replay" }, 2, "which capture?" },
        { { "replay", "one", "two" }, 2, "unexpected operand 'two'" },
        { { "replay", "--rung", "raw_tp" }, 2, "unknown option '--rung'" },
        { { "replay", "--control", "off", "-" }, 2, "unknown option '--control'" },
        { { "run", "--output", "capture:file" }, 2, "'capture' is what --record FILE writes" },
    };
    struct sensor sensor;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(sensor__run(&sensor, cases[i].arguments), cases[i].status);
        sensor__assert_one_line(&sensor, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(replay_prints_what_the_live_run_printed),
        LIVE_TEST(replay_of_standard_input_selects_and_counts),
        LIVE_TEST(replay_can_be_recorded_again),
        LIVE_TEST(recording_that_was_killed_is_replayed_up_to_its_end),
        LIVE_TEST(replay_of_a_damaged_capture_ends_as_failed),
        LIVE_TEST(replay_of_a_silent_pipe_ends_by_a_signal),
        LIVE_TEST(a_service_that_starts_again_records_to_a_file_of_its_own),
        LIVE_TEST(recording_to_what_is_no_recording_is_refused),
        LIVE_TEST(replay_of_what_is_no_capture_is_refused),
    };

    return cmocka_run_group_tests_name("live, replay", tests, NULL, NULL);
}
