// SPDX-License-Identifier: Apache-2.0
/* What a spool holds, gives back, drops and refuses; each row of the rules in docs/spool.md. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include "unit/spools.h"
#include "unit/unit.h"

#define FIRST  "0000000000000001.spl"
#define SECOND "0000000000000002.spl"

/* -- what is appended ------------------------------------------------------------------------- */

static void all_comes_back_in_order_and_once(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__open(test);
    test_spool__append(test, 0, 1, 10);
    test_spool__append(test, 1, 5000, 100); /* more than one request, and than one call of next() */
    test_spool__append(test, 5001, 60, 60000); /* more than one frame */
    test_spool__check(test, false);
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 5061);
    test_shipper__assert_seen(shipper, 0, 5061, 1);
    test_spool__check(test, true);
    assert_int_equal(shipper->told_lost, 0);
}

static void a_shipper_goes_on_within_a_frame(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__open(test);
    test_spool__append(test, 0, 1000, 100);
    for (int i = 0; i < 10; i++)
        assert_int_equal(test_shipper__run(shipper, test, 77), 77);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_shipper__assert_seen(shipper, 0, 1000, 1);
    test_spool__check(test, true);
}

static void a_batch_stays_while_the_next_is_read(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct mrl_spool_grant grant;
    struct mrl_spool_reader *reader;
    struct mrl_spool_batch first, second;
    struct mrl_item item;
    char bytes[16];

    test_spool__open(test);
    test_spool__append(test, 0, 100, 60);
    assert_int_equal(mrl_spool__grant(test->spool, 1, 0, &grant), 0);
    assert_int_equal(mrl_spool_reader__new(grant.fd, &test->error, &reader), 0);
    assert_int_equal(mrl_spool_reader__next(reader, grant.end, 50, &first), 0);
    item = first.items[49];
    memcpy(bytes, item.bytes, sizeof(bytes));
    assert_int_equal(mrl_spool_reader__next(reader, grant.end, 50, &second), 0);
    assert_int_equal(mrl_spool_reader__next(reader, grant.end, 50, &first), -ENODATA);
    assert_int_equal(second.item, 50);
    assert_memory_equal(&first.items[49].head, &item.head, sizeof(item.head));
    assert_memory_equal(first.items[49].bytes, bytes, sizeof(bytes));
    assert_memory_not_equal(second.items[49].bytes, bytes, sizeof(bytes));
    mrl_spool_reader__free(reader);
    close(grant.fd);
}

static void the_next_run_goes_on(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    struct mrl_kept_counts counts;

    test_spool__open(test);
    test_spool__append(test, 0, 100, 100);
    test_shipper__run(shipper, test, 50);
    test_spool__close(test);
    test_spool__open(test);
    assert_int_equal(mrl_spool__last_ns(test->spool), 1099);
    test_spool__append(test, 100, 100, 100);
    mrl_spool__counts(test->spool, 0, &counts);
    assert_int_equal(counts.appended, 67);
    test_spool__check(test, false);
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 150);
    test_shipper__assert_seen(shipper, 0, 200, 1);
    test_spool__check(test, true);
}

/* What this process had at most since the last reset, in KiB. */
static long peak_kib(bool reset)
{
    FILE *file = fopen(reset ? "/proc/self/clear_refs" : "/proc/self/status", reset ? "w" : "r");
    char line[256];
    long kib = -1;

    assert_non_null(file);
    if (reset)
        fputs("5", file);
    else
        while (fgets(line, sizeof(line), file))
            sscanf(line, "VmHWM: %ld", &kib);
    fclose(file);
    return reset ? peak_kib(false) : kib;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Segments of the full size, more of them than the budget holds, and a tail that is torn. */
static void a_start_with_a_full_spool_is_soon_and_takes_little_memory(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    uint64_t appended = 0, began_ns, took_ns;
    struct stat file;
    long kib;

    test->options.size = UINT64_C(256) << 20;
    test_spool__open(test);
    while (test_spool__size_of(test, "0000000000000005.spl") < 40 << 20) {
        test_spool__append(test, appended, 250, 4000);
        appended += 250;
    }
    test_spool__close(test);
    assert_int_equal(test_spool__size_of(test, FIRST), -1);
    assert_int_equal(stat(test_spool__path(test, "0000000000000005.spl"), &file), 0);
    test_spool__overwrite(test, "0000000000000005.spl", file.st_size - 1000, &file, sizeof(file));
    kib = peak_kib(true);
    began_ns = now_ns();
    test_spool__open(test);
    took_ns = now_ns() - began_ns;
    kib = peak_kib(false) - kib;
    test_spool__check(test, false);
    assert_int_equal(test_spool__size_of(test, "0000000000000005.spl") < file.st_size, 1);
    print_message("# %llu us, %ld KiB\n", (unsigned long long)took_ns / 1000, kib);
#ifndef MRL_SANITIZED
    assert_in_range(took_ns, 0, 999999999);
    assert_in_range(kib, 0, 4096);
#endif
}

static void sizes_that_are_wrong_are_refused(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;
    char bytes[100] = "";
    uint32_t sizes[2] = { 50, 49 };
    struct mrl_chunk chunk = { bytes, sizeof(bytes), 2, NULL, sizes, NULL };
    size_t done;

    test_spool__open(test);
    assert_int_equal(mrl_spool__append(test->spool, &chunk, &done), -EINVAL);
    sizes[1] = 50;
    assert_int_equal(mrl_spool__append(test->spool, &chunk, &done), 0);
    sizes[0] = 39;
    sizes[1] = 61;
    assert_int_equal(mrl_spool__append(test->spool, &chunk, &done), -EINVAL);
    chunk.sizes = NULL;
    assert_int_equal(mrl_spool__append(test->spool, &chunk, &done), -EINVAL);
    assert_int_equal(done, 0);
}

static void modes_are_what_is_promised(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;
    static const struct {
        const char *name;
        mode_t mode;
    } cases[] = { { ".", 0750 }, { FIRST, 0640 }, { "cursor", 0660 }, { "refused.ndjson", 0660 } };
    mode_t mask = umask(027);
    struct stat file;
    int fds[2];

    test_spool__open(test);
    test_spool__append(test, 0, 1, 10);
    assert_int_equal(mrl_spool__files(test->spool, fds, &test->error), 0);
    umask(mask);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(stat(test_spool__path(test, cases[i].name), &file), 0);
        assert_int_equal(file.st_mode & 0777, cases[i].mode);
    }
    close(fds[0]);
    close(fds[1]);
}

