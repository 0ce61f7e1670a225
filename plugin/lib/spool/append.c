// SPDX-License-Identifier: Apache-2.0
/*
 * Appending: a frame at a time, with room made for it before, or when the disk says so. A frame is
 * there as a whole or not at all: what a write left behind is cut off, or the segment is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <sys/uio.h>

#include "base/clock.h"
#include "spool/private.h"

enum { PARTS = 7, SECOND_NS = 1000 * 1000 * 1000 };

/* A frame in its parts, as it goes to the disk. */
struct frame {
    struct mrl_frame_header header;
    struct mrl_items_head head;
    struct iovec parts[PARTS];
    size_t bytes;
    const uint32_t *sizes;
    const char *items;
    size_t size; /* of the items */
};

static const char zeros[8];

/* -- room ------------------------------------------------------------------------------------- */

int mrl_spool__header(const struct mrl_spool *spool,
                      uint64_t number,
                      struct mrl_segment_header *ret_header,
                      struct mrl_error *error)
{
    int fd = mrl_spool_directory__segment(spool->directory, number, O_RDONLY, error), err;

    if (fd < 0)
        return fd;
    err = mrl_segment__read(fd, ret_header, error);
    close(fd);
    return err;
}

void mrl_spool__remove(struct mrl_spool *spool, unsigned int index)
{
    char name[MRL_SPOOL_NAME_BYTES];

    if (!spool->is_view) {
        fdatasync(spool->cursor);
        mrl_segment__name(spool->segments.at[index].number, name);
        unlinkat(spool->directory, name, 0);
    }
    mrl_segments__remove(&spool->segments, index);
}

/* The segment at `index` goes, and the one before it stays: what it held is the difference of two
 * headers. */
static void widen_hole(struct mrl_spool *spool, unsigned int index)
{
    const struct mrl_segment *segment = &spool->segments.at[index];
    struct mrl_segment_header header, next;

    if (mrl_spool__header(spool, segment[0].number, &header, NULL) ||
        mrl_spool__header(spool, segment[1].number, &next, NULL))
        return;
    if (spool->hole.next != header.number)
        spool->hole = (struct mrl_spool_hole){ .next = 0 };
    spool->hole.next = next.number;
    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++)
        spool->hole.lost.of[i] += next.appended.of[i] - header.appended.of[i];
}

/* Of those that are neither granted nor the last. -ENOSPC: there is none. */
static int drop_oldest(struct mrl_spool *spool)
{
    unsigned int oldest = 0;

    pthread_mutex_lock(&spool->lock);
    if (spool->segments.count && spool->granted == spool->segments.at[0].number)
        oldest = 1;
    if (oldest + 1 >= spool->segments.count) {
        pthread_mutex_unlock(&spool->lock);
        return -ENOSPC;
    }
    if (oldest)
        widen_hole(spool, oldest);
    mrl_spool__remove(spool, oldest);
    pthread_mutex_unlock(&spool->lock);
    if (!spool->is_told)
        mrl_spool__say(spool, MRL_LOG_WARNING, "it is full: the oldest items are dropped");
    spool->is_told = true;
    return 0;
}

static bool is_over(struct mrl_spool *spool, size_t bytes)
{
    bool is_over;

    pthread_mutex_lock(&spool->lock);
    is_over = mrl_segments__bytes(&spool->segments) + bytes > spool->budget;
    pthread_mutex_unlock(&spool->lock);
    return is_over;
}

static int make_room(struct mrl_spool *spool, size_t bytes)
{
    int err = 0;

    while (!err && is_over(spool, bytes))
        err = drop_oldest(spool);
    return err;
}

/* -- segments --------------------------------------------------------------------------------- */

static void fill_header(const struct mrl_spool *spool, struct mrl_segment_header *header)
{
    *header = (struct mrl_segment_header){
        .number = spool->number + 1,
        .item = spool->item,
        .last_ns = spool->last_ns,
        .appended = spool->appended,
        .budget = spool->options.size,
    };
    memcpy(header->format, spool->format, sizeof(header->format));
    memcpy(header->id, spool->id, sizeof(header->id));
    mrl_segment__seal(header);
}

