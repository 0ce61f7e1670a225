// SPDX-License-Identifier: Apache-2.0
/* The program under test. */
#include "sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"

enum {
    STEP_MS = 2,
    POLL_MS = 20,
    TIME_MAX_MS = 40000,
    EMULATED_TIME_MAX_MS = 400000,
    ARGUMENTS_MAX = 96
};

#define READY "mrelease: watching "

static const char *read_file(const char *path)
{
    struct stat status;
    char *text;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0 && !fstat(fd, &status));
    close(fd);
    text = calloc(1, (size_t)status.st_size + 1);
    assert_non_null(text);
    cleanup__add(free, text);
    caller__read(path, text, (size_t)status.st_size + 1);
    return text;
}

const char *sensor__stderr(const struct sensor *sensor)
{
    return read_file(sensor->stderr_path);
}

const char *sensor__stdout(const struct sensor *sensor)
{
    return read_file(sensor->stdout_path);
}

static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    return fd;
}

static bool contains(const char *const *words, const char *word)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words;
}

/*
 * What every run gets beside the words of its test: the rung that MRELEASE_TEST_RUNG forces, unless
 * the test names one; and the scope of the calls that this test makes, which the kernel decides, so
 * that others on this host may call as much as they like. Returns the number of words.
 */
static unsigned int put_common(const char *const *arguments, const char *words[])
{
    const char *rung = getenv("MRELEASE_TEST_RUNG");
    bool runs = arguments[0] && !strcmp(arguments[0], "run");
    unsigned int count = 0;

    if (!runs && (!arguments[0] || strcmp(arguments[0], "demo") != 0))
        return 0;
    words[count++] = arguments[0];
    if (rung && !contains(arguments, "--rung")) {
        words[count++] = "--rung";
        words[count++] = rung;
    }
    if (runs && live__scope()) {
        words[count++] = "--scope";
        words[count++] = live__scope();
    }
    return count;
}

