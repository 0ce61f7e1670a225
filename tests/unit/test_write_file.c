// SPDX-License-Identifier: Apache-2.0
/* mrl_sink__write_fd on files that must not grow: no line may stay torn. */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/sink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "unit/unit.h"

enum { TEN = 10 };

#define TEN_BYTES "123456789\n"

static void limit_files_to(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int lift_limit(void **state)
{
    struct rlimit limit;

    (void)state;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_FSIZE, &limit);
}

/* An unnamed file. */
static int open_file(int flags)
{
    char path[] = "/tmp/mrelease-test-XXXXXX";
    int fd = mkostemp(path, flags | O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void assert_contents(int fd, const char *wanted)
{
    char bytes[256] = "";
    ssize_t size = pread(fd, bytes, sizeof(bytes) - 1, 0);

    assert_int_equal(size, strlen(wanted));
    assert_string_equal(bytes, wanted);
}

/* Three lines where two and a half fit, then again once there is room. */
static void fill_file(int fd)
{
    struct mrl_chunk chunk = { TEN_BYTES TEN_BYTES TEN_BYTES, 3 * TEN, 3, NULL, NULL, NULL };
    size_t events = 4711;
    bool torn = false;

    limit_files_to(2 * TEN + TEN / 2);
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), -EFBIG);
    assert_int_equal(events, 2);
    assert_false(torn);
    assert_contents(fd, TEN_BYTES TEN_BYTES);
    lift_limit(NULL);
    chunk = (struct mrl_chunk){ TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), 0);
    assert_contents(fd, TEN_BYTES TEN_BYTES TEN_BYTES);
    close(fd);
}

static void write_takes_a_torn_line_back_from_a_file(void **state)
{
    (void)state;
    fill_file(open_file(O_APPEND));
}

/* As standard output is, redirected with '>': the next line goes where the descriptor stands. */
static void write_leaves_no_hole_where_a_torn_line_was(void **state)
{
    (void)state;
    fill_file(open_file(0));
}

static void write_takes_back_a_line_torn_at_its_start(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    int fd = open_file(O_APPEND);
    size_t events = 4711;
    bool torn = false;

    (void)state;
    limit_files_to(3);
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), -EFBIG);
    assert_int_equal(events, 0);
    assert_false(torn);
    assert_contents(fd, "");
    close(fd);
}

static void write_leaves_a_file_that_is_full_already_alone(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    int fd = open_file(O_APPEND);
    size_t events = 4711;
    bool torn = false;

    (void)state;
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), 0);
    limit_files_to(TEN);
    events = 4711;
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), -EFBIG);
    assert_int_equal(events, 0);
    assert_false(torn);
    assert_contents(fd, TEN_BYTES);
    close(fd);
}

/* The newline that ends it does not fit: it stays torn, and nothing is joined to it. */
static void write_keeps_a_line_torn_that_it_cannot_end(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    int fd = open_file(O_APPEND);
    size_t events = 4711;
    bool torn = true;

    (void)state;
    assert_int_equal(write(fd, "torn", 4), 4);
    limit_files_to(4);
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), -EFBIG);
    assert_int_equal(events, 0);
    assert_true(torn);
    lift_limit(NULL);
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), 0);
    assert_false(torn);
    assert_contents(fd, "torn\n" TEN_BYTES);
    close(fd);
}

static void write_to_a_full_device_takes_nothing(void **state)
{
    struct mrl_chunk chunk = { TEN_BYTES, TEN, 1, NULL, NULL, NULL };
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    size_t events = 4711;
    bool torn = false;

    (void)state;
    if (fd < 0)
        skip_because("there is no /dev/full");
    assert_int_equal(mrl_sink__write_fd(fd, &torn, &chunk, &events), -ENOSPC);
    assert_int_equal(events, 0);
    assert_false(torn);
    close(fd);
}

static void write_of_nothing_succeeds(void **state)
{
    struct mrl_chunk chunk = { "", 0, 0, NULL, NULL, NULL };
    size_t events = 4711;
    bool torn = false;

    (void)state;
    assert_int_equal(mrl_sink__write_fd(-1, &torn, &chunk, &events), 0);
    assert_int_equal(events, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(write_takes_a_torn_line_back_from_a_file, lift_limit),
        cmocka_unit_test_teardown(write_leaves_no_hole_where_a_torn_line_was, lift_limit),
        cmocka_unit_test_teardown(write_takes_back_a_line_torn_at_its_start, lift_limit),
        cmocka_unit_test_teardown(write_leaves_a_file_that_is_full_already_alone, lift_limit),
        cmocka_unit_test_teardown(write_keeps_a_line_torn_that_it_cannot_end, lift_limit),
        cmocka_unit_test(write_to_a_full_device_takes_nothing),
        cmocka_unit_test(write_of_nothing_succeeds),
    };

    signal(SIGXFSZ, SIG_IGN); /* as the program does: the error is what counts */
    return cmocka_run_group_tests_name("write, files", tests, NULL, NULL);
}
