// SPDX-License-Identifier: Apache-2.0
/* What a spool holds, gives back, drops and refuses; each row of the rules in docs/spool.md. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit/spools.h"
#include "unit/unit.h"

#define FIRST  "0000000000000001.spl"
#define SECOND "0000000000000002.spl"
#define THIRD  "0000000000000003.spl"

static struct test_spool test;
static struct test_shipper shipper;

static int setup(void **state)
{
    (void)state;
    test_spool__init(&test, NULL);
    memset(&shipper, 0, sizeof(shipper));
    shipper.seen = calloc(1 << 20, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(shipper.seen);
    test_spool__done(&test);
    return 0;
}

static void assert_seen(uint64_t first, uint64_t count, unsigned int times)
{
    for (uint64_t i = first; i < first + count; i++)
        if (shipper.seen[i] != times)
            fail_case("item %llu came %u times", (unsigned long long)i, shipper.seen[i]);
    assert_false(shipper.bad);
}

static void overwrite(const char *name, off_t at, const void *bytes, size_t size)
{
    int fd = open(test_spool__path(&test, name), O_RDWR | O_CREAT, 0640);

    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

static off_t size_of(const char *name)
{
    struct stat file;

    return stat(test_spool__path(&test, name), &file) ? -1 : file.st_size;
}

static uint64_t lost_in_all(void)
{
    uint64_t lost = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        struct mrl_kept_counts counts;

        mrl_spool__counts(test.spool, i, &counts);
        lost += counts.lost;
    }
    return lost;
}

/* -- what is appended ------------------------------------------------------------------------- */

static void all_comes_back_in_order_and_once(void **state)
{
    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 1, 10);
    test_spool__append(&test, 1, 5000,
                       100); /* more than one request, and than one call of next() */
    test_spool__append(&test, 5001, 60, 60000); /* more than one frame */
    test_spool__check(&test, false);
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 5061);
    assert_seen(0, 5061, 1);
    test_spool__check(&test, true);
    assert_int_equal(shipper.told_lost, 0);
}

static void a_shipper_goes_on_within_a_frame(void **state)
{
    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 1000, 100);
    for (int i = 0; i < 10; i++)
        assert_int_equal(test_shipper__run(&shipper, &test, 77), 77);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_seen(0, 1000, 1);
    test_spool__check(&test, true);
}

static void the_next_run_goes_on(void **state)
{
    struct mrl_kept_counts counts;

    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 100, 100);
    test_shipper__run(&shipper, &test, 50);
    test_spool__close(&test);
    test_spool__open(&test);
    assert_int_equal(mrl_spool__last_ns(test.spool), 1099);
    test_spool__append(&test, 100, 100, 100);
    mrl_spool__counts(test.spool, 0, &counts);
    assert_int_equal(counts.appended, 67);
    test_spool__check(&test, false);
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 150);
    assert_seen(0, 200, 1);
    test_spool__check(&test, true);
}

static void sizes_that_are_wrong_are_refused(void **state)
{
    char bytes[100] = "";
    uint32_t sizes[2] = { 50, 49 };
    struct mrl_chunk chunk = { bytes, sizeof(bytes), 2, NULL, sizes, NULL };
    size_t done;

    (void)state;
    test_spool__open(&test);
    assert_int_equal(mrl_spool__append(test.spool, &chunk, &done), -EINVAL);
    sizes[1] = 50;
    assert_int_equal(mrl_spool__append(test.spool, &chunk, &done), 0);
    sizes[0] = 39;
    sizes[1] = 61;
    assert_int_equal(mrl_spool__append(test.spool, &chunk, &done), -EINVAL);
    chunk.sizes = NULL;
    assert_int_equal(mrl_spool__append(test.spool, &chunk, &done), -EINVAL);
    assert_int_equal(done, 0);
}

static void modes_are_what_is_promised(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } cases[] = { { ".", 0750 }, { FIRST, 0640 }, { "cursor", 0660 }, { "refused.ndjson", 0660 } };
    mode_t mask = umask(027);
    struct stat file;
    int fds[2];

    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 1, 10);
    assert_int_equal(mrl_spool__files(test.spool, fds, &test.error), 0);
    umask(mask);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(stat(test_spool__path(&test, cases[i].name), &file), 0);
        assert_int_equal(file.st_mode & 0777, cases[i].mode);
    }
    close(fds[0]);
    close(fds[1]);
}

/* -- the budget ------------------------------------------------------------------------------- */

