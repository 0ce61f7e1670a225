// SPDX-License-Identifier: Apache-2.0
/* The dialects of one run, and whose program it was that made a call. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "release.h"

#define PYTHON "/usr/bin/python3"

/* As the arguments of this program: make a call for each, and wait for a byte between them. */
#define CALL "--call"

static const char *const rungs[] = { "tp_btf", "raw_tp", "tracepoint" };

/* The C function does nothing in a program with a sanitizer. */
static int unlock_all(void)
{
    return (int)syscall(SYS_munlockall);
}

static int call_as_told(int calls)
{
    char turn;

    for (int i = 0; i < calls; i++)
        if ((i && read(STDIN_FILENO, &turn, 1) != 1) || unlock_all())
            return 1;
    return 0;
}

/* -- the dialects ----------------------------------------------------------------------------- */

/* One line of each file in turn, while there are any. */
static size_t weave(const char *const paths[3], const char *to)
{
    FILE *files[3], *woven = fopen(to, "we");
    static char line[64 * 1024];
    size_t count = 0;

    assert_non_null(woven);
    for (int i = 0; i < 3; i++)
        assert_non_null(files[i] = fopen(paths[i], "re"));
    while (fgets(line, sizeof(line), files[count % 3])) {
        fputs(line, woven);
        count++;
    }
    assert_int_equal(count % 3, 0);
    for (int i = 0; i < 3; i++) {
        assert_null(fgets(line, sizeof(line), files[i]));
        fclose(files[i]);
    }
    fclose(woven);
    return count / 3;
}

static void call_and_release(struct script *script)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    script__call(script, "mlock", (uintptr_t)page, 4096, 0);
    script__call(script, "mlock2", UINT64_MAX, 4096, 1);
    script__call(script, "munlockall", 0, 0, 0);
    script__call(script, "process_mrelease", UINT64_MAX, 1, 0);
    release__act(script);
}

static void assert_agreed(const char *path)
{
    const char *command = live__text(PYTHON " -B " MRL_TEST_DIR "/golden/agree.py %s", path);
    FILE *reader = popen(command, "re");
    char line[512];

    assert_non_null(reader);
    while (fgets(line, sizeof(line), reader))
        print_error("%s", line);
    assert_int_equal(pclose(reader), 0);
}

static void three_dialects_of_one_run_say_the_same(void **state)
{
    const char *paths[] = { live__path("v0.23"), live__path("v0.24"), live__path("v1beta1") };
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    if (access(PYTHON, X_OK)) {
        print_message("# skipped: there is no " PYTHON "\n");
        skip();
    }
    script = script__new();
    SENSOR_START(&sensor, "--events", "default,mlock*,munlock*", "--extra", "exe", "-o",
                 live__output("json-v0.23", "v0.23"), "-o", live__output("json-v0.24", "v0.24"),
                 "-o", live__output("json-v1beta1", "v1beta1"));
    script__run(script, call_and_release);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_true(weave(paths, live__path("woven")) > script->count);
    assert_agreed(live__path("woven"));
    assert_false(unlink(live__path("woven"))); /* no output: its lines are of several dialects */
}

/* -- the caller's executable ------------------------------------------------------------------ */

static void copy_program(const char *to)
{
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int file = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    struct stat status;

    assert_true(from >= 0 && file >= 0 && !fstat(from, &status));
    for (off_t at = 0; at < status.st_size;)
        assert_true(sendfile(file, from, &at, (size_t)(status.st_size - at)) > 0);
    close(from);
    close(file);
}

/* Calls as this program, and then as the other one: the task is the same. Returns its number. */
static pid_t call_twice(const char *program)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        unlock_all();
        unlock_all();
        execl(program, program, CALL, NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return child;
}

static const char *path_of(const struct line *line)
{
    return json__text(json_object_get(line->json, "executable"), "path");
}

static const char *own_path(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    assert_true(size > 0);
    path[size] = '\0';
    return path;
}

static void the_executable_is_the_callers_on_every_rung(void **state)
{
    const char *program = live__path("another-program");

    (void)state;
    live__require();
    copy_program(program);
    live__add_caller("another-program");
    for (size_t i = 0; i < COUNT_OF(rungs); i++) {
        const char *file = live__text("exe-%s", rungs[i]);
        const struct lines *lines;
        struct sensor sensor;
        uint32_t tid;

        SENSOR_START(&sensor, "--events", "munlockall", "--rung", rungs[i], "--extra", "exe", "-o",
                     live__output("json", file));
        tid = (uint32_t)call_twice(program);
        assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
        lines = lines__load(live__path(file));
        assert_int_equal(lines__count(lines, "munlockall", tid), 3);
        assert_string_equal(path_of(lines__find(lines, "munlockall", tid, 0)), own_path());
        assert_string_equal(path_of(lines__find(lines, "munlockall", tid, 1)), own_path());
        assert_string_equal(path_of(lines__find(lines, "munlockall", tid, 2)), program);
    }
}