static int create(struct mrl_spool *spool, const struct mrl_segment_header *header)
{
    char name[MRL_SPOOL_NAME_BYTES];
    int fd = mrl_spool_directory__segment(spool->directory, header->number,
                                          O_RDWR | O_CREAT | O_EXCL | O_APPEND, NULL);
    ssize_t size;

    if (fd < 0)
        return fd;
    size = write(fd, header, sizeof(*header));
    if (size == (ssize_t)sizeof(*header))
        return fd;
    size = size < 0 ? -errno : -ENOSPC;
    close(fd);
    mrl_segment__name(header->number, name);
    unlinkat(spool->directory, name, 0);
    return (int)size;
}

/* The old one is on the disk before there is a new one, which only a reader of both could tell from
 * one that was damaged. */
static int sync_both(struct mrl_spool *spool, int fd)
{
    if (spool->options.sync == MRL_SYNC_NONE)
        return 0;
    return (spool->fd >= 0 && fdatasync(spool->fd)) || fdatasync(fd) || fsync(spool->directory)
               ? -errno
               : 0;
}

int mrl_spool__begin_segment(struct mrl_spool *spool)
{
    struct mrl_segment_header header;
    int fd, err = 0;

    fill_header(spool, &header);
    do
        fd = create(spool, &header);
    while ((fd == -ENOSPC || fd == -EDQUOT) && !drop_oldest(spool));
    if (fd < 0)
        return fd;
    sync_both(spool, fd);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = fd;
    pthread_mutex_lock(&spool->lock);
    err = mrl_segments__add(&spool->segments, header.number, sizeof(header));
    spool->number = header.number;
    spool->end = sizeof(header);
    pthread_mutex_unlock(&spool->lock);
    return err;
}

/* -- frames ----------------------------------------------------------------------------------- */

static size_t frame_bytes(uint32_t items, size_t size)
{
    return mrl_frame__bytes(mrl_items__before(MRL_EVENT_COUNT, items) + size);
}

static void make_frame(const struct mrl_spool *spool, struct frame *frame)
{
    const size_t table = frame->head.items * sizeof(uint32_t),
                 payload = mrl_items__before(MRL_EVENT_COUNT, frame->head.items) + frame->size;
    const struct iovec parts[PARTS] = {
        { &frame->header, sizeof(frame->header) },
        { &frame->head, sizeof(frame->head) },
        { (void *)spool->appended.of, MRL_EVENT_COUNT * sizeof(uint64_t) },
        { (void *)frame->sizes, table },
        { (void *)zeros, -table & 7 },
        { (void *)frame->items, frame->size },
        { (void *)zeros, -payload & 7 },
    };
    uint32_t crc = 0;

    frame->head.item = spool->item;
    frame->head.events = MRL_EVENT_COUNT;
    for (int i = 1; i < PARTS; i++)
        crc = mrl_spool__crc(crc, parts[i].iov_base, parts[i].iov_len);
    frame->header =
        (struct mrl_frame_header){ MRL_FRAME_ITEMS, (uint32_t)payload, crc, .header_crc = 0 };
    frame->header.header_crc =
        mrl_spool__crc(0, &frame->header, offsetof(struct mrl_frame_header, header_crc));
    memcpy(frame->parts, parts, sizeof(parts));
    frame->bytes = mrl_frame__bytes(payload);
}

static void advance(struct iovec parts[PARTS], size_t bytes)
{
    for (int i = 0; i < PARTS && bytes; i++) {
        const size_t part = bytes < parts[i].iov_len ? bytes : parts[i].iov_len;

        parts[i].iov_base = (char *)parts[i].iov_base + part;
        parts[i].iov_len -= part;
        bytes -= part;
    }
}

