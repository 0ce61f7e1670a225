// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a segment, through the reader: refused, or items that lie within what was read.
 * Once as they are, once with right checksums; else hardly any input would get past them.
 */
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include <sys/mman.h>

#include "fuzz.h"
#include "spool/reader.h"

static uint32_t checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32(0, bytes, (unsigned int)size);
}

static void mend(uint8_t *bytes, size_t size)
{
    size_t at = sizeof(struct mrl_segment_header);
    struct mrl_segment_header header;
    struct mrl_frame_header frame;

    if (size < at)
        return;
    memcpy(&header, bytes, sizeof(header));
    mrl_segment__seal(&header);
    memcpy(bytes, &header, sizeof(header));
    for (; at + sizeof(frame) <= size; at += mrl_frame__bytes(frame.size)) {
        memcpy(&frame, bytes + at, sizeof(frame));
        frame.type = MRL_FRAME_ITEMS;
        if (mrl_frame__bytes(frame.size) > size - at)
            frame.size = (uint32_t)((size - at - sizeof(frame)) & ~(size_t)7);
        frame.payload_crc =
            checksum(bytes + at + sizeof(frame), mrl_frame__bytes(frame.size) - sizeof(frame));
        frame.header_crc = checksum(&frame, offsetof(struct mrl_frame_header, header_crc));
        memcpy(bytes + at, &frame, sizeof(frame));
    }
}

static uint64_t check(const struct mrl_spool_batch *batch, uint64_t end)
{
    static volatile char sum;
    uint64_t bytes = 0;

    must(batch->count && batch->offset <= batch->next && batch->next <= end);
    must(batch->item + batch->count > batch->item);
    for (size_t i = 0; i < batch->count; i++) {
        const struct mrl_item *item = &batch->items[i];

        must(item->head.event < MRL_EVENT_COUNT);
        for (uint32_t j = 0; j < item->size; j++)
            sum = (char)(sum + item->bytes[j]);
        bytes += item->size;
    }
    return bytes;
}

static void read_items(const uint8_t *bytes, size_t size, uint64_t seek)
{
    struct mrl_error error = { "" };
    struct mrl_spool_reader *reader;
    struct mrl_spool_batch batch;
    int fd = memfd_create("segment", MFD_CLOEXEC), err;
    uint64_t next = seek, sum = 0;

    must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    err = mrl_spool_reader__new(fd, &error, &reader);
    if (err) {
        must(error.text[0] && (err == -EBADMSG || err == -EOPNOTSUPP));
        close(fd);
        return;
    }
    mrl_spool_reader__seek(reader, seek * 8, seek);
    while (!(err = mrl_spool_reader__next(reader, size, 1 + seek % 7, &batch))) {
        must(batch.item >= next && batch.damaged <= size);
        next = batch.item + batch.count;
        sum += check(&batch, size);
    }
    must(err == -ENODATA && sum <= size);
    mrl_spool_reader__free(reader);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);

    must(bytes);
    memcpy(bytes, data, size);
    read_items(bytes, size, 0);
    mend(bytes, size);
    read_items(bytes, size, 0);
    read_items(bytes, size, size ? bytes[size - 1] : 0);
    free(bytes);
    return 0;
}