/* A file that is moved keeps the name under which its program began to call. */
static void the_executable_keeps_the_path_that_was_seen_first(void **state)
{
    const char *old = live__path("old-name"), *new = live__path("new-name");
    int turns[2], done, status;
    const struct lines *lines;
    struct sensor sensor;
    pid_t child;

    (void)state;
    live__require();
    copy_program(old);
    live__add_caller("old-name");
    assert_int_equal(pipe2(turns, 0), 0);
    SENSOR_START(&sensor, "--events", "munlockall", "--extra", "exe", "-o",
                 live__output("json", "events"));
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        dup2(turns[0], STDIN_FILENO);
        close(turns[1]);
        execl(old, old, CALL, CALL, NULL);
        _exit(1);
    }
    close(turns[0]);
    while (!lines__count_of_file(live__path("events")))
        live__pause_ms(5);
    assert_int_equal(rename(old, new), 0);
    assert_int_equal(write(turns[1], "", 1), 1);
    done = waitpid(child, &status, 0);
    close(turns[1]);
    assert_true(done == child && !status);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(path_of(lines__find(lines, "munlockall", (uint32_t)child, i)), old);
}

/* Deeper than the probes walk, and longer than a record has room for. */
static void an_executable_too_deep_shows_that_its_path_is_cut(void **state)
{
    char path[PATH_MAX];
    const struct lines *lines;
    struct sensor sensor;
    const char *shown;
    uint32_t tid;
    int size;

    (void)state;
    live__require();
    size = snprintf(path, sizeof(path), "%s", live__path("deep"));
    for (int i = 0; i < 40; i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        size += snprintf(path + size, sizeof(path) - (size_t)size, "/directory-%d", i);
    }
    copy_program(path);
    live__add_caller("directory-39");
    SENSOR_START(&sensor, "--events", "munlockall", "--extra", "exe", "-o",
                 live__output("json", "events"));
    tid = (uint32_t)call_twice(path);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    shown = path_of(lines__find(lines, "munlockall", tid, 2));
    assert_memory_equal(shown, ".../directory-", strlen(".../directory-"));
    assert_string_equal(shown + 3, path + strlen(path) - strlen(shown + 3));
}

static void the_executable_is_empty_unless_it_is_asked_for(void **state)
{
    struct script *script;
    const struct lines *lines;

    (void)state;
    live__require();
    script = script__new();
    lines = release__run("default", script, release__act);
    assert_string_equal(path_of(release__find(lines, script, release__call(script))), "");
}

/* Two paths in one record: the target's and the caller's. */
static void a_release_shows_both_executables(void **state)
{
    struct script *script;
    struct sensor sensor;
    const struct lines *lines;
    const struct line *line;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--extra", "exe", "-o", live__output("json", "events"));
    script__run(script, release__act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    lines = lines__load(live__path("events"));
    line = release__find(lines, script, release__call(script));
    assert_string_equal(path_of(line), own_path());
    assert_string_equal(release__text(line, "target_exe"), script->victim.path);
    line = lines__find(lines, "process_mrelease", release__call(script)->caller.host_tid, 0);
    assert_string_equal(path_of(line), own_path());
}

/* What a capture holds of the paths, a replay shows. */
static void a_replay_shows_the_executables_that_were_recorded(void **state)
{
    const char *recorded = live__path("recorded"), *again = live__output("json-v1beta1", "again");
    static char texts[2][256 * 1024];
    struct script *script;
    struct sensor sensor;

    (void)state;
    live__require();
    script = script__new();
    SENSOR_START(&sensor, "--record", recorded, "-o", live__output("json-v1beta1", "live"));
    script__run(script, release__act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(
        sensor__run(&sensor, (const char *const[]){ "replay", recorded, "-o", again, NULL }), 0);
    assert_true(caller__read(live__path("live"), texts[0], sizeof(texts[0])) > 0);
    assert_true(caller__read(live__path("again"), texts[1], sizeof(texts[1])) > 0);
    assert_string_equal(texts[1], texts[0]);
    assert_non_null(strstr(texts[0], live__text("{\"path\":\"%s\"}", own_path())));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(three_dialects_of_one_run_say_the_same),
        LIVE_TEST(the_executable_is_the_callers_on_every_rung),
        LIVE_TEST(the_executable_keeps_the_path_that_was_seen_first),
        LIVE_TEST(an_executable_too_deep_shows_that_its_path_is_cut),
        LIVE_TEST(the_executable_is_empty_unless_it_is_asked_for),
        LIVE_TEST(a_release_shows_both_executables),
        LIVE_TEST(a_replay_shows_the_executables_that_were_recorded),
    };

    if (argc > 1 && !strcmp(argv[1], CALL))
        return call_as_told(argc - 1);
    return cmocka_run_group_tests_name("live: dialects", tests, NULL, NULL);
}