/* -- the budget ------------------------------------------------------------------------------- */

static void a_full_budget_drops_the_oldest_and_counts_it(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    struct mrl_spool_status status;

    test->options.size = MRL_SPOOL_MIN_BYTES;
    test_spool__open(test);
    for (unsigned int i = 0; i < 200; i++) {
        test_spool__append(test, i * 50, 50, 1000);
        mrl_spool__status(test->spool, &status);
        assert_true(status.bytes <= test->options.size);
        test_spool__check(test, false);
    }
    assert_true(test_spool__lost(test) > 1000);
    test_spool__close(test);
    test_spool__open(test);
    test_spool__check(test, false);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_spool__check(test, true);
    assert_int_equal(shipper->items + shipper->told_lost, 10000);
    assert_int_equal(test_spool__lost(test), shipper->told_lost);
    test_shipper__assert_seen(shipper, shipper->told_lost, 10000 - shipper->told_lost, 1);
}

static void what_is_granted_is_not_dropped(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    struct mrl_spool_grant grant, again;
    uint64_t lost;

    test->options.size = MRL_SPOOL_MIN_BYTES;
    test_spool__open(test);
    test_spool__append(test, 0, 50, 1000);
    assert_int_equal(mrl_spool__grant(test->spool, 1, 0, &grant), 0);
    assert_true(grant.is_last);
    for (unsigned int i = 1; i < 200; i++)
        test_spool__append(test, i * 50, 50, 1000);
    assert_true(test_spool__size_of(test, FIRST) > 0);
    assert_int_equal(test_spool__size_of(test, SECOND), -1);
    assert_int_equal(mrl_spool__grant(test->spool, 1, 1, &again), 0);
    assert_int_equal(again.fd, -1);
    assert_false(again.is_last);
    assert_int_equal(again.end, test_spool__size_of(test, FIRST));
    lost = test_spool__lost(test);
    assert_true(lost > 1000);
    close(grant.fd);
    test_spool__close(test); /* and the hole is found again */
    test_spool__open(test);
    assert_int_equal(test_spool__lost(test), lost);
    test_shipper__run(shipper, test, UINT64_MAX);
    assert_int_equal(shipper->told_lost, lost);
    assert_int_equal(test_spool__size_of(test, FIRST), -1);
    assert_int_equal(test_spool__lost(test), lost);
    test_spool__check(test, true);
}

/* A budget of another size than the file system's. */
static void a_full_disk_counts_as_a_full_budget(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;
    char root[] = "/tmp/spool-disk.XXXXXX";
    struct mrl_kept_counts counts;
    int err = 0;

    if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        skip_because("the right to mount");
    assert_non_null(mkdtemp(root));
    assert_int_equal(mount("spool", root, "tmpfs", 0, "size=1m"), 0);
    test_spool__done(test);
    test_spool__init(test, root);
    test->options.segment_bytes = 128 << 10;
    test_spool__open(test);
    for (unsigned int i = 0; !err && i < 300; i++)
        err = test_spool__try_append(test, i * 10, 10, 1000);
    assert_int_equal(err, 0);
    test_spool__check(test, false);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_spool__check(test, true);
    assert_int_equal(shipper->items + shipper->told_lost, 3000);
    assert_true(shipper->told_lost > 1500);
    assert_false(shipper->bad);
    /* One segment alone is not dropped: the disk is full. */
    test_spool__close(test);
    test->options.segment_bytes = 0;
    test_spool__open(test);
    for (unsigned int i = 300; !err && i < 600; i++)
        err = test_spool__try_append(test, i * 10, 10, 1000);
    assert_int_equal(err, -ENOSPC);
    mrl_spool__counts(test->spool, 0, &counts);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_spool__check(test, true);
    assert_false(shipper->bad);
    test_spool__done(test);
    umount(root);
    rmdir(root);
    test_spool__init(test, NULL);
}