static void a_full_budget_drops_the_oldest_and_counts_it(void **state)
{
    struct mrl_spool_status status;

    (void)state;
    test.options.size = MRL_SPOOL_MIN_BYTES;
    test_spool__open(&test);
    for (unsigned int i = 0; i < 200; i++) {
        test_spool__append(&test, i * 50, 50, 1000);
        mrl_spool__status(test.spool, &status);
        assert_true(status.bytes <= test.options.size);
        test_spool__check(&test, false);
    }
    assert_true(lost_in_all() > 1000);
    test_spool__close(&test);
    test_spool__open(&test);
    test_spool__check(&test, false);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    test_spool__check(&test, true);
    assert_int_equal(shipper.items + shipper.told_lost, 10000);
    assert_int_equal(lost_in_all(), shipper.told_lost);
    assert_seen(shipper.told_lost, 10000 - shipper.told_lost, 1);
}

static void what_is_granted_is_not_dropped(void **state)
{
    struct mrl_spool_grant grant, again;
    uint64_t lost;

    (void)state;
    test.options.size = MRL_SPOOL_MIN_BYTES;
    test_spool__open(&test);
    test_spool__append(&test, 0, 50, 1000);
    assert_int_equal(mrl_spool__grant(test.spool, 1, &grant), 0);
    assert_true(grant.is_last);
    for (unsigned int i = 1; i < 200; i++)
        test_spool__append(&test, i * 50, 50, 1000);
    assert_true(size_of(FIRST) > 0);
    assert_int_equal(size_of(SECOND), -1);
    assert_int_equal(mrl_spool__grant(test.spool, 1, &again), 0);
    assert_int_equal(again.fd, -1);
    assert_false(again.is_last);
    assert_int_equal(again.end, size_of(FIRST));
    lost = lost_in_all();
    assert_true(lost > 1000);
    close(grant.fd);
    test_spool__close(&test); /* and the hole is found again */
    test_spool__open(&test);
    assert_int_equal(lost_in_all(), lost);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_int_equal(shipper.told_lost, lost);
    assert_int_equal(size_of(FIRST), -1);
    assert_int_equal(lost_in_all(), lost);
    test_spool__check(&test, true);
}

/* A budget of another size than the file system's. */
static void a_full_disk_counts_as_a_full_budget(void **state)
{
    char root[] = "/tmp/spool-disk.XXXXXX";
    struct mrl_kept_counts counts;
    int err = 0;

    (void)state;
    if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        skip_because("the right to mount");
    assert_non_null(mkdtemp(root));
    assert_int_equal(mount("spool", root, "tmpfs", 0, "size=1m"), 0);
    test_spool__done(&test);
    test_spool__init(&test, root);
    test.options.segment_bytes = 128 << 10;
    test_spool__open(&test);
    for (unsigned int i = 0; !err && i < 300; i++)
        err = test_spool__try_append(&test, i * 10, 10, 1000);
    assert_int_equal(err, 0);
    test_spool__check(&test, false);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    test_spool__check(&test, true);
    assert_int_equal(shipper.items + shipper.told_lost, 3000);
    assert_true(shipper.told_lost > 1500);
    assert_false(shipper.bad);
    /* One segment alone is not dropped: the disk is full. */
    test_spool__close(&test);
    test.options.segment_bytes = 0;
    test_spool__open(&test);
    for (unsigned int i = 300; !err && i < 600; i++)
        err = test_spool__try_append(&test, i * 10, 10, 1000);
    assert_int_equal(err, -ENOSPC);
    mrl_spool__counts(test.spool, 0, &counts);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    test_spool__check(&test, true);
    assert_false(shipper.bad);
    test_spool__done(&test);
    umount(root);
    rmdir(root);
    test_spool__init(&test, NULL);
}

/* -- damage ----------------------------------------------------------------------------------- */

/* Some 25 frames of 20 KB in each of several segments. */
static void fill_segments(unsigned int appends)
{
    test.options.segment_bytes = 512 << 10;
    test_spool__open(&test);
    for (unsigned int i = 0; i < appends; i++)
        test_spool__append(&test, i * 20, 20, 1000);
}

static void damage_in_the_middle_is_stepped_over_and_counted(void **state)
{
    static const off_t places[] = { 600, 100000, 200001 };

    (void)state;
    fill_segments(100);
    for (size_t i = 0; i < COUNT_OF(places); i++)
        overwrite(SECOND, places[i], "damage", 6);
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 2000 - 3 * 20);
    assert_int_equal(shipper.told_lost, 3 * 20);
    assert_int_equal(lost_in_all(), 3 * 20);
    assert_false(shipper.bad);
    test_spool__check(&test, true);
}

