// SPDX-License-Identifier: Apache-2.0
/* The cursor: which slot counts, and whose lock it is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "spool/cursor.h"
#include "unit/unit.h"

static int fd;
static struct mrl_cursor cursor;

static int setup(void **state)
{
    (void)state;
    fd = memfd_create("cursor", MFD_CLOEXEC);
    cursor = (struct mrl_cursor){ .segment = 7, .offset = 512, .item = 3 };
    return fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    return close(fd);
}

static void write_items(unsigned int first, unsigned int last)
{
    for (unsigned int i = first; i <= last; i++) {
        cursor.item = i;
        cursor.taken.of[0] = i;
        assert_int_equal(mrl_cursor__write(fd, &cursor), 0);
    }
}

static uint64_t item_read(void)
{
    struct mrl_cursor read;

    assert_int_equal(mrl_cursor__read(fd, &read), 0);
    assert_int_equal(read.item, read.taken.of[0]);
    assert_int_equal(read.segment, 7);
    return read.item;
}

static void the_last_write_counts(void **state)
{
    (void)state;
    for (unsigned int i = 1; i < 10; i++) {
        write_items(i, i);
        assert_int_equal(item_read(), i);
    }
    assert_int_equal(lseek(fd, 0, SEEK_END), MRL_CURSOR_BYTES);
}

/* Whatever byte of it did not reach the disk. */
static void a_write_that_was_torn_leaves_the_one_before(void **state)
{
    static const off_t slots[] = { MRL_CURSOR_SLOT_BYTES, 0 };
    char was, wrong;

    (void)state;
    for (unsigned int last = 3; last < 5; last++) {
        write_items(last - 1, last);
        for (off_t i = 0; i < MRL_CURSOR_SLOT_BYTES; i++) {
            const off_t at = slots[(cursor.generation + 1) % 2] + i;

            assert_int_equal(pread(fd, &was, 1, at), 1);
            wrong = (char)(was ^ 0x10);
            assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
            assert_int_equal(item_read(), last - 1);
            assert_int_equal(pwrite(fd, &was, 1, at), 1);
        }
        assert_int_equal(item_read(), last);
    }
}

static void nothing_and_damage_are_told_apart(void **state)
{
    static const char zeros[MRL_CURSOR_BYTES], text[] = "not a cursor";
    struct mrl_cursor read = { .item = 99 };

    (void)state;
    assert_int_equal(mrl_cursor__read(fd, &read), -ENODATA);
    assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros));
    assert_int_equal(mrl_cursor__read(fd, &read), -ENODATA);
    assert_int_equal(pwrite(fd, text, sizeof(text), 0), sizeof(text));
    assert_int_equal(mrl_cursor__read(fd, &read), -EBADMSG);
    assert_int_equal(read.item, 99);
}

/* Returns what a child gets that has the same descriptor. */
static int lock_of_child(int wait_ms)
{
    int status;
    pid_t child = fork();

    if (!child)
        _exit(-mrl_cursor__lock(fd, wait_ms));
    assert_int_equal(waitpid(child, &status, 0), child);
    return -WEXITSTATUS(status);
}

static void one_process_has_the_lock(void **state)
{
    (void)state;
    assert_int_equal(mrl_cursor__lock(fd, 0), 0);
    assert_int_equal(lock_of_child(0), -EWOULDBLOCK);
    assert_int_equal(lock_of_child(30), -EWOULDBLOCK);
    mrl_cursor__unlock(fd);
    assert_int_equal(lock_of_child(0), 0);
    assert_int_equal(mrl_cursor__lock(fd, 0), 0); /* the child's ended with it */
}

static void what_is_missing_is_what_is_not_dealt_with(void **state)
{
    struct mrl_spool_numbers appended = { { 10, 5, 7 } }, missing;

    (void)state;
    cursor.taken.of[0] = 6;
    cursor.refused.of[0] = 1;
    cursor.lost.of[0] = 1;
    cursor.taken.of[1] = 5;
    cursor.taken.of[2] = 8; /* sent twice */
    assert_int_equal(mrl_cursor__missing(&cursor, &appended, &missing), 2);
    assert_int_equal(missing.of[0], 2);
    assert_int_equal(missing.of[1] + missing.of[2], 0);
}

static void a_sync_waits_for_its_second(void **state)
{
    int64_t last_ns = 0, first_ns;

    (void)state;
    assert_int_equal(mrl_cursor__sync(fd, false, &last_ns), 0);
    first_ns = last_ns;
    assert_true(first_ns > 0);
    assert_int_equal(mrl_cursor__sync(fd, false, &last_ns), 0);
    assert_int_equal(last_ns, first_ns);
    assert_int_equal(mrl_cursor__sync(fd, true, &last_ns), 0);
    assert_true(last_ns > first_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_last_write_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_that_was_torn_leaves_the_one_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_and_damage_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(one_process_has_the_lock, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_is_what_is_not_dealt_with, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sync_waits_for_its_second, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
