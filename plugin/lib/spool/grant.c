// SPDX-License-Identifier: Apache-2.0
/* What the shipper may read, what is dealt with, and what is told of both. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spool/private.h"

/* -- granting --------------------------------------------------------------------------------- */

static int grant(struct mrl_spool *spool,
                 uint64_t number,
                 uint64_t held,
                 struct mrl_spool_grant *ret_grant)
{
    const unsigned int index = mrl_segments__find(&spool->segments, number);
    struct mrl_spool_grant grant = { .fd = -1 };

    if (index == spool->segments.count)
        return -EAGAIN;
    grant.number = spool->segments.at[index].number;
    grant.is_last = index + 1 == spool->segments.count;
    grant.end = grant.is_last ? spool->end : spool->segments.at[index].bytes;
    if (grant.number != held) {
        grant.fd = mrl_spool_directory__segment(spool->directory, grant.number, O_RDONLY, NULL);
        if (grant.fd < 0)
            return grant.fd;
    }
    for (unsigned int i = index; i--;)
        mrl_spool__remove(spool, 0);
    spool->granted = grant.number;
    *ret_grant = grant;
    return 0;
}

int mrl_spool__grant(struct mrl_spool *spool,
                     uint64_t number,
                     uint64_t held,
                     struct mrl_spool_grant *ret_grant)
{
    int err;

    pthread_mutex_lock(&spool->lock);
    err = grant(spool, number, held, ret_grant);
    pthread_mutex_unlock(&spool->lock);
    return err;
}

void mrl_spool__forget(struct mrl_spool *spool)
{
    pthread_mutex_lock(&spool->lock);
    spool->granted = 0;
    pthread_mutex_unlock(&spool->lock);
}

/* -- telling ---------------------------------------------------------------------------------- */

void mrl_spool__cursor(const struct mrl_spool *spool, struct mrl_cursor *ret_cursor)
{
    struct mrl_cursor cursor;

    *ret_cursor = (struct mrl_cursor){ .generation = 0 };
    if (!mrl_cursor__read(spool->cursor, &cursor) &&
        !memcmp(cursor.id, spool->id, sizeof(spool->id)))
        *ret_cursor = cursor;
}

/* What was dropped, and what the shipper has not come by yet. */
static void add_dropped(const struct mrl_spool *spool, struct mrl_cursor *cursor)
{
    struct mrl_spool_numbers missing = { { 0 } };
    struct mrl_segment_header header;

    if (!spool->segments.count)
        return;
    if (spool->segments.at[0].number > cursor->segment) {
        if (!mrl_spool__header(spool, spool->segments.at[0].number, &header, NULL))
            mrl_cursor__missing(cursor, &header.appended, &missing);
    } else if (spool->hole.next > cursor->segment) {
        missing = spool->hole.lost;
    }
    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
        cursor->lost.of[i] += missing.of[i];
}

void mrl_spool__counts(struct mrl_spool *spool,
                       unsigned int event,
                       struct mrl_kept_counts *ret_counts)
{
    struct mrl_cursor cursor;

    pthread_mutex_lock(&spool->lock);
    mrl_spool__cursor(spool, &cursor);
    add_dropped(spool, &cursor);
    *ret_counts = (struct mrl_kept_counts){ spool->appended.of[event], cursor.taken.of[event],
                                            cursor.refused.of[event], cursor.lost.of[event] };
    pthread_mutex_unlock(&spool->lock);
}

/* The time of the first item of the frame at the cursor, or of the first that there is. */
static uint64_t oldest(const struct mrl_spool *spool, const struct mrl_cursor *cursor)
{
    const struct mrl_segment *first = spool->segments.at;
    uint64_t at = sizeof(struct mrl_segment_header);
    struct mrl_frame_header header;
    struct mrl_items_head head;
    struct mrl_item_head item;
    int fd = mrl_spool_directory__segment(spool->directory, first->number, O_RDONLY, NULL);
    bool is_there;

    if (fd < 0)
        return 0;
    if (first->number == cursor->segment && cursor->offset > at && cursor->offset < first->bytes)
        at = cursor->offset;
    is_there =
        pread(fd, &header, sizeof(header), (off_t)at) == (ssize_t)sizeof(header) &&
        mrl_items__is_frame(&header) &&
        pread(fd, &head, sizeof(head), (off_t)(at + sizeof(header))) == (ssize_t)sizeof(head) &&
        pread(fd, &item, sizeof(item),
              (off_t)(at + sizeof(header) + mrl_items__before(head.events, head.items))) ==
            (ssize_t)sizeof(item);
    close(fd);
    return is_there ? item.time_ns : 0;
}

void mrl_spool__status(struct mrl_spool *spool, struct mrl_spool_status *ret_status)
{
    struct mrl_spool_status status = { .bytes = 0 };
    struct mrl_spool_numbers pending;
    struct mrl_cursor cursor;

    pthread_mutex_lock(&spool->lock);
    mrl_spool__cursor(spool, &cursor);
    add_dropped(spool, &cursor);
    status.bytes = mrl_segments__bytes(&spool->segments);
    status.segments = spool->segments.count;
    status.pending = mrl_cursor__missing(&cursor, &spool->appended, &pending);
    if (status.pending && status.segments)
        status.oldest_ns = oldest(spool, &cursor);
    pthread_mutex_unlock(&spool->lock);
    *ret_status = status;
}

void mrl_spool__name(struct mrl_spool *spool, char name[MRL_SPOOL_OWN_BYTES])
{
    uint64_t halves[2];

    pthread_mutex_lock(&spool->lock);
    memcpy(halves, spool->id, sizeof(halves));
    pthread_mutex_unlock(&spool->lock);
    snprintf(name, MRL_SPOOL_OWN_BYTES, "%016llx-%016llx", (unsigned long long)halves[0],
             (unsigned long long)halves[1]);
}

uint64_t mrl_spool__last_ns(struct mrl_spool *spool)
{
    uint64_t last_ns;

    pthread_mutex_lock(&spool->lock);
    last_ns = spool->last_ns;
    pthread_mutex_unlock(&spool->lock);
    return last_ns;
}

/* -- giving up -------------------------------------------------------------------------------- */

static int give_up(struct mrl_spool *spool)
{
    struct mrl_cursor cursor;
    int err = mrl_spool__begin_segment(spool);

    if (err)
        return err;
    mrl_spool__cursor(spool, &cursor);
    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
        cursor.lost.of[i] = spool->appended.of[i] - cursor.taken.of[i] - cursor.refused.of[i];
    cursor.segment = spool->number;
    cursor.offset = spool->end;
    cursor.item = spool->item;
    memcpy(cursor.id, spool->id, sizeof(cursor.id));
    err = mrl_cursor__write(spool->cursor, &cursor);
    while (!err && spool->segments.count > 1)
        mrl_spool__remove(spool, 0);
    return err;
}

int mrl_spool__drop(struct mrl_spool *spool, struct mrl_error *error)
{
    int err = mrl_cursor__lock(spool->cursor, 0);

    if (err)
        return mrl_error__set(error, err, "its items are being sent");
    pthread_mutex_lock(&spool->appending);
    err = give_up(spool);
    pthread_mutex_unlock(&spool->appending);
    mrl_cursor__unlock(spool->cursor);
    return err ? mrl_error__set(error, err, "%s", strerror(-err)) : 0;
}
