// SPDX-License-Identifier: Apache-2.0
/* What a spool makes of damage: it is stepped over, and what it cost is counted. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/spools.h"
#include "unit/unit.h"

#define FIRST  "0000000000000001.spl"
#define SECOND "0000000000000002.spl"
#define THIRD  "0000000000000003.spl"

static void damage_in_the_middle_is_stepped_over_and_counted(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    static const off_t places[] = { 600, 100000, 200001 };

    test_spool__fill(test, 100);
    for (size_t i = 0; i < COUNT_OF(places); i++)
        test_spool__overwrite(test, SECOND, places[i], "damage", 6);
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 2000 - 3 * 20);
    assert_int_equal(shipper->told_lost, 3 * 20);
    assert_int_equal(test_spool__lost(test), 3 * 20);
    assert_false(shipper->bad);
    test_spool__check(test, true);
}

/* A frame that is gone leaves the others whole, and side by side. */
static void a_frame_that_is_cut_out_is_counted(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    char frame[1024];
    off_t begin, end;
    int fd;

    test_spool__open(test);
    test_spool__append(test, 0, 3, 20);
    begin = test_spool__size_of(test, FIRST);
    test_spool__append(test, 3, 3, 20);
    end = test_spool__size_of(test, FIRST);
    test_spool__append(test, 6, 3, 20);
    fd = open(test_spool__path(test, FIRST), O_RDONLY);
    assert_int_equal(pread(fd, frame, (size_t)(end - begin), end), end - begin);
    close(fd);
    test_spool__overwrite(test, FIRST, begin, frame, (size_t)(end - begin));
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 6);
    assert_int_equal(shipper->told_lost, 3);
    test_shipper__assert_seen(shipper, 6, 3, 1);
    test_spool__check(test, true);
}

static void a_header_that_is_damaged_costs_its_segment(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__fill(test, 100);
    test_spool__overwrite(test, SECOND, 40, "damage", 6);
    test_shipper__run(shipper, test, UINT64_MAX);
    assert_int_equal(shipper->items + shipper->told_lost, 2000);
    assert_true(shipper->told_lost > 0 && shipper->told_lost < 1000);
    test_spool__check(test, true);
}

static void damage_in_the_last_segment_keeps_what_is_behind_it(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__fill(test, 10);
    test_spool__close(test);
    test_spool__overwrite(test, FIRST, 50000, "damage", 6);
    test_spool__open(test);
    test_spool__append(test, 200, 20, 1000);
    test_shipper__run(shipper, test, UINT64_MAX);
    assert_int_equal(shipper->told_lost, 20);
    test_shipper__assert_seen(shipper, 200, 20, 1);
    test_spool__check(test, true);
}

static void a_last_header_that_is_damaged_is_counted(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__fill(test, 10);
    test_spool__close(test);
    test_spool__overwrite(test, FIRST, 40, "damage", 6);
    test_spool__open(test);
    test_spool__append(test, 200, 20, 1000);
    test_shipper__run(shipper, test, UINT64_MAX);
    assert_int_equal(shipper->told_lost, 200);
    test_shipper__assert_seen(shipper, 200, 20, 1);
    test_spool__check(test, true);
}

static void a_tail_that_is_torn_anywhere_is_cut(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    char *bytes;
    off_t before, after;

    test_spool__open(test);
    test_spool__append(test, 0, 3, 20);
    before = test_spool__size_of(test, FIRST);
    test_spool__append(test, 3, 2, 20);
    after = test_spool__size_of(test, FIRST);
    test_spool__close(test);
    bytes = calloc(1, (size_t)(after - before));
    int fd = open(test_spool__path(test, FIRST), O_RDWR);
    assert_int_equal(pread(fd, bytes, (size_t)(after - before), before), after - before);
    for (off_t at = before; at < after; at++) {
        test_spool__overwrite(test, FIRST, before, bytes, (size_t)(after - before));
        assert_int_equal(ftruncate(fd, at), 0);
        test_spool__open(test);
        assert_int_equal(test_spool__size_of(test, FIRST), before);
        test_spool__append(test, 3, 2, 20);
        assert_int_equal(test_spool__size_of(test, FIRST), after);
        test_spool__close(test);
    }
    close(fd);
    free(bytes);
    test_spool__open(test);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_shipper__assert_seen(shipper, 0, 5, 1);
    test_spool__check(test, true);
}

static void a_segment_that_was_just_begun_is_begun_again(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__fill(test, 40);
    test_spool__close(test);
    test_spool__overwrite(test, THIRD, 0, "\x89MRL", 4);
    test_spool__open(test);
    assert_int_equal(test_spool__size_of(test, THIRD), -1);
    test_spool__append(test, 800, 20, 1000);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_shipper__assert_seen(shipper, 0, 820, 1);
    test_spool__check(test, true);
}

static void a_cursor_of_zeros_sends_all_again(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    char zeros[MRL_CURSOR_BYTES] = "";

    test_spool__fill(test, 100);
    test_shipper__run(shipper, test, 1500);
    test_spool__close(test);
    test_spool__overwrite(test, "cursor", 0, zeros, sizeof(zeros));
    test_spool__open(test);
    assert_non_null(strstr(test->log, "1 spool "));
    assert_non_null(strstr(test->log, "the cursor is damaged or gone"));
    test_spool__check(test, false);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_shipper__assert_seen(shipper, 1500, 500, 1);
    test_spool__check(test, true);
    assert_int_equal(test_spool__lost(test), 0);
}

static void a_cursor_ahead_of_what_is_left_is_believed(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__open(test);
    test_spool__append(test, 0, 100, 100);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_spool__close(test);
    assert_int_equal(truncate(test_spool__path(test, FIRST), 512), 0);
    test_spool__open(test);
    test_spool__check(test, true);
    test_spool__append(test, 100, 100, 100);
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 100);
    test_shipper__assert_seen(shipper, 0, 200, 1);
    test_spool__check(test, true);
    assert_int_equal(shipper->told_lost, 0);
}

#define SPOOL_TEST(name) \
    cmocka_unit_test_setup_teardown(name, test_spools__set_up, test_spools__tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(damage_in_the_middle_is_stepped_over_and_counted),
        SPOOL_TEST(a_frame_that_is_cut_out_is_counted),
        SPOOL_TEST(a_header_that_is_damaged_costs_its_segment),
        SPOOL_TEST(damage_in_the_last_segment_keeps_what_is_behind_it),
        SPOOL_TEST(a_last_header_that_is_damaged_is_counted),
        SPOOL_TEST(a_tail_that_is_torn_anywhere_is_cut),
        SPOOL_TEST(a_segment_that_was_just_begun_is_begun_again),
        SPOOL_TEST(a_cursor_of_zeros_sends_all_again),
        SPOOL_TEST(a_cursor_ahead_of_what_is_left_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
