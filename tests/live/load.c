// SPDX-License-Identifier: Apache-2.0
/* Load. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"

enum { STEP_MS = 2, BLOCK_BYTES = 1 << 20 };

bool load__long(void)
{
    const char *is_long = getenv("MRELEASE_TEST_LONG");

    return is_long && *is_long;
}

static void pin(unsigned int cpu)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
}

void load__take_first_cpu(void)
{
    pin(0);
    setpriority(PRIO_PROCESS, 0, PRIO_MIN); /* where it is not allowed, others may come between */
}

void load__sleep_until(struct timespec *next)
{
    next->tv_nsec += 1000000;
    if (next->tv_nsec >= 1000000000) {
        next->tv_nsec -= 1000000000;
        next->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

double load__cpu_s(pid_t pid)
{
    struct timespec spent;
    clockid_t clock;

    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &spent), 0);
    return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

__attribute__((noreturn)) static void call(const struct load *load)
{
    long number = event__find(load->event)->number;
    struct timespec next;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(load->cpu);
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint64_t i = 1; !load->calls || i <= load->calls; i++) {
        trigger__native(number, UINT64_MAX, 0, 0);
        if (load->per_ms && i % load->per_ms == 0)
            load__sleep_until(&next);
    }
    _exit(0);
}

pid_t load__start(const struct load *load)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child)
        call(load);
    cleanup__child(child);
    return child;
}

void load__wait(pid_t child, unsigned int timeout_ms)
{
    int status;

    for (unsigned int waited_ms = 0; !waitpid(child, &status, WNOHANG); waited_ms += STEP_MS) {
        if (waited_ms > timeout_ms)
            fail_msg("the load does not end");
        live__pause_ms(STEP_MS);
    }
    cleanup__forget_child(child);
    assert_int_equal(status, 0);
}

void load__stop(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    cleanup__forget_child(child);
}

/* -- readers ---------------------------------------------------------------------------------- */

static void count_line(struct reader *reader, const char *line, size_t size)
{
    uint64_t lines = atomic_fetch_add(&reader->lines, 1) + 1;

    if (reader->wanted && memmem(line, size, reader->wanted, strlen(reader->wanted)))
        atomic_fetch_add(&reader->wanted_lines, 1);
    if (reader->stall_ms && lines == reader->stall_after)
        live__pause_ms(reader->stall_ms);
}

/* Counts the whole lines of a block; returns the bytes of the half one at its end. */
static size_t take_block(struct reader *reader, const char *block, size_t size)
{
    const char *at = block, *end = block + size, *newline;

    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        count_line(reader, at, (size_t)(newline - at));
        at = newline + 1;
    }
    return (size_t)(end - at);
}

static void *read_all(void *context)
{
    static _Thread_local char block[2 * BLOCK_BYTES];
    struct reader *reader = context;
    FILE *copy = reader->copy ? fopen(reader->copy, "we") : NULL;
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    size_t half = 0;
    ssize_t size;

    if (reader->on_first_cpu)
        load__take_first_cpu();
    while ((size = read(fd, block + half, BLOCK_BYTES)) > 0) {
        size_t whole = half + (size_t)size;

        if (copy)
            fwrite(block + half, 1, (size_t)size, copy);
        half = take_block(reader, block, whole);
        if (half > BLOCK_BYTES)
            break; /* no line is so long: what follows is not counted, and the test fails */
        memmove(block, block + whole - half, half);
    }
    close(fd);
    if (copy)
        fclose(copy);
    return NULL;
}

void reader__start(struct reader *reader)
{
    assert_int_equal(mkfifo(reader->path, 0600), 0);
    assert_int_equal(pthread_create(&reader->thread, NULL, read_all, reader), 0);
}

void reader__wait(struct reader *reader)
{
    assert_int_equal(pthread_join(reader->thread, NULL), 0);
}
