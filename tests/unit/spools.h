/* SPDX-License-Identifier: Apache-2.0 */
/* Spools of tests: a directory of its own for each, items that say which they are, and a shipper
 * that takes what it is granted. Failures end the test. */
#ifndef MRL_TESTS_SPOOLS_H
#define MRL_TESTS_SPOOLS_H

#include <stdbool.h>

#include <sys/types.h>

#include "spool/cursor.h"
#include "spool/reader.h"
#include "spool/spool.h"

struct test_spool {
    char root[64], directory[80];
    struct mrl_spool_options options;
    char log[2048]; /* what it said */
    struct mrl_error error;
    struct mrl_spool *spool; /* NULL: closed */
};

/** Makes a root in which the directory is to be made: below $TMPDIR, or `root`. */
void test_spool__init(struct test_spool *test, const char *root);
int test_spool__try_open(struct test_spool *test);
void test_spool__open(struct test_spool *test);
void test_spool__close(struct test_spool *test);
/** Removes all files. */
void test_spool__done(struct test_spool *test);

/** The path of one of its files. Static. */
const char *test_spool__path(const struct test_spool *test, const char *name);

/** Appends `count` items from number `first` on; the text of each is its number, filled up to
 * `size`, and its event that number modulo 3. As mrl_spool__append(). */
int test_spool__try_append(struct test_spool *test,
                           uint64_t first,
                           unsigned int count,
                           size_t size);
void test_spool__append(struct test_spool *test, uint64_t first, unsigned int count, size_t size);

/** A shipper. Zeroed: it has seen nothing. */
struct test_shipper {
    struct mrl_cursor cursor;
    unsigned char *seen; /* per item, how often; NULL: it does not note it */
    uint64_t items, told_lost;
    bool bad; /* an item was not as it was appended, or came before one that it follows */
};

/** Takes up to `items_max` more; a tenth of them is refused. Returns how many there were. */
uint64_t test_shipper__run(struct test_shipper *shipper,
                           struct test_spool *test,
                           uint64_t items_max);

/** appended = taken + refused + lost + pending per event, and nothing is pending if `all`. */
void test_spool__check(struct test_spool *test, bool all);

/** All that these items are is that they came so often. */
void test_shipper__assert_seen(const struct test_shipper *shipper,
                               uint64_t first,
                               uint64_t count,
                               unsigned int times);

/** Damages a file. */
void test_spool__overwrite(
    const struct test_spool *test, const char *name, off_t at, const void *bytes, size_t size);

/** -1: there is no such file. */
off_t test_spool__size_of(const struct test_spool *test, const char *name);

/** How many items of all events are lost. */
uint64_t test_spool__lost(const struct test_spool *test);

/** Opens it, and appends some 25 frames of 20 KB to each of several segments. */
void test_spool__fill(struct test_spool *test, unsigned int appends);

/** What a test has as its state: a spool that is not open, and a shipper that notes all it sees. */
struct test_spools {
    struct test_spool test;
    struct test_shipper shipper;
};

int test_spools__set_up(void **state);
int test_spools__tear_down(void **state);

#endif