static int write_parts(int fd, struct frame *frame, const int *stop)
{
    size_t left = frame->bytes;

    while (left) {
        ssize_t size = writev(fd, frame->parts, PARTS);

        if (size < 0 && errno == EINTR && stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
            return -ECANCELED;
        if (size < 0 && errno != EINTR)
            return -errno;
        if (size > 0) {
            advance(frame->parts, (size_t)size);
            left -= (size_t)size;
        }
    }
    return 0;
}

static int sync_now(struct mrl_spool *spool)
{
    if (fdatasync(spool->fd))
        return -errno;
    spool->waits = false;
    spool->synced_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    return 0;
}

static int sync_due(struct mrl_spool *spool)
{
    if (spool->options.sync == MRL_SYNC_NONE)
        return 0;
    if (spool->options.sync == MRL_SYNC_SECOND &&
        mrl_clock__ns(CLOCK_MONOTONIC) - spool->synced_ns < SECOND_NS) {
        spool->waits = true;
        return 0;
    }
    return sync_now(spool);
}

/* After a sync that failed, nobody knows which pages are there: that segment is not gone on with.
 */
static int write_frame(struct mrl_spool *spool, struct frame *frame, const int *stop)
{
    int err = write_parts(spool->fd, frame, stop), synced = err ? 0 : sync_due(spool);

    if (!err && !synced)
        return 0;
    if (ftruncate(spool->fd, (off_t)spool->end) || synced) {
        close(spool->fd);
        spool->fd = -1;
    }
    return err ? err : synced;
}

static void commit(struct mrl_spool *spool, const struct frame *frame)
{
    const char *at = frame->items;
    struct mrl_item_head head;

    pthread_mutex_lock(&spool->lock);
    for (uint32_t i = 0; i < frame->head.items; at += frame->sizes[i++]) {
        memcpy(&head, at, sizeof(head));
        spool->appended.of[head.event]++;
        spool->last_ns = head.time_ns;
    }
    spool->item += frame->head.items;
    spool->end += frame->bytes;
    spool->segments.at[spool->segments.count - 1].bytes = spool->end;
    pthread_mutex_unlock(&spool->lock);
}

static int append_frame(struct mrl_spool *spool, struct frame *frame, const int *stop)
{
    const size_t bytes = frame_bytes(frame->head.items, frame->size);
    int err;

    do {
        bool is_full = spool->fd < 0 || spool->end + bytes > spool->options.segment_bytes;

        err = make_room(spool, bytes + (is_full ? sizeof(struct mrl_segment_header) : 0));
        if (!err && is_full)
            err = mrl_spool__begin_segment(spool);
        if (err)
            return err;
        make_frame(spool, frame);
        err = write_frame(spool, frame, stop);
    } while ((err == -ENOSPC || err == -EDQUOT) && !drop_oldest(spool));
    if (!err)
        commit(spool, frame);
    return err;
}

/* -- chunks ----------------------------------------------------------------------------------- */

static bool is_right(const struct mrl_chunk *chunk)
{
    size_t at = 0;

    if (!chunk->sizes)
        return false;
    for (size_t i = 0; i < chunk->events; at += chunk->sizes[i++]) {
        struct mrl_item_head head;

        if (chunk->sizes[i] < sizeof(head) || chunk->sizes[i] > chunk->size - at)
            return false;
        memcpy(&head, chunk->bytes + at, sizeof(head));
        if (head.event >= MRL_EVENT_COUNT)
            return false;
    }
    return at == chunk->size;
}

/* As many items as fit a frame. */
static void fill(const struct mrl_spool *spool,
                 const struct mrl_chunk *chunk,
                 size_t first,
                 struct frame *frame)
{
    const size_t frame_max = mrl_frame__bytes(MRL_SPOOL_PAYLOAD_MAX),
                 segment_max = spool->options.segment_bytes - sizeof(struct mrl_segment_header),
                 most = frame_max < segment_max ? frame_max : segment_max;

    frame->sizes = chunk->sizes + first;
    frame->size = 0;
    frame->head.items = 0;
    for (size_t i = first; i < chunk->events; i++) {
        if (frame_bytes(frame->head.items + 1, frame->size + chunk->sizes[i]) > most)
            break;
        frame->size += chunk->sizes[i];
        frame->head.items++;
    }
}

int mrl_spool__append(struct mrl_spool *spool, const struct mrl_chunk *chunk, size_t *ret_events)
{
    struct frame frame = { .items = chunk->bytes };
    size_t done = 0;
    int err = is_right(chunk) ? 0 : -EINVAL;

    pthread_mutex_lock(&spool->appending);
    while (!err && done < chunk->events) {
        fill(spool, chunk, done, &frame);
        err = frame.head.items ? append_frame(spool, &frame, chunk->stop) : -EINVAL;
        if (!err) {
            done += frame.head.items;
            frame.items += frame.size;
        }
    }
    pthread_mutex_unlock(&spool->appending);
    *ret_events = done;
    return err;
}

int mrl_spool__sync(struct mrl_spool *spool)
{
    int err = 0;

    pthread_mutex_lock(&spool->appending);
    if (spool->waits && spool->fd >= 0)
        err = sync_now(spool);
    pthread_mutex_unlock(&spool->appending);
    return err;
}