__attribute__((noreturn)) static void become_program(const struct sensor_options *options,
                                                     int out,
                                                     int err)
{
    const char *program = options->program ? options->program : MRL_TEST_PROGRAM;
    const char *words[ARGUMENTS_MAX + 6] = { options->program ? program : "mrelease" };
    unsigned int common = put_common(options->arguments, words + 1);
    sigset_t none;

    for (unsigned int i = common > 0; i < ARGUMENTS_MAX && options->arguments[i]; i++)
        words[i + 1 + (common ? common - 1 : 0)] = options->arguments[i];
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (options->prepare)
        options->prepare();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(program, (char *const *)words);
    dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

void sensor__spawn(struct sensor *sensor, const struct sensor_options *options)
{
    static unsigned int number;
    int out, err;

    number++;
    sensor->stdout_path = live__path(live__text("stdout.%u", number));
    sensor->stderr_path = live__path(live__text("stderr.%u", number));
    out = create(sensor->stdout_path);
    err = create(sensor->stderr_path);
    sensor->pid = fork();
    assert_true(sensor->pid >= 0);
    if (!sensor->pid)
        become_program(options, options->stdout_fd ? options->stdout_fd : out, err);
    cleanup__child(sensor->pid);
    close(out);
    close(err);
}

/* How long the program may take to do what it is waited for. */
static unsigned int time_max_ms(void)
{
    return getenv("MRELEASE_TEST_EMULATED") ? EMULATED_TIME_MAX_MS : TIME_MAX_MS;
}

static bool has_ended(const struct sensor *sensor)
{
    siginfo_t info = { 0 };

    return !waitid(P_PID, (id_t)sensor->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/* Whether /proc/PID/status says that it is caught or blocked. */
static bool is_handled(pid_t pid, int signal)
{
    unsigned long long blocked = 0, caught = 0;
    char path[64], line[256];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "SigBlk: %llx", &blocked) != 1)
            sscanf(line, "SigCgt: %llx", &caught);
    if (file)
        fclose(file);
    return (blocked | caught) >> (signal - 1) & 1;
}

void sensor__await_handler(const struct sensor *sensor, int signal)
{
    for (unsigned int waited_ms = 0; !is_handled(sensor->pid, signal); waited_ms += POLL_MS) {
        if (has_ended(sensor) || waited_ms > time_max_ms())
            fail_msg("the program does not handle signal %d", signal);
        live__pause_ms(POLL_MS);
    }
}

void sensor__await_text(const struct sensor *sensor, const char *text)
{
    const char *said = sensor__stderr(sensor);

    for (unsigned int waited_ms = 0; !strstr(said, text); waited_ms += POLL_MS) {
        if (has_ended(sensor) || waited_ms > time_max_ms())
            fail_msg("'%s' was awaited, but the program said: %s", text, said);
        live__pause_ms(POLL_MS);
        said = sensor__stderr(sensor);
    }
}

void sensor__await_ready(const struct sensor *sensor)
{
    sensor__await_text(sensor, READY);
}

void sensor__start(struct sensor *sensor, const char *const *arguments)
{
    const struct sensor_options options = { .arguments = arguments };

    sensor__spawn(sensor, &options);
    sensor__await_ready(sensor);
}

bool sensor__ends_within(const struct sensor *sensor, unsigned int time_ms)
{
    for (unsigned int waited_ms = 0; !has_ended(sensor); waited_ms += STEP_MS) {
        if (waited_ms > time_ms)
            return false;
        live__pause_ms(STEP_MS);
    }
    return true;
}

int sensor__wait(struct sensor *sensor)
{
    unsigned int waited_ms = 0;
    int status;

    while (!waitpid(sensor->pid, &status, WNOHANG)) {
        if (waited_ms > time_max_ms())
            fail_msg("the program does not end; it said: %s", sensor__stderr(sensor));
        live__pause_ms(STEP_MS);
        waited_ms += STEP_MS;
    }
    cleanup__forget_child(sensor->pid);
    if (!WIFEXITED(status))
        fail_msg("signal %d ended the program, which said: %s", WTERMSIG(status),
                 sensor__stderr(sensor));
    return WEXITSTATUS(status);
}

int sensor__stop(struct sensor *sensor, int signal)
{
    assert_int_equal(kill(sensor->pid, signal), 0);
    return sensor__wait(sensor);
}

int sensor__run(struct sensor *sensor, const char *const *arguments)
{
    const struct sensor_options options = { .arguments = arguments };

    sensor__spawn(sensor, &options);
    return sensor__wait(sensor);
}

/* What follows "mrelease: SUBJECT: " at the start of a line: the last one, since totals that were
 * asked for meanwhile are of no quiet moment. */
static const char *said_of(const struct sensor *sensor, const char *subject)
{
    const char *text = sensor__stderr(sensor), *words = live__text("mrelease: %s: ", subject);
    const char *said = NULL;

    for (const char *at = text; (at = strstr(at, words)); at += strlen(words))
        said = at + strlen(words);
    if (!said)
        fail_msg("nothing was said of %s in: %s", subject, text);
    return said;
}

struct totals sensor__totals(const struct sensor *sensor, const char *event)
{
    struct totals totals = { 0 };
    const char *said = said_of(sensor, event), *own = strstr(said, " lost");

    /* Causes of a loss may stand there first. */
    own = own ? own + strcspn(own, ",(\n") : NULL;
    if (own && *own == '(')
        own += strcspn(own, ")\n") + 1;
    if (!own ||
        sscanf(said, "%llu seen, %llu read, %llu lost", &totals.seen, &totals.read, &totals.lost) <
            3 ||
        sscanf(own, ", %llu of our own, %llu filtered (%llu by the kernel)", &totals.self,
               &totals.filtered, &totals.filtered_by_kernel) < 1)
        fail_msg("not the totals of an event: %s", said);
    assert_int_equal(totals.seen, totals.read + totals.lost + totals.self + totals.filtered);
    return totals;
}

void sensor__delivered(const struct sensor *sensor,
                       const char *output,
                       unsigned long long *ret_delivered,
                       unsigned long long *ret_dropped)
{
    const char *text = sensor__stderr(sensor), *subject = live__text("mrelease: %s: ", output);
    const char *at = text;

    /* Errors of the output may have been said before. */
    while ((at = strstr(at, subject))) {
        at += strlen(subject);
        if (sscanf(at, "%llu delivered, %llu dropped", ret_delivered, ret_dropped) == 2)
            return;
    }
    fail_msg("no totals of %s in: %s", output, text);
}

unsigned long long sensor__lines(const struct sensor *sensor, const char *output)
{
    const char *subject = live__text("mrelease: %s: ", output), *at = sensor__stderr(sensor);
    unsigned long long lines, told;
    char line[1024];

    while ((at = strstr(at, subject))) {
        at += strlen(subject);
        if (sscanf(at, "%llu delivered, ", &lines) != 1)
            continue;
        snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
        for (const char *also = line; (also = strstr(also, ", and ")); also++)
            if (sscanf(also, ", and %llu of ", &told) == 1 && !strstr(also, "dropped"))
                lines += told;
        return lines;
    }
    fail_msg("no totals of %s", output);
    return 0;
}

void sensor__assert_one_line(const struct sensor *sensor, const char *text)
{
    const char *said = sensor__stderr(sensor), *end = strchr(said, '\n');

    if (!strstr(said, "mrelease: ") || !end || end[1])
        fail_msg("not one line of the program: '%s'", said);
    if (!strstr(said, text))
        fail_msg("'%s' is not in: %s", text, said);
    assert_string_equal(sensor__stdout(sensor), "");
}
