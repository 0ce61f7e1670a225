// SPDX-License-Identifier: Apache-2.0
/* mrl_sink__write_fd on pipes, whose readers are slow, or gone. */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/sink.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/time.h>

#include "unit/unit.h"

enum { SMALL_PIPE = 4096, LINES = 4000, LONGEST = 200, TEN = 10 };

#define TEN_BYTES "123456789\n"

/* Lines of many lengths, each with its number. */
static struct mrl_chunk many_lines(char **ret_bytes)
{
    char *bytes = malloc(LINES * (LONGEST + 1)), *at = bytes;

    assert_non_null(bytes);
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "%0*d\n", 1 + i * 7 % (LONGEST - 1), i);
    *ret_bytes = bytes;
    return (struct mrl_chunk){ bytes, (size_t)(at - bytes), LINES, NULL, NULL, NULL };
}

struct reader {
    int fd;
    char *bytes;
    size_t size, pause_every;
};

static void *read_slowly(void *context)
{
    struct reader *reader = context;
    size_t unpaused = 0;
    ssize_t size;

    for (;;) {
        size = read(reader->fd, reader->bytes + reader->size, 1500);
        if (size < 0 && errno == EINTR)
            continue; /* the signals of a test are for any thread */
        if (size <= 0)
            break;
        reader->size += (size_t)size;
        unpaused += (size_t)size;
        if (unpaused > reader->pause_every) {
            unpaused = 0;
            usleep(1000);
        }
    }
    return NULL;
}

static void open_small_pipe(int ends[2], int flags)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, SMALL_PIPE) >= SMALL_PIPE);
    assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
}

/* Writes all lines through a small pipe and compares what the reader got. */
static void write_through_pipe(int flags)
{
    struct reader reader = { .pause_every = SMALL_PIPE * 4 };
    struct mrl_chunk chunk;
    size_t events = 0;
    bool torn = false;
    char *bytes;
    pthread_t thread;
    int ends[2], err;

    open_small_pipe(ends, flags);
    chunk = many_lines(&bytes);
    reader.fd = ends[0];
    reader.bytes = malloc(chunk.size + 1500);
    assert_non_null(reader.bytes);
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
    err = mrl_sink__write_fd(ends[1], &torn, &chunk, &events);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    assert_int_equal(err, 0);
    assert_false(torn);
    assert_int_equal(reader.size, chunk.size);
    assert_memory_equal(reader.bytes, chunk.bytes, chunk.size);
    free(reader.bytes);
    free(bytes);
}

static void write_gives_a_slow_reader_every_byte(void **state)
{
    (void)state;
    write_through_pipe(0);
}

static void write_waits_on_a_pipe_that_someone_made_non_blocking(void **state)
{
    (void)state;
    write_through_pipe(O_NONBLOCK);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
    (void)signal;
    alarms++;
}

static void write_goes_on_after_signals(void **state)
{
    const struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
    struct sigaction counting = { .sa_handler = count_alarm }, before;

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &counting, &before), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    write_through_pipe(0);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_true(alarms > 0);
}

static void write_to_a_pipe_without_reader_is_final(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    size_t events = 4711;
    bool torn = false;
    int ends[2];

    (void)state;
    open_small_pipe(ends, 0);
    close(ends[0]);
    assert_int_equal(mrl_sink__write_fd(ends[1], &torn, &chunk, &events), -EPIPE);
    assert_int_equal(events, 0);
    assert_false(torn);
    close(ends[1]);
}

static void *read_a_little_and_close(void *context)
{
    int *fd = context;
    char bytes[SMALL_PIPE];
    size_t size = 0;
    ssize_t part;

    while (size < sizeof(bytes) && (part = read(*fd, bytes, sizeof(bytes) - size)) > 0)
        size += (size_t)part;
    close(*fd);
    return NULL;
}

static void write_counts_the_lines_before_the_reader_went(void **state)
{
    struct mrl_chunk chunk;
    size_t events = 4711, lines = 0;
    bool torn = false;
    pthread_t thread;
    char *bytes;
    int ends[2];

    (void)state;
    open_small_pipe(ends, 0);
    chunk = many_lines(&bytes);
    assert_int_equal(pthread_create(&thread, NULL, read_a_little_and_close, &ends[0]), 0);
    assert_int_equal(mrl_sink__write_fd(ends[1], &torn, &chunk, &events), -EPIPE);
    pthread_join(thread, NULL);
    close(ends[1]);
    for (size_t i = 0; i < SMALL_PIPE; i++)
        lines += bytes[i] == '\n';
    assert_in_range(events, lines, LINES - 1); /* read, or still in the pipe */
    free(bytes);
}

static void write_ends_a_torn_line_first(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    char bytes[64];
    size_t events;
    bool torn = true;
    int ends[2];

    (void)state;
    open_small_pipe(ends, 0);
    assert_int_equal(mrl_sink__write_fd(ends[1], &torn, &chunk, &events), 0);
    assert_false(torn);
    assert_int_equal(mrl_sink__write_fd(ends[1], &torn, &chunk, &events), 0);
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 1 + 2 * TEN);
    assert_memory_equal(bytes, "\n" TEN_BYTES TEN_BYTES, 1 + 2 * TEN);
    close(ends[0]);
    close(ends[1]);
}

static void a_pipe_is_widened_and_nothing_else_is(void **state)
{
    int ends[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_in_range(fcntl(ends[1], F_GETPIPE_SZ), 1, 1024 * 1024 - 1);
    mrl_sink__widen_pipe(ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETPIPE_SZ), 1024 * 1024);
    mrl_sink__widen_pipe(null);
    close(ends[0]);
    close(ends[1]);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_gives_a_slow_reader_every_byte),
        cmocka_unit_test(write_waits_on_a_pipe_that_someone_made_non_blocking),
        cmocka_unit_test(write_goes_on_after_signals),
        cmocka_unit_test(write_to_a_pipe_without_reader_is_final),
        cmocka_unit_test(write_counts_the_lines_before_the_reader_went),
        cmocka_unit_test(write_ends_a_torn_line_first),
        cmocka_unit_test(a_pipe_is_widened_and_nothing_else_is),
    };

    signal(SIGPIPE, SIG_IGN); /* as the program does: the error is what counts */
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
