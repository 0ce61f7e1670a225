// SPDX-License-Identifier: Apache-2.0
/* Reading segments: frames that are whole, and what to do about the others. */
#include "spool/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = MRL_SPOOL_PAYLOAD_MAX + (int)sizeof(struct mrl_frame_header),
    ITEMS_MAX = 4096,
    /* Bytes that one search for a whole frame may checksum: what looks like frames without end
     * costs no more than a segment. */
    SEARCH_BYTES = 64 << 20,
};

/* Where a batch lies. */
struct half {
    uint64_t loaded; /* offset of what the buffer holds */
    size_t size;
    struct mrl_item items[ITEMS_MAX];
    _Alignas(8) char buffer[BUFFER_BYTES];
};

struct mrl_spool_reader {
    int fd;
    struct mrl_segment_header header;
    uint64_t at;   /* of the frame that comes next */
    uint64_t item; /* number of the item that comes next */
    uint64_t damaged;
    unsigned int next; /* the half for the next batch; the last one lies in the other */
    struct half halves[2];
};

/* A frame in the buffer. */
struct frame {
    struct mrl_items_head head;
    const uint64_t *appended;
    const uint32_t *sizes;
    const char *items;
    size_t bytes;
};

/* -- making ----------------------------------------------------------------------------------- */

int mrl_spool_reader__raw(int fd, struct mrl_spool_reader **ret_reader)
{
    struct mrl_spool_reader *reader = malloc(sizeof(*reader));

    if (!reader)
        return -ENOMEM;
    memset(reader, 0, offsetof(struct mrl_spool_reader, halves));
    reader->fd = fd;
    reader->at = sizeof(reader->header);
    *ret_reader = reader;
    return 0;
}

int mrl_spool_reader__new(int fd, struct mrl_error *error, struct mrl_spool_reader **ret_reader)
{
    struct mrl_spool_reader *reader;
    int err = mrl_spool_reader__raw(fd, &reader);

    if (err)
        return mrl_error__set(error, err, "out of memory");
    err = mrl_segment__read(fd, &reader->header, error);
    if (err) {
        free(reader);
        return err;
    }
    *ret_reader = reader;
    return 0;
}

const struct mrl_segment_header *mrl_spool_reader__header(const struct mrl_spool_reader *reader)
{
    return &reader->header;
}

void mrl_spool_reader__free(struct mrl_spool_reader *reader)
{
    free(reader);
}

/* -- frames ----------------------------------------------------------------------------------- */

static struct half *half_of(struct mrl_spool_reader *reader)
{
    return &reader->halves[reader->next];
}

static int load(struct mrl_spool_reader *reader, uint64_t at, uint64_t end)
{
    struct half *half = half_of(reader);
    const uint64_t wanted = end - at < BUFFER_BYTES ? end - at : BUFFER_BYTES;
    ssize_t size;

    do
        size = pread(reader->fd, half->buffer, wanted, (off_t)at);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    half->loaded = at;
    half->size = (size_t)size;
    return 0;
}

/* The frame at an offset of what is loaded. Returns its bytes; 0: there is none that is whole. Of
 * one whose header is right, `*ret_skip` is where the next would be. */
static size_t parse(const struct half *half,
                    size_t offset,
                    struct frame *ret_frame,
                    size_t *ret_skip)
{
    const char *at = half->buffer + offset, *payload = at + sizeof(struct mrl_frame_header);
    const struct mrl_frame_header *header = (const struct mrl_frame_header *)at;
    const size_t left = half->size - offset;
    struct frame frame;

    *ret_skip = MRL_CAPTURE_ALIGN;
    if (left < sizeof(*header) || !mrl_items__is_frame(header))
        return 0;
    frame.bytes = mrl_frame__bytes(header->size);
    *ret_skip = frame.bytes;
    if (frame.bytes > left || !mrl_items__is_whole(header, payload))
        return 0;
    memcpy(&frame.head, payload, sizeof(frame.head));
    frame.appended = (const uint64_t *)(payload + sizeof(frame.head));
    frame.sizes = (const uint32_t *)(frame.appended + frame.head.events);
    frame.items = payload + mrl_items__before(frame.head.events, frame.head.items);
    *ret_frame = frame;
    return frame.bytes;
}

/*
 * The next frame that is whole, from `at` on; the buffer then begins with it. What looks like a
 * frame inside one that is damaged is not believed: a header that is right says where that ends.
 */