/* A frame that is gone leaves the others whole, and side by side. */
static void a_frame_that_is_cut_out_is_counted(void **state)
{
    char frame[1024];
    off_t begin, end;
    int fd;

    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 3, 20);
    begin = size_of(FIRST);
    test_spool__append(&test, 3, 3, 20);
    end = size_of(FIRST);
    test_spool__append(&test, 6, 3, 20);
    fd = open(test_spool__path(&test, FIRST), O_RDONLY);
    assert_int_equal(pread(fd, frame, (size_t)(end - begin), end), end - begin);
    close(fd);
    overwrite(FIRST, begin, frame, (size_t)(end - begin));
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 6);
    assert_int_equal(shipper.told_lost, 3);
    assert_seen(6, 3, 1);
    test_spool__check(&test, true);
}

static void a_header_that_is_damaged_costs_its_segment(void **state)
{
    (void)state;
    fill_segments(100);
    overwrite(SECOND, 40, "damage", 6);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_int_equal(shipper.items + shipper.told_lost, 2000);
    assert_true(shipper.told_lost > 0 && shipper.told_lost < 1000);
    test_spool__check(&test, true);
}

static void damage_in_the_last_segment_keeps_what_is_behind_it(void **state)
{
    (void)state;
    fill_segments(10);
    test_spool__close(&test);
    overwrite(FIRST, 50000, "damage", 6);
    test_spool__open(&test);
    test_spool__append(&test, 200, 20, 1000);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_int_equal(shipper.told_lost, 20);
    assert_seen(200, 20, 1);
    test_spool__check(&test, true);
}

static void a_last_header_that_is_damaged_is_counted(void **state)
{
    (void)state;
    fill_segments(10);
    test_spool__close(&test);
    overwrite(FIRST, 40, "damage", 6);
    test_spool__open(&test);
    test_spool__append(&test, 200, 20, 1000);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_int_equal(shipper.told_lost, 200);
    assert_seen(200, 20, 1);
    test_spool__check(&test, true);
}

static void a_tail_that_is_torn_anywhere_is_cut(void **state)
{
    char *bytes;
    off_t before, after;

    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 3, 20);
    before = size_of(FIRST);
    test_spool__append(&test, 3, 2, 20);
    after = size_of(FIRST);
    test_spool__close(&test);
    bytes = calloc(1, (size_t)(after - before));
    int fd = open(test_spool__path(&test, FIRST), O_RDWR);
    assert_int_equal(pread(fd, bytes, (size_t)(after - before), before), after - before);
    for (off_t at = before; at < after; at++) {
        overwrite(FIRST, before, bytes, (size_t)(after - before));
        assert_int_equal(ftruncate(fd, at), 0);
        test_spool__open(&test);
        assert_int_equal(size_of(FIRST), before);
        test_spool__append(&test, 3, 2, 20);
        assert_int_equal(size_of(FIRST), after);
        test_spool__close(&test);
    }
    close(fd);
    free(bytes);
    test_spool__open(&test);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_seen(0, 5, 1);
    test_spool__check(&test, true);
}

static void a_segment_that_was_just_begun_is_begun_again(void **state)
{
    (void)state;
    fill_segments(40);
    test_spool__close(&test);
    overwrite(THIRD, 0, "\x89MRL", 4);
    test_spool__open(&test);
    assert_int_equal(size_of(THIRD), -1);
    test_spool__append(&test, 800, 20, 1000);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_seen(0, 820, 1);
    test_spool__check(&test, true);
}

static void a_cursor_of_zeros_sends_all_again(void **state)
{
    char zeros[MRL_CURSOR_BYTES] = "";

    (void)state;
    fill_segments(100);
    test_shipper__run(&shipper, &test, 1500);
    test_spool__close(&test);
    overwrite("cursor", 0, zeros, sizeof(zeros));
    test_spool__open(&test);
    assert_non_null(strstr(test.log, "1 spool "));
    assert_non_null(strstr(test.log, "the cursor is damaged or gone"));
    test_spool__check(&test, false);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_seen(1500, 500, 1);
    test_spool__check(&test, true);
    assert_int_equal(lost_in_all(), 0);
}

static void a_cursor_ahead_of_what_is_left_is_believed(void **state)
{
    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 100, 100);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    test_spool__close(&test);
    assert_int_equal(truncate(test_spool__path(&test, FIRST), 512), 0);
    test_spool__open(&test);
    test_spool__check(&test, true);
    test_spool__append(&test, 100, 100, 100);
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 100);
    assert_seen(0, 200, 1);
    test_spool__check(&test, true);
    assert_int_equal(shipper.told_lost, 0);
}

