// SPDX-License-Identifier: Apache-2.0
/*
 * Writers and shippers that are killed at any moment, tails that are cut or end in garbage: what
 * was reported as appended is there, and per event appended = taken + refused + lost + pending.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit/spools.h"
#include "unit/unit.h"

enum { DEATHS = 50, ITEMS_MAX = 4 << 20, GARBAGE = 700, CUT = 3000, PER_APPEND = 7 };

/* What children leave behind. */
struct shared {
    uint64_t appended; /* items that were reported as such */
    unsigned char seen[ITEMS_MAX];
};

static struct test_spool test;
static struct shared *shared;
static unsigned int seed;

static int setup(void **state)
{
    (void)state;
    seed = (unsigned int)time(NULL);
    print_message("# seed %u\n", seed);
    test_spool__init(&test, NULL);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    munmap(shared, sizeof(*shared));
    test_spool__done(&test);
    return 0;
}

static uint64_t appended_so_far(void)
{
    struct mrl_kept_counts counts;
    uint64_t appended = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        mrl_spool__counts(test.spool, i, &counts);
        appended += counts.appended;
    }
    return appended;
}

/* Appends, and takes some of it, until it is killed. */
__attribute__((noreturn)) static void live(bool ships)
{
    struct test_shipper shipper = { .seen = shared->seen };
    uint64_t next;

    test_spool__open(&test);
    next = appended_so_far();
    for (unsigned int i = 0; next + PER_APPEND < ITEMS_MAX; i++) {
        test_spool__append(&test, next, PER_APPEND, 50 + i % 300);
        next += PER_APPEND;
        __atomic_store_n(&shared->appended, next, __ATOMIC_SEQ_CST);
        if (ships && i % 5 == 4)
            test_shipper__run(&shipper, &test, i % 60);
        if (shipper.bad)
            _exit(1);
    }
    _exit(2);
}

static void kill_after(bool ships, unsigned int us)
{
    const struct timespec wait = { .tv_nsec = us * 1000 };
    pid_t child = fork();
    int status;

    if (!child)
        live(ships);
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* What a machine that dies may do to the end of the last segment, behind what was synced: here, to
 * what follows the last frame, and in the way of garbage. */
static void hurt(unsigned int death)
{
    char name[MRL_SPOOL_NAME_BYTES], garbage[GARBAGE];
    uint64_t last = 0;
    struct stat file;
    int fd;

    for (uint64_t number = 1; number < 4096; number++) {
        mrl_segment__name(number, name);
        if (!stat(test_spool__path(&test, name), &file))
            last = number;
    }
    if (!last || death % 3 == 0)
        return;
    mrl_segment__name(last, name);
    fd = open(test_spool__path(&test, name), O_RDWR | O_APPEND);
    for (int i = 0; i < GARBAGE; i++)
        garbage[i] = (char)rand_r(&seed);
    if (death % 3 == 1)
        assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    else if (!fstat(fd, &file) && file.st_size > 512 + CUT)
        assert_int_equal(ftruncate(fd, file.st_size - rand_r(&seed) % CUT), 0);
    close(fd);
}

static void die_often(bool ships, bool cuts)
{
    for (unsigned int death = 0; death < DEATHS; death++) {
        kill_after(ships, 1000 + (unsigned int)rand_r(&seed) % 20000);
        if (cuts || death % 3 != 2) /* of the three, only a cut takes what was appended */
            hurt(death);
        test_spool__open(&test);
        test_spool__check(&test, false);
        if (!cuts && appended_so_far() < shared->appended)
            fail_case("death %u: %llu of %llu", death, (unsigned long long)appended_so_far(),
                      (unsigned long long)shared->appended);
        test_spool__close(&test);
    }
}

static uint64_t ship_the_rest(struct test_shipper *shipper)
{
    shipper->seen = shared->seen;
    test_spool__open(&test);
    test_shipper__run(shipper, &test, UINT64_MAX);
    test_spool__check(&test, true);
    assert_false(shipper->bad);
    return appended_so_far();
}

static uint64_t never_seen(uint64_t count)
{
    uint64_t missing = 0;

    for (uint64_t i = 0; i < count; i++)
        missing += !shared->seen[i];
    return missing;
}

static void nothing_that_was_appended_is_missing(void **state)
{
    struct test_shipper shipper = { .seen = NULL };
    uint64_t appended;

    (void)state;
    test.options.size = UINT64_C(4) << 30;
    test.options.segment_bytes = 256 << 10;
    die_often(true, false);
    appended = ship_the_rest(&shipper);
    print_message("# %llu items\n", (unsigned long long)appended);
    assert_true(appended > 1000);
    assert_int_equal(never_seen(appended), 0);
    assert_int_equal(shipper.told_lost, 0);
}

static void counts_hold_while_the_budget_takes(void **state)
{
    struct test_shipper shipper = { .seen = NULL };
    struct mrl_kept_counts counts;
    uint64_t appended, lost = 0;

    (void)state;
    test.options.size = MRL_SPOOL_MIN_BYTES;
    test.options.segment_bytes = 128 << 10;
    die_often(true, false);
    appended = ship_the_rest(&shipper);
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        mrl_spool__counts(test.spool, i, &counts);
        lost += counts.lost;
    }
    print_message("# %llu items, %llu lost\n", (unsigned long long)appended,
                  (unsigned long long)lost);
    assert_int_equal(never_seen(appended), lost);
}

static void tails_that_are_cut_keep_what_is_before(void **state)
{
    struct test_shipper shipper = { .seen = NULL };

    (void)state;
    test.options.size = UINT64_C(4) << 30;
    test.options.segment_bytes = 256 << 10;
    die_often(true, true);
    assert_true(ship_the_rest(&shipper) > 1000);
    assert_int_equal(shipper.told_lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_that_was_appended_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_hold_while_the_budget_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(tails_that_are_cut_keep_what_is_before, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
