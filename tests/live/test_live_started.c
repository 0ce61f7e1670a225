// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a container has started: made by hand as runtimes make them, a first process of PID and
 * mount namespaces of its own, which is the runtime's until it executes the container's program.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "container.h"
#include "harness.h"

/* Who calls. */
enum mark {
    RUNTIME = 1,  /* the first process, before it executes anything */
    HOOK,         /* a child of it then */
    PROGRAM,      /* the first process, when it has */
    CHILD,        /* a child of it */
    NESTED,       /* the first process of a PID namespace within, which executes nothing, */
    NESTED_DEEP,  /* and one in a cgroup within as well */
    ENTERED,      /* who comes in later, and has executed nothing there */
    SHARING,      /* a process that shares the host's PID namespace, */
    SHARING_FIRST /* and the first one of a PID namespace that it makes */
};

enum { MARKS = SHARING_FIRST + 1, PAGE = 4096, FAILED = 1, NAME_BYTES = 16 };

static const bool started[MARKS] = {
    [PROGRAM] = true, [CHILD] = true,   [NESTED] = true,        [NESTED_DEEP] = true,
    [ENTERED] = true, [SHARING] = true, [SHARING_FIRST] = true,
};

/* -- in the container ------------------------------------------------------------------------- */

static void call(enum mark mark)
{
    syscall(SYS_munlock, (unsigned long)mark * PAGE, 0UL);
}

static void wait_for(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child || status)
        _exit(FAILED);
}

/* In another cgroup, unless that is NULL. */
static void call_in_child(enum mark mark, const char *directory)
{
    pid_t child = fork();

    if (!child) {
        if (directory && !cgroup__enter(directory))
            _exit(FAILED);
        call(mark);
        _exit(0);
    }
    wait_for(child);
}

static void unshare_or_die(int flags)
{
    if (unshare(flags))
        _exit(FAILED);
}

/* As the first process of a PID namespace. */
static void call_in_namespace(enum mark mark, const char *directory)
{
    pid_t child = fork();

    if (!child) {
        unshare_or_die(CLONE_NEWPID);
        call_in_child(mark, directory);
        _exit(0);
    }
    wait_for(child);
}

/* What the container's program does: in another process image, hence from main(). */
static int be_program(const char *name, const char *within, int done)
{
    char byte;

    prctl(PR_SET_NAME, name);
    call(PROGRAM);
    call_in_child(CHILD, NULL);
    call_in_namespace(NESTED, NULL);
    call_in_namespace(NESTED_DEEP, within);
    close(done);
    return read(STDIN_FILENO, &byte, 1) != 0; /* until it may end */
}

/* The runtime's part of a first process. */
__attribute__((noreturn)) static void begin_container(const char *directory,
                                                      const char *within,
                                                      const int end[2],
                                                      int done)
{
    char path[4096] = "", name[NAME_BYTES], descriptor[16];

    unshare_or_die(CLONE_NEWNS);
    if (!cgroup__enter(directory))
        _exit(FAILED);
    call(RUNTIME);
    call_in_child(HOOK, NULL);
    prctl(PR_GET_NAME, name);
    snprintf(descriptor, sizeof(descriptor), "%d", done);
    dup2(end[0], STDIN_FILENO);
    close(end[1]);
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) > 0)
        execl(path, path, "--program", name, within, descriptor, NULL);
    _exit(FAILED);
}

/* -- outside of it ---------------------------------------------------------------------------- */

/* As "runc exec". */
static void enter(const char *directory, pid_t first)
{
    pid_t child = fork();
    char path[64];

    if (!child) {
        snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)first);
        if (setns(open(path, O_RDONLY | O_CLOEXEC), CLONE_NEWPID) || !cgroup__enter(directory))
            _exit(FAILED);
        call_in_child(ENTERED, NULL);
        _exit(0);
    }
    wait_for(child);
}

