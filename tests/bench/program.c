// SPDX-License-Identifier: Apache-2.0
/* Running mrelease as a child. */
#include "bench/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench/bench.h"

enum { ARGUMENTS_MAX = 24, READY_MS = 15000, END_MS = 30000 };

#ifndef SYS_process_mrelease
#    define SYS_process_mrelease 448
#endif

void bench_call_mrelease(void)
{
    syscall(SYS_process_mrelease, -1, 0);
}

/* -- starting --------------------------------------------------------------------------------- */

static void become_mrelease(
    const char *binary, int cpu, int out, int err, const char *const *arguments)
{
    const char *all[ARGUMENTS_MAX + 3] = { "mrelease", "run" };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned int i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
        all[i + 2] = arguments[i];
    bench_pin(cpu);
    if (dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
        execv(binary, (char *const *)all);
    _exit(127);
}

/* The writing end for the child; the reading end, if there is one, goes to `ret_fd`. */
static int open_stdout(enum bench_stdout kind, int *ret_fd)
{
    int pipe_fds[2];

    *ret_fd = -1;
    if (kind == BENCH_STDOUT_NULL)
        return open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (pipe2(pipe_fds, O_CLOEXEC))
        return -1;
    *ret_fd = pipe_fds[0];
    return pipe_fds[1];
}

int bench_program__start(struct bench_program *program,
                         int cpu,
                         enum bench_stdout standard_output,
                         const char *const *arguments)
{
    return bench_program__start_as(MRL_TEST_PROGRAM, program, cpu, standard_output, arguments);
}

int bench_program__start_as(const char *binary,
                            struct bench_program *program,
                            int cpu,
                            enum bench_stdout standard_output,
                            const char *const *arguments)
{
    int out = open_stdout(standard_output, &program->stdout_fd), err[2];

    program->ready_cpu_s = 0;
    if (out < 0 || pipe2(err, O_CLOEXEC))
        bench_die("no pipe: %s", strerror(errno));
    program->pid = fork();
    if (!program->pid)
        become_mrelease(binary, cpu, out, err[1], arguments);
    close(out);
    close(err[1]);
    program->stderr_fd = err[0];
    if (program->pid < 0)
        bench_die("no child: %s", strerror(errno));
    return 0;
}

static double cpu_seconds(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
        return 0;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Of a program and of those that it started and that live. */
static double tree_cpu_seconds(pid_t pid)
{
    double seconds = cpu_seconds(pid);
    char path[64];
    FILE *children;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    children = fopen(path, "re");
    while (children && fscanf(children, "%d", &child) == 1)
        seconds += tree_cpu_seconds(child);
    if (children)
        fclose(children);
    return seconds;
}

/* Appends what can be read; 0: the end, or nothing for `timeout_ms`. */
static ssize_t hear(int fd, char *said, size_t *used, int timeout_ms)
{
    struct pollfd input = { .fd = fd, .events = POLLIN };
    ssize_t size;

    if (*used + 1 >= BENCH_SAID_BYTES || poll(&input, 1, timeout_ms) <= 0)
        return 0;
    size = read(fd, said + *used, BENCH_SAID_BYTES - 1 - *used);
    if (size > 0)
        *used += (size_t)size;
    said[*used] = '\0';
    return size < 0 ? 0 : size;
}

int bench_program__wait(struct bench_program *program)
{
    char said[BENCH_SAID_BYTES] = "";
    size_t used = 0;

    while (!strstr(said, "watching ") || said[used - 1] != '\n')
        if (!hear(program->stderr_fd, said, &used, READY_MS)) {
            bench_say("mrelease does not start: %s", used ? said : "it says nothing");
            return -1;
        }
    program->ready_cpu_s = tree_cpu_seconds(program->pid);
    return 0;
}

/* -- stopping --------------------------------------------------------------------------------- */

static void add_line(struct bench_totals *totals, const char *line)
{
    unsigned long long seen, read, lost, delivered, dropped;

    if (sscanf(line, "mrelease: %*[^:]: %llu seen, %llu read, %llu lost", &seen, &read, &lost) ==
        3) {
        totals->seen += seen;
        totals->read += read;
        totals->lost += lost;
    }
    line = strrchr(line, ':'); /* a destination may hold colons */
    if (line && sscanf(line, ": %llu delivered, %llu dropped", &delivered, &dropped) == 2) {
        totals->delivered += delivered;
        totals->dropped += dropped;
    }
}

static void parse_totals(struct bench_totals *totals, char *said)
{
    char *rest = said, *line;

    while ((line = strsep(&rest, "\n")))
        add_line(totals, line);
}

void bench_program__stop(struct bench_program *program, struct bench_totals *ret_totals)
{
    struct bench_totals totals = { .status = -1 };
    char said[BENCH_SAID_BYTES] = "";
    struct rusage usage = { 0 };
    size_t used = 0;
    int status = 0;

    kill(program->pid, SIGTERM);
    while (hear(program->stderr_fd, said, &used, END_MS))
        ;
    /* Its end closes its stderr. Where that did not come in time, it hangs. */
    if (used == 0 || (!strstr(said, " delivered, ") && !strstr(said, " published, ")))
        kill(program->pid, SIGKILL);
    while (wait4(program->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    close(program->stderr_fd);
    if (program->stdout_fd >= 0)
        close(program->stdout_fd);
    if (WIFEXITED(status))
        totals.status = WEXITSTATUS(status);
    totals.cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6 -
                   program->ready_cpu_s;
    parse_totals(&totals, said);
    if (ret_totals)
        *ret_totals = totals;
}

/* -- callers ---------------------------------------------------------------------------------- */

static void call_forever(void)
{
    uint64_t next = bench_now_ns();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        bench_call_mrelease();
        next += 1000000;
        bench_sleep_until(next);
    }
}

pid_t bench_caller__start(void)
{
    pid_t pid = fork();

    if (!pid)
        call_forever();
    return pid;
}

void bench_child__stop(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
