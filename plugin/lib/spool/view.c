// SPDX-License-Identifier: Apache-2.0
/* A spool as one sees it who only looks. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "spool/private.h"
#include "spool/reader.h"

static int look(struct mrl_spool *spool, struct mrl_error *reason)
{
    spool->directory = mrl_spool_directory__open(spool->path, reason);
    if (spool->directory < 0)
        return spool->directory;
    spool->cursor =
        mrl_spool_directory__file(spool->directory, MRL_SPOOL_CURSOR, O_RDONLY, 0, reason);
    if (spool->cursor == -ENOENT)
        mrl_error__set(reason, -ENOENT, "there is no spool");
    return spool->cursor < 0 ? spool->cursor : mrl_spool__recover(spool, reason);
}

int mrl_spool__look(const char *directory, struct mrl_error *error, struct mrl_spool **ret_spool)
{
    const struct mrl_spool_options options = { .directory = directory,
                                               .size = MRL_SPOOL_MIN_BYTES };
    struct mrl_spool *spool = mrl_spool__make(&options);
    struct mrl_error reason;
    int err;

    if (!spool)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    spool->is_view = true;
    err = look(spool, &reason);
    if (err) {
        mrl_spool__close(spool);
        return mrl_error__set(error, err, "%.200s: %s", directory, reason.text);
    }
    *ret_spool = spool;
    return 0;
}

const char *mrl_spool__format(const struct mrl_spool *spool)
{
    return spool->format;
}

uint64_t mrl_spool__size(const struct mrl_spool *spool)
{
    return *spool->format ? spool->options.size : 0;
}

bool mrl_spool__place(struct mrl_spool *spool, uint64_t *ret_segment, uint64_t *ret_item)
{
    struct mrl_cursor cursor;

    mrl_spool__cursor(spool, &cursor);
    *ret_segment = cursor.segment;
    *ret_item = cursor.item;
    return cursor.generation;
}

/* -- what is pending -------------------------------------------------------------------------- */

struct walk {
    int (*take)(void *context, uint64_t number, const struct mrl_item *item);
    void *context;
    struct mrl_cursor cursor;
};

static int read_all(struct walk *walk, int fd, uint64_t end)
{
    struct mrl_spool_reader *reader;
    struct mrl_spool_batch batch;
    int err = mrl_spool_reader__new(fd, NULL, &reader);

    if (err)
        return err == -EBADMSG ? 0 : err;
    mrl_spool_reader__seek(reader, walk->cursor.offset, walk->cursor.item);
    while (!err && !(err = mrl_spool_reader__next(reader, end, SIZE_MAX, &batch)))
        for (size_t i = 0; !err && i < batch.count; i++)
            err = walk->take(walk->context, batch.item + i, &batch.items[i]);
    mrl_spool_reader__free(reader);
    return err == -ENODATA ? 0 : err;
}

int mrl_spool__each(struct mrl_spool *spool,
                    int (*take)(void *context, uint64_t number, const struct mrl_item *item),
                    void *context,
                    struct mrl_error *error)
{
    struct walk walk = { .take = take, .context = context };
    int err = 0;

    mrl_spool__cursor(spool, &walk.cursor);
    for (unsigned int i = 0; !err && i < spool->segments.count; i++) {
        const struct mrl_segment *segment = &spool->segments.at[i];
        int fd = mrl_spool_directory__segment(spool->directory, segment->number, O_RDONLY, error);

        /* Of a spool in use, one that is shipped meanwhile. */
        if (fd == -ENOENT)
            continue;
        if (segment->number != walk.cursor.segment)
            walk.cursor.offset = 0;
        err = fd < 0 ? fd : read_all(&walk, fd, segment->bytes);
        if (fd >= 0)
            close(fd);
        if (err)
            mrl_error__set(error, err, "segment %016" PRIx64 ": %s", segment->number,
                           strerror(-err));
    }
    return err;
}
