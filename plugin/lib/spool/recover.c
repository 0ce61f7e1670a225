// SPDX-License-Identifier: Apache-2.0
/*
 * Where a spool goes on after whatever ended its last writer. Only the last segment is read, and
 * the first where others behind it were dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "spool/private.h"
#include "spool/reader.h"

/* Where the items of a segment end. */
struct tail {
    bool is_known; /* there was a header, or a frame, that says it */
    uint64_t end, item, last_ns;
    struct mrl_spool_numbers appended;
};

static void note(const struct mrl_spool_batch *batch, struct tail *tail)
{
    tail->is_known = true;
    tail->appended = batch->appended;
    for (size_t i = 0; i < batch->count; i++)
        tail->appended.of[batch->items[i].head.event]++;
    tail->end = batch->next;
    tail->item = batch->item + batch->count;
    tail->last_ns = batch->items[batch->count - 1].head.time_ns;
}

/* Reads a whole segment. `header` NULL: it has none. */
static int scan(int fd, uint64_t bytes, const struct mrl_segment_header *header, struct tail *tail)
{
    struct mrl_spool_reader *reader;
    struct mrl_spool_batch batch;
    int err = mrl_spool_reader__raw(fd, &reader);

    *tail = (struct tail){ .end = sizeof(*header) };
    if (err)
        return err;
    if (header) {
        tail->is_known = true;
        tail->item = header->item;
        tail->last_ns = header->last_ns;
        tail->appended = header->appended;
    }
    while (!(err = mrl_spool_reader__next(reader, bytes, SIZE_MAX, &batch)))
        note(&batch, tail);
    mrl_spool_reader__free(reader);
    return err == -ENODATA ? 0 : err;
}

static void go_on(struct mrl_spool *spool, const struct tail *tail)
{
    spool->end = tail->end;
    spool->item = tail->item;
    spool->last_ns = tail->last_ns;
    spool->appended = tail->appended;
}

/* -- the last segment ------------------------------------------------------------------------- */

/* The next append goes into a segment of its own. */
static void leave(struct mrl_spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}

/* What is behind the last whole frame was never reported as appended. */
static int cut(struct mrl_spool *spool, struct mrl_segment *segment)
{
    if (segment->bytes <= spool->end || spool->is_view)
        return 0;
    mrl_spool__say(spool, MRL_LOG_INFO,
                   "its end was torn: %" PRIu64 " bytes that were not reported as written are cut",
                   segment->bytes - spool->end);
    if (ftruncate(spool->fd, (off_t)spool->end))
        return -errno;
    segment->bytes = spool->end;
    return 0;
}

static bool is_of_format(struct mrl_spool *spool, const struct mrl_segment_header *header)
{
    if (!*spool->format)
        memcpy(spool->format, header->format, sizeof(spool->format));
    return !strcmp(spool->format, header->format);
}

/* Returns 1 when it says where the spool goes on, 0 when it says nothing. */
static int look_at(struct mrl_spool *spool,
                   unsigned int index,
                   bool *ret_same_format,
                   struct mrl_error *error)
{
    struct mrl_segment *segment = &spool->segments.at[index];
    struct mrl_segment_header header;
    struct mrl_error reason;
    struct tail tail;
    int err;

    leave(spool);
    spool->fd = mrl_spool_directory__segment(spool->directory, segment->number,
                                             spool->is_view ? O_RDONLY : O_RDWR | O_APPEND, error);
    if (spool->fd < 0)
        return spool->fd;
    err = mrl_segment__read(spool->fd, &header, &reason);
    if (err && err != -EBADMSG)
        return mrl_error__set(error, err, "segment %016" PRIx64 ": %s", segment->number,
                              reason.text);
    if (err)
        mrl_spool__say(spool, MRL_LOG_WARNING, "segment %016" PRIx64 ": %s", segment->number,
                       reason.text);
    *ret_same_format = err || is_of_format(spool, &header);
    if (!err)
        memcpy(spool->id, header.id, sizeof(spool->id));
    if (!err && spool->is_view)
        spool->options.size = header.budget;
    if (scan(spool->fd, segment->bytes, err ? NULL : &header, &tail))
        return mrl_error__set(error, -EIO, "segment %016" PRIx64 " cannot be read",
                              segment->number);
    if (!tail.is_known) {
        if (segment->bytes <= sizeof(header))
            mrl_spool__remove(spool, index); /* its writer died as it began */
        return 0;
    }
    go_on(spool, &tail);
    if (!err && (err = cut(spool, segment)))
        return mrl_error__set(error, err, "segment %016" PRIx64 ": %s", segment->number,
                              strerror(-err));
    if (err)
        leave(spool);
    return 1;
}

static int find_end(struct mrl_spool *spool, bool *ret_same_format, struct mrl_error *error)
{
    int known = 0;

    *ret_same_format = true;
    for (unsigned int i = spool->segments.count; !known && i--;) {
        bool is_last = i + 1 == spool->segments.count;

        known = look_at(spool, i, ret_same_format, error);
        if (!is_last || known <= 0)
            leave(spool);
    }
    return known < 0 ? known : 0;
}

/* -- the cursor ------------------------------------------------------------------------------- */

