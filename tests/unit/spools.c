// SPDX-License-Identifier: Apache-2.0
#include "unit/spools.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "unit/unit.h"

enum { REFUSED_OF = 10 };

static void keep_log(void *context, enum mrl_log_level level, const char *text)
{
    struct test_spool *test = context;
    const size_t used = strlen(test->log);

    snprintf(test->log + used, sizeof(test->log) - used, "%d %s\n", level, text);
}

void test_spool__init(struct test_spool *test, const char *root)
{
    const char *base = getenv("TMPDIR");

    memset(test, 0, sizeof(*test));
    if (root)
        snprintf(test->root, sizeof(test->root), "%s", root);
    else
        snprintf(test->root, sizeof(test->root), "%.40s/spool.XXXXXX", base ? base : "/tmp");
    if (!root)
        assert_non_null(mkdtemp(test->root));
    snprintf(test->directory, sizeof(test->directory), "%s/spool", test->root);
    test->options = (struct mrl_spool_options){ .directory = test->directory,
                                                .format = "json",
                                                .size = UINT64_C(64) << 20,
                                                .sync = MRL_SYNC_NONE,
                                                .log = keep_log,
                                                .context = test };
}

int test_spool__try_open(struct test_spool *test)
{
    test->error.text[0] = '\0';
    return mrl_spool__open(&test->options, &test->error, &test->spool);
}

void test_spool__open(struct test_spool *test)
{
    if (test_spool__try_open(test))
        fail_case("%s", test->error.text);
}

void test_spool__close(struct test_spool *test)
{
    assert_int_equal(mrl_spool__close(test->spool), 0);
    test->spool = NULL;
}

const char *test_spool__path(const struct test_spool *test, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", test->directory, name);
    return path;
}

void test_spool__done(struct test_spool *test)
{
    DIR *stream = opendir(test->directory);
    const struct dirent *entry;

    mrl_spool__close(test->spool);
    while (stream && (entry = readdir(stream)))
        unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream)
        closedir(stream);
    unlink(test->directory);
    rmdir(test->directory);
    rmdir(test->root);
}

/* -- items ------------------------------------------------------------------------------------ */

static uint16_t event_of(uint64_t number)
{
    return (uint16_t)(number % 3);
}

static size_t put_item(char *at, uint64_t number, size_t size)
{
    const struct mrl_item_head head = { .time_ns = 1000 + number,
                                        .number = number,
                                        .event = event_of(number) };

    memcpy(at, &head, sizeof(head));
    memset(at + sizeof(head), 'x', size);
    memcpy(at + sizeof(head), &number, sizeof(number));
    return sizeof(head) + size;
}

int test_spool__try_append(struct test_spool *test, uint64_t first, unsigned int count, size_t size)
{
    char *bytes = malloc(count * (sizeof(struct mrl_item_head) + size));
    uint32_t *sizes = calloc(count, sizeof(*sizes));
    struct mrl_chunk chunk = { .bytes = bytes, .events = count, .sizes = sizes };
    size_t done;
    int err;

    for (unsigned int i = 0; i < count; i++) {
        sizes[i] = (uint32_t)put_item(bytes + chunk.size, first + i, size);
        chunk.size += sizes[i];
    }
    err = mrl_spool__append(test->spool, &chunk, &done);
    assert_true(err || done == count);
    free(sizes);
    free(bytes);
    return err;
}

void test_spool__append(struct test_spool *test, uint64_t first, unsigned int count, size_t size)
{
    assert_int_equal(test_spool__try_append(test, first, count, size), 0);
}

/* -- shipping --------------------------------------------------------------------------------- */

static bool is_as_appended(const struct mrl_item *item)
{
    uint64_t number;

    memcpy(&number, item->bytes, sizeof(number));
    return number == item->head.number && item->head.event == event_of(number);
}

static void take_loss(struct test_shipper *shipper, const struct mrl_spool_numbers *appended)
{
    struct mrl_spool_numbers missing;

    shipper->told_lost += mrl_cursor__missing(&shipper->cursor, appended, &missing);
    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
        shipper->cursor.lost.of[i] += missing.of[i];
}

static void take(struct test_shipper *shipper, const struct mrl_spool_batch *batch)
{
    take_loss(shipper, &batch->appended);
    if (batch->item < shipper->cursor.item)
        shipper->bad = true;
    for (size_t i = 0; i < batch->count; i++) {
        const struct mrl_item *item = &batch->items[i];
        struct mrl_spool_numbers *kind =
            item->head.number % REFUSED_OF ? &shipper->cursor.taken : &shipper->cursor.refused;

        kind->of[item->head.event]++;
        if (!is_as_appended(item))
            shipper->bad = true;
        else if (shipper->seen)
            shipper->seen[item->head.number]++;
    }
    shipper->items += batch->count;
    shipper->cursor.item = batch->item + batch->count;
    shipper->cursor.offset = batch->next;
}