/* -- what is refused -------------------------------------------------------------------------- */

static void assert_refused(struct test_spool *test, int err, const char *text)
{
    assert_int_equal(test_spool__try_open(test), err);
    test->spool = NULL;
    if (!strstr(test->error.text, text))
        fail_case("it said: %s", test->error.text);
}

static void another_version_is_refused(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;
    uint32_t version = MRL_SPOOL_VERSION + 1;

    test_spool__open(test);
    test_spool__append(test, 0, 1, 10);
    test_spool__close(test);
    test_spool__overwrite(test, FIRST, 8, &version, sizeof(version));
    assert_refused(test, -EOPNOTSUPP, "another version");
    assert_true(test_spool__size_of(test, FIRST) > 512);
}

static void another_format_waits_for_what_is_pending(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__open(test);
    test_spool__append(test, 0, 10, 10);
    test_spool__close(test);
    test->options.format = "ecs";
    assert_refused(test, -EOPNOTSUPP, "another format");
    test->options.format = "json";
    test_spool__open(test);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_spool__close(test);
    test->options.format = "ecs";
    test_spool__open(test);
    test_spool__append(test, 10, 10, 10);
    test_shipper__run(shipper, test, UINT64_MAX);
    test_shipper__assert_seen(shipper, 0, 20, 1);
}

static void two_writers_are_one_too_many(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;
    struct mrl_spool *first;

    test_spool__open(test);
    first = test->spool;
    assert_refused(test, -EWOULDBLOCK, "another process");
    test->spool = first;
}

static void symbolic_links_are_not_followed(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;
    char elsewhere[128];

    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", test->root);
    assert_int_equal(mkdir(elsewhere, 0750), 0);
    assert_int_equal(symlink(elsewhere, test->directory), 0);
    assert_refused(test, -ELOOP, "symbolic link");
    assert_int_equal(unlink(test->directory), 0);
    assert_int_equal(rmdir(elsewhere), 0);
    assert_int_equal(mkdir(test->directory, 0750), 0);
    assert_int_equal(symlink("/dev/null", test_spool__path(test, "cursor")), 0);
    assert_refused(test, -ELOOP, "cursor: it is a symbolic link");
}

static void a_directory_of_everybody_is_refused(void **state)
{
    struct test_spool *test = &((struct test_spools *)*state)->test;

    assert_int_equal(mkdir(test->directory, 0750), 0);
    assert_int_equal(chmod(test->directory, 0777), 0);
    assert_refused(test, -EPERM, "every user may write");
}

static void what_is_given_up_is_lost(void **state)
{
    struct test_spools *spools = *state;
    struct test_spool *test = &spools->test;
    struct test_shipper *shipper = &spools->shipper;

    test_spool__fill(test, 100);
    test_shipper__run(shipper, test, 500);
    assert_int_equal(mrl_spool__drop(test->spool, &test->error), 0);
    assert_int_equal(test_spool__lost(test), 1500);
    test_spool__check(test, true);
    test_spool__append(test, 2000, 20, 1000);
    assert_int_equal(test_shipper__run(shipper, test, UINT64_MAX), 20);
    assert_int_equal(test_spool__lost(test), 1500);
    test_spool__check(test, true);
}

#define SPOOL_TEST(name) \
    cmocka_unit_test_setup_teardown(name, test_spools__set_up, test_spools__tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(all_comes_back_in_order_and_once),
        SPOOL_TEST(a_shipper_goes_on_within_a_frame),
        SPOOL_TEST(a_batch_stays_while_the_next_is_read),
        SPOOL_TEST(the_next_run_goes_on),
        SPOOL_TEST(a_start_with_a_full_spool_is_soon_and_takes_little_memory),
        SPOOL_TEST(sizes_that_are_wrong_are_refused),
        SPOOL_TEST(modes_are_what_is_promised),
        SPOOL_TEST(a_full_budget_drops_the_oldest_and_counts_it),
        SPOOL_TEST(what_is_granted_is_not_dropped),
        SPOOL_TEST(a_full_disk_counts_as_a_full_budget),
        SPOOL_TEST(another_version_is_refused),
        SPOOL_TEST(another_format_waits_for_what_is_pending),
        SPOOL_TEST(two_writers_are_one_too_many),
        SPOOL_TEST(symbolic_links_are_not_followed),
        SPOOL_TEST(a_directory_of_everybody_is_refused),
        SPOOL_TEST(what_is_given_up_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