static int make_cursor(struct mrl_spool *spool, struct mrl_cursor *cursor, bool is_new)
{
    struct mrl_segment_header header;
    int err;

    *cursor = (struct mrl_cursor){ .segment = 1 };
    memcpy(cursor->id, spool->id, sizeof(cursor->id));
    for (unsigned int i = 0; i < spool->segments.count; i++)
        if (!mrl_spool__header(spool, spool->segments.at[i].number, &header, NULL)) {
            cursor->segment = header.number;
            cursor->item = header.item;
            cursor->taken = header.appended;
            break;
        }
    if (!is_new || spool->item)
        mrl_spool__say(spool, MRL_LOG_WARNING,
                       "the cursor is damaged or gone: all that is there is sent again, and what "
                       "became of the %" PRIu64 " items before it is not known: they count as "
                       "taken",
                       cursor->item);
    if (spool->is_view)
        return 0;
    /* One that lives on knows better. */
    if (mrl_cursor__lock(spool->cursor, 0))
        return mrl_cursor__read(spool->cursor, cursor) ? -EWOULDBLOCK : 0;
    err = mrl_cursor__write(spool->cursor, cursor);
    if (!err && fdatasync(spool->cursor))
        err = -errno;
    mrl_cursor__unlock(spool->cursor);
    return err;
}

static bool is_zero(const uint8_t id[MRL_SPOOL_ID_BYTES])
{
    static const uint8_t zeros[MRL_SPOOL_ID_BYTES];

    return !memcmp(id, zeros, sizeof(zeros));
}

static int read_cursor(struct mrl_spool *spool, struct mrl_cursor *cursor)
{
    int err = mrl_cursor__read(spool->cursor, cursor);

    if (!err && is_zero(spool->id))
        memcpy(spool->id, cursor->id, sizeof(spool->id));
    if (!err && !memcmp(cursor->id, spool->id, sizeof(spool->id)))
        return 0;
    if (err && err != -ENODATA && err != -EBADMSG)
        return err;
    if (is_zero(spool->id) && getrandom(spool->id, sizeof(spool->id), 0) < 0)
        return -errno;
    return make_cursor(spool, cursor, err == -ENODATA);
}

/* A machine that died may have kept the cursor and lost the end of the spool: numbers go on behind
 * both, for what was taken was appended. */
static void catch_up(struct mrl_spool *spool, const struct mrl_cursor *cursor)
{
    bool is_behind = cursor->item > spool->item;

    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
        if (mrl_cursor__dealt(cursor, i) > spool->appended.of[i]) {
            spool->appended.of[i] = mrl_cursor__dealt(cursor, i);
            is_behind = true;
        }
    if (cursor->item > spool->item)
        spool->item = cursor->item;
    /* Nobody asks any more for what comes before the cursor's segment. */
    if (cursor->segment > spool->number) {
        spool->number = cursor->segment - 1;
        is_behind = true;
    }
    if (is_behind)
        leave(spool);
}

/* -- holes ------------------------------------------------------------------------------------ */

/* What was dropped behind the first segment while that was granted. */
static void find_hole(struct mrl_spool *spool)
{
    const struct mrl_segment *first = spool->segments.at;
    struct mrl_segment_header header, next;
    struct tail tail;
    int fd;

    if (spool->segments.count < 2 || first[0].number + 1 == first[1].number ||
        mrl_spool__header(spool, first[0].number, &header, NULL) ||
        mrl_spool__header(spool, first[1].number, &next, NULL))
        return;
    fd = mrl_spool_directory__segment(spool->directory, first->number, O_RDONLY, NULL);
    if (fd < 0)
        return;
    if (!scan(fd, first->bytes, &header, &tail)) {
        spool->hole.next = next.number;
        for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
            if (next.appended.of[i] > tail.appended.of[i])
                spool->hole.lost.of[i] = next.appended.of[i] - tail.appended.of[i];
    }
    close(fd);
}

static bool is_pending(const struct mrl_spool *spool, const struct mrl_cursor *cursor)
{
    struct mrl_spool_numbers missing;

    return mrl_cursor__missing(cursor, &spool->appended, &missing);
}

int mrl_spool__recover(struct mrl_spool *spool, struct mrl_error *error)
{
    struct mrl_cursor cursor;
    bool same_format;
    int err = mrl_segments__list(spool->directory, &spool->segments);

    if (err)
        return mrl_error__set(error, err, "%s", strerror(-err));
    if (spool->segments.count)
        spool->number = spool->segments.at[spool->segments.count - 1].number;
    err = find_end(spool, &same_format, error);
    if (err)
        return err;
    err = read_cursor(spool, &cursor);
    if (err)
        return mrl_error__set(error, err, "%s: %s", MRL_SPOOL_CURSOR, strerror(-err));
    catch_up(spool, &cursor);
    if (!same_format && is_pending(spool, &cursor))
        return mrl_error__set(error, -EOPNOTSUPP,
                              "it holds items of another format than '%s' that are pending: ship "
                              "them first, or give them up (mrelease spool drop)",
                              spool->format);
    if (!same_format)
        leave(spool);
    while (spool->segments.count > 1 && spool->segments.at[0].number < cursor.segment)
        mrl_spool__remove(spool, 0);
    find_hole(spool);
    return 0;
}
