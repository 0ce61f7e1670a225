// SPDX-License-Identifier: Apache-2.0
/* The time that an earlier run left at the end of a file. How its end is mended: test_outputs.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sinks/tail.h"
#include "unit/unit.h"

enum { TAIL_BYTES = 32 * 1024 };

static uint64_t time_of(const char *bytes, size_t size)
{
    char path[] = "/tmp/mrelease-test-XXXXXX";
    int fd = mkstemp(path);
    uint64_t time_ns;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
    time_ns = mrl_tail__time_ns(path);
    unlink(path);
    return time_ns;
}

static void the_last_whole_line_tells_the_time(void **state)
{
    static const struct {
        const char *text;
        uint64_t time_ns;
    } cases[] = {
        { "", 0 },
        { "\n", 0 },
        { "text\n", 0 },
        { "{\"timestamp\":5,\"a\":1}\n", 5 },
        { "{\"timestamp\":5,\"a\":1}\n{\"timestamp\":6,\"a\":1}\n", 6 },
        { "{\"timestamp\":5,\"a\":1}\n{\"timestamp\":6", 5 }, /* half a line, of half a time */
        { "{\"timestamp\":5,\"a\":1}\ntext\n", 5 },
        { "{\"timestamp\":5", 0 },
        { "{\"timestamp\":\"1970-01-01T00:00:01.5Z\",\"a\":1}\n", UINT64_C(1500000000) },
        { "{\"timestamp\":\"2001-09-09T01:46:40Z\"}\n", UINT64_C(1000000000000000000) },
        { "{\"timestamp\":\"2001-09-09\"}\n", 0 },
        { "{\"timestamp\":-5}\n", 0 },
        { "{\"timestamp\":null}\n", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (time_of(cases[i].text, strlen(cases[i].text)) != cases[i].time_ns)
            fail_case("%s", cases[i].text);
}

/* What is looked at begins within a line, which holds what would be one. */
static void a_line_that_is_not_seen_whole_tells_nothing(void **state)
{
    static char text[TAIL_BYTES + 10];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 10, "{\"timestamp\":5,", 15);
    text[sizeof(text) - 1] = '\n';
    assert_int_equal(time_of(text, sizeof(text)), 0);
    text[9] = '\n'; /* that it is whole cannot be seen, either */
    assert_int_equal(time_of(text, sizeof(text)), 0);
    assert_int_equal(time_of(text + 10, sizeof(text) - 10), 5);
}

static void what_is_no_regular_file_tells_nothing(void **state)
{
    (void)state;
    assert_int_equal(mrl_tail__time_ns("/dev/null"), 0);
    assert_int_equal(mrl_tail__time_ns("/tmp"), 0);
    assert_int_equal(mrl_tail__time_ns("/tmp/mrelease-test-nowhere"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_whole_line_tells_the_time),
        cmocka_unit_test(a_line_that_is_not_seen_whole_tells_nothing),
        cmocka_unit_test(what_is_no_regular_file_tells_nothing),
    };

    return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