/* Who makes it stays outside, as a runtime's shim. */
static void run_container(const char *directory, const char *within)
{
    int end[2], done[2];
    pid_t shim, first;
    char byte;

    if (pipe(end) || pipe(done)) /* which the container inherits */
        _exit(FAILED);
    shim = fork();
    if (!shim) {
        unshare_or_die(CLONE_NEWPID);
        first = fork();
        if (!first)
            begin_container(directory, within, end, done[1]);
        close(done[1]);
        close(end[0]);
        if (read(done[0], &byte, 1)) /* its calls are made */
            _exit(FAILED);
        enter(directory, first);
        close(end[1]);
        wait_for(first);
        _exit(0);
    }
    close(end[0]);
    close(end[1]);
    close(done[0]);
    close(done[1]);
    wait_for(shim);
}

static void run_sharing_container(const char *directory)
{
    pid_t child = fork();

    if (!child) {
        unshare_or_die(CLONE_NEWNS);
        if (!cgroup__enter(directory))
            _exit(FAILED);
        call(SHARING);
        call_in_namespace(SHARING_FIRST, NULL);
        _exit(0);
    }
    wait_for(child);
}

/* -- what is told ----------------------------------------------------------------------------- */

static void run(const char *events, const char *format)
{
    const char *directory, *within;
    struct sensor sensor;

    live__require();
    directory = container__make(0);
    if (!directory)
        skip();
    within = cgroup__make(live__text("containers/docker-%s.scope/within", container__id(0)));
    assert_non_null(within);
    SENSOR_START(&sensor, "--events", events, "--output", live__output(format, "events"));
    run_container(directory, within);
    run_sharing_container(directory);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
}

static unsigned int mark_of(const char *text)
{
    return (unsigned int)(strtoull(text, NULL, 0) / PAGE);
}

static void only_the_runtime_calls_before_a_container_has_started(void **state)
{
    bool seen[MARKS] = { false };
    const struct lines *lines;

    (void)state;
    run("munlock", "json");
    lines = lines__load(live__path("events"));
    for (size_t i = 0; i < lines->count; i++) {
        const json_t *json = lines->at[i].json;
        const json_t *address = json_array_get(json_object_get(json, "args"), 0);
        unsigned int mark =
            (unsigned int)(json_integer_value(json_object_get(address, "value")) / PAGE);

        assert_in_range(mark, 1, MARKS - 1);
        assert_string_equal(json__text(json, "containerId"), container__id(0));
        assert_int_equal(json__truth(json_object_get(json, "contextFlags"), "containerStarted"),
                         started[mark]);
        seen[mark] = true;
    }
    for (unsigned int mark = 1; mark < MARKS; mark++)
        assert_true(seen[mark]);
}

/* Not all that Tracee's readers of the other dialects want of a line holds of its lines. */
/* Its lines do not begin as those of the other dialects. */
static void v1beta1_says_the_same(void **state)
{
    unsigned int count = 0;
    char line[8192];
    FILE *file;

    (void)state;
    run("munlock", "json-v1beta1");
    file = fopen(live__path("events"), "re");
    assert_non_null(file);
    for (; fgets(line, sizeof(line), file); count++) {
        json_t *json = json_loads(line, 0, NULL);
        const json_t *container = json_object_get(json_object_get(json, "workload"), "container");
        const json_t *address = json_array_get(json_object_get(json, "data"), 0);

        assert_int_equal(json__truth(container, "started"),
                         started[mark_of(json__text(address, "pointer"))]);
        json_decref(json);
    }
    fclose(file);
    assert_int_equal(count, MARKS - 1);
}

static void container_started_keeps_the_runtime_out(void **state)
{
    const struct lines *lines;
    unsigned int wanted = 0;

    (void)state;
    for (unsigned int mark = 0; mark < MARKS; mark++)
        wanted += started[mark];
    run("munlock.scope.container=started", "json");
    lines = lines__load(live__path("events"));
    assert_int_equal(lines->count, wanted);
    for (size_t i = 0; i < lines->count; i++)
        assert_true(
            json__truth(json_object_get(lines->at[i].json, "contextFlags"), "containerStarted"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(only_the_runtime_calls_before_a_container_has_started),
        LIVE_TEST(v1beta1_says_the_same),
        LIVE_TEST(container_started_keeps_the_runtime_out),
    };

    if (argc == 5 && !strcmp(argv[1], "--program"))
        return be_program(argv[2], argv[3], atoi(argv[4]));
    return cmocka_run_group_tests_name("live started", tests, NULL, NULL);
}