static uint64_t read_segment(struct test_shipper *shipper,
                             int fd,
                             const struct mrl_spool_grant *grant,
                             int cursor,
                             uint64_t items_max)
{
    struct mrl_spool_reader *reader;
    struct mrl_spool_batch batch;
    struct mrl_error error;
    uint64_t count = 0;

    if (mrl_spool_reader__new(fd, &error, &reader))
        return 0;
    take_loss(shipper, &mrl_spool_reader__header(reader)->appended);
    if (shipper->cursor.item < mrl_spool_reader__header(reader)->item)
        shipper->cursor.item = mrl_spool_reader__header(reader)->item;
    if (shipper->cursor.segment != grant->number)
        shipper->cursor.offset = 0;
    shipper->cursor.segment = grant->number;
    mrl_spool_reader__seek(reader, shipper->cursor.offset, shipper->cursor.item);
    while (count < items_max &&
           !mrl_spool_reader__next(reader, grant->end, items_max - count, &batch)) {
        take(shipper, &batch);
        count += batch.count;
        assert_int_equal(mrl_cursor__write(cursor, &shipper->cursor), 0);
    }
    assert_int_equal(mrl_cursor__write(cursor, &shipper->cursor), 0);
    mrl_spool_reader__free(reader);
    return count;
}

uint64_t test_shipper__run(struct test_shipper *shipper,
                           struct test_spool *test,
                           uint64_t items_max)
{
    struct mrl_spool_grant grant = { .is_last = false };
    uint64_t count = 0, number;
    int fds[2];

    assert_int_equal(mrl_spool__files(test->spool, fds, &test->error), 0);
    assert_int_equal(mrl_cursor__read(fds[0], &shipper->cursor), 0);
    mrl_spool__forget(test->spool);
    for (number = shipper->cursor.segment; count < items_max; number = grant.number + 1) {
        if (mrl_spool__grant(test->spool, number, 0, &grant))
            break;
        count += read_segment(shipper, grant.fd, &grant, fds[0], items_max - count);
        close(grant.fd);
    }
    close(fds[0]);
    close(fds[1]);
    return count;
}

void test_spool__check(struct test_spool *test, bool all)
{
    struct mrl_spool_status status;
    uint64_t pending = 0;

    mrl_spool__status(test->spool, &status);
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        struct mrl_kept_counts counts;
        uint64_t dealt;

        mrl_spool__counts(test->spool, i, &counts);
        dealt = counts.taken + counts.refused + counts.lost;
        assert_true(dealt <= counts.appended);
        pending += counts.appended - dealt;
        assert_true(!all || dealt == counts.appended);
    }
    assert_int_equal(status.pending, pending);
}

/* -- a spool with its shipper ------------------------------------------------------------------ */

int test_spools__set_up(void **state)
{
    struct test_spools *spools = calloc(1, sizeof(*spools));

    assert_non_null(spools);
    test_spool__init(&spools->test, NULL);
    spools->shipper.seen = calloc(1 << 20, 1);
    *state = spools;
    return 0;
}

int test_spools__tear_down(void **state)
{
    struct test_spools *spools = *state;

    free(spools->shipper.seen);
    test_spool__done(&spools->test);
    free(spools);
    return 0;
}

void test_shipper__assert_seen(const struct test_shipper *shipper,
                               uint64_t first,
                               uint64_t count,
                               unsigned int times)
{
    for (uint64_t i = first; i < first + count; i++)
        if (shipper->seen[i] != times)
            fail_case("item %llu came %u times", (unsigned long long)i, shipper->seen[i]);
    assert_false(shipper->bad);
}

void test_spool__overwrite(
    const struct test_spool *test, const char *name, off_t at, const void *bytes, size_t size)
{
    int fd = open(test_spool__path(test, name), O_RDWR | O_CREAT, 0640);

    assert_int_equal(pwrite(fd, bytes, size, at), size);
    close(fd);
}

off_t test_spool__size_of(const struct test_spool *test, const char *name)
{
    struct stat file;

    return stat(test_spool__path(test, name), &file) ? -1 : file.st_size;
}

uint64_t test_spool__lost(const struct test_spool *test)
{
    uint64_t lost = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        struct mrl_kept_counts counts;

        mrl_spool__counts(test->spool, i, &counts);
        lost += counts.lost;
    }
    return lost;
}

void test_spool__fill(struct test_spool *test, unsigned int appends)
{
    test->options.segment_bytes = 512 << 10;
    test_spool__open(test);
    for (unsigned int i = 0; i < appends; i++)
        test_spool__append(test, i * 20, 20, 1000);
}