static int search(struct mrl_spool_reader *reader, uint64_t at, uint64_t end)
{
    const struct half *half = half_of(reader);
    uint64_t budget = SEARCH_BYTES;

    while (at + sizeof(struct mrl_frame_header) <= end) {
        size_t skip = 0, offset = 0;
        struct frame frame;
        int err = load(reader, at, end);

        if (err || half->size < sizeof(struct mrl_frame_header))
            return err ? err : -ENODATA;
        if (parse(half, 0, &frame, &skip)) {
            reader->damaged += at - reader->at;
            reader->at = at;
            return 0;
        }
        budget -= skip < budget ? skip : budget;
        if (!budget)
            return -ENODATA;
        /* On to the next that has the header of one. */
        for (offset = skip; offset + sizeof(struct mrl_frame_header) <= half->size; offset += 8)
            if (mrl_items__is_frame((const struct mrl_frame_header *)(half->buffer + offset)))
                break;
        at += offset;
    }
    return -ENODATA;
}

/* -- items ------------------------------------------------------------------------------------ */

/* How many of the frame's items stand before the one that is wanted. */
static uint32_t seen(const struct mrl_spool_reader *reader, const struct frame *frame)
{
    const uint64_t before = reader->item > frame->head.item ? reader->item - frame->head.item : 0;

    return before < frame->head.items ? (uint32_t)before : frame->head.items;
}

static void begin(const struct frame *frame, uint64_t offset, struct mrl_spool_batch *batch)
{
    batch->item = frame->head.item;
    batch->offset = offset;
    for (uint32_t i = 0; i < frame->head.events; i++)
        batch->appended.of[i] = frame->appended[i];
}

/* Adds the items of a frame behind the first `skipped`, while there is room. Returns whether all of
 * them are in. */
static bool take(struct mrl_spool_reader *reader,
                 const struct frame *frame,
                 uint32_t skipped,
                 size_t items_max,
                 struct mrl_spool_batch *batch)
{
    const char *at = frame->items;
    uint32_t i;

    for (i = 0; i < frame->head.items && batch->count < items_max; at += frame->sizes[i++]) {
        struct mrl_item *item = &half_of(reader)->items[batch->count];

        memcpy(&item->head, at, sizeof(item->head));
        item->bytes = at + sizeof(item->head);
        item->size = frame->sizes[i] - (uint32_t)sizeof(item->head);
        if (i >= skipped) {
            batch->count++;
        } else {
            batch->item++;
            batch->appended.of[item->head.event]++;
        }
    }
    reader->item = frame->head.item + i;
    return i == frame->head.items;
}

/* All that is loaded, up to a gap. */
static void collect(struct mrl_spool_reader *reader,
                    size_t items_max,
                    struct mrl_spool_batch *batch)
{
    const struct half *half = half_of(reader);
    size_t offset = 0, skip;
    struct frame frame;

    while (parse(half, offset, &frame, &skip)) {
        const uint32_t skipped = seen(reader, &frame);

        if (batch->count && (frame.head.item != reader->item || batch->count == items_max))
            break;
        if (skipped < frame.head.items) {
            if (!batch->count)
                begin(&frame, reader->at, batch);
            if (!take(reader, &frame, skipped, items_max, batch))
                break;
        }
        offset += frame.bytes;
        reader->at = half->loaded + offset;
    }
    batch->next = reader->at;
}

int mrl_spool_reader__next(struct mrl_spool_reader *reader,
                           uint64_t end,
                           size_t items_max,
                           struct mrl_spool_batch *ret_batch)
{
    struct mrl_spool_batch batch;
    int err;

    assert(items_max);
    items_max = items_max < ITEMS_MAX ? items_max : ITEMS_MAX;
    do {
        memset(&batch, 0, sizeof(batch));
        err = search(reader, reader->at, end);
        if (err)
            return err;
        collect(reader, items_max, &batch);
    } while (!batch.count);
    batch.items = half_of(reader)->items;
    batch.damaged = reader->damaged;
    reader->next = !reader->next;
    *ret_batch = batch;
    return 0;
}

void mrl_spool_reader__seek(struct mrl_spool_reader *reader, uint64_t offset, uint64_t item)
{
    struct frame frame;
    size_t skip;

    reader->item = item;
    reader->at = sizeof(reader->header);
    if (offset > reader->at && offset % MRL_CAPTURE_ALIGN == 0 &&
        offset < INT64_MAX - BUFFER_BYTES && !load(reader, offset, offset + BUFFER_BYTES) &&
        parse(half_of(reader), 0, &frame, &skip) && frame.head.item <= item)
        reader->at = offset;
}