/* -- what is refused -------------------------------------------------------------------------- */

static void assert_refused(int err, const char *text)
{
    assert_int_equal(test_spool__try_open(&test), err);
    test.spool = NULL;
    if (!strstr(test.error.text, text))
        fail_case("it said: %s", test.error.text);
}

static void another_version_is_refused(void **state)
{
    uint32_t version = MRL_SPOOL_VERSION + 1;

    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 1, 10);
    test_spool__close(&test);
    overwrite(FIRST, 8, &version, sizeof(version));
    assert_refused(-EOPNOTSUPP, "another version");
    assert_true(size_of(FIRST) > 512);
}

static void another_format_waits_for_what_is_pending(void **state)
{
    (void)state;
    test_spool__open(&test);
    test_spool__append(&test, 0, 10, 10);
    test_spool__close(&test);
    test.options.format = "ecs";
    assert_refused(-EOPNOTSUPP, "another format");
    test.options.format = "json";
    test_spool__open(&test);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    test_spool__close(&test);
    test.options.format = "ecs";
    test_spool__open(&test);
    test_spool__append(&test, 10, 10, 10);
    test_shipper__run(&shipper, &test, UINT64_MAX);
    assert_seen(0, 20, 1);
}

static void two_writers_are_one_too_many(void **state)
{
    struct mrl_spool *first;

    (void)state;
    test_spool__open(&test);
    first = test.spool;
    assert_refused(-EWOULDBLOCK, "another process");
    test.spool = first;
}

static void symbolic_links_are_not_followed(void **state)
{
    char elsewhere[128];

    (void)state;
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", test.root);
    assert_int_equal(mkdir(elsewhere, 0750), 0);
    assert_int_equal(symlink(elsewhere, test.directory), 0);
    assert_refused(-ELOOP, "symbolic link");
    assert_int_equal(unlink(test.directory), 0);
    assert_int_equal(rmdir(elsewhere), 0);
    assert_int_equal(mkdir(test.directory, 0750), 0);
    assert_int_equal(symlink("/dev/null", test_spool__path(&test, "cursor")), 0);
    assert_refused(-ELOOP, "cursor: it is a symbolic link");
}

static void a_directory_of_everybody_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(test.directory, 0750), 0);
    assert_int_equal(chmod(test.directory, 0777), 0);
    assert_refused(-EPERM, "every user may write");
}

static void what_is_given_up_is_lost(void **state)
{
    (void)state;
    fill_segments(100);
    test_shipper__run(&shipper, &test, 500);
    assert_int_equal(mrl_spool__drop(test.spool, &test.error), 0);
    assert_int_equal(lost_in_all(), 1500);
    test_spool__check(&test, true);
    test_spool__append(&test, 2000, 20, 1000);
    assert_int_equal(test_shipper__run(&shipper, &test, UINT64_MAX), 20);
    assert_int_equal(lost_in_all(), 1500);
    test_spool__check(&test, true);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(all_comes_back_in_order_and_once),
        SPOOL_TEST(a_shipper_goes_on_within_a_frame),
        SPOOL_TEST(the_next_run_goes_on),
        SPOOL_TEST(sizes_that_are_wrong_are_refused),
        SPOOL_TEST(modes_are_what_is_promised),
        SPOOL_TEST(a_full_budget_drops_the_oldest_and_counts_it),
        SPOOL_TEST(what_is_granted_is_not_dropped),
        SPOOL_TEST(a_full_disk_counts_as_a_full_budget),
        SPOOL_TEST(damage_in_the_middle_is_stepped_over_and_counted),
        SPOOL_TEST(a_frame_that_is_cut_out_is_counted),
        SPOOL_TEST(a_header_that_is_damaged_costs_its_segment),
        SPOOL_TEST(damage_in_the_last_segment_keeps_what_is_behind_it),
        SPOOL_TEST(a_last_header_that_is_damaged_is_counted),
        SPOOL_TEST(a_tail_that_is_torn_anywhere_is_cut),
        SPOOL_TEST(a_segment_that_was_just_begun_is_begun_again),
        SPOOL_TEST(a_cursor_of_zeros_sends_all_again),
        SPOOL_TEST(a_cursor_ahead_of_what_is_left_is_believed),
        SPOOL_TEST(another_version_is_refused),
        SPOOL_TEST(another_format_waits_for_what_is_pending),
        SPOOL_TEST(two_writers_are_one_too_many),
        SPOOL_TEST(symbolic_links_are_not_followed),
        SPOOL_TEST(a_directory_of_everybody_is_refused),
        SPOOL_TEST(what_is_given_up_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
