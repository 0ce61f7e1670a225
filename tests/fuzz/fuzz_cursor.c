// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a cursor: refused, or read, and then the next write is what counts. */
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include <sys/mman.h>

#include "fuzz.h"
#include "spool/cursor.h"

static void mend(uint8_t *bytes, size_t size)
{
    const size_t crc_at = MRL_CURSOR_SLOT_BYTES - sizeof(uint32_t);

    for (size_t at = 0; at + MRL_CURSOR_SLOT_BYTES <= size && at < MRL_CURSOR_BYTES;
         at += MRL_CURSOR_SLOT_BYTES) {
        uint32_t crc = (uint32_t)crc32(0, bytes + at, (unsigned int)crc_at);

        memcpy(bytes + at + crc_at, &crc, sizeof(crc));
    }
}

static void read_cursor(const uint8_t *bytes, size_t size)
{
    struct mrl_spool_numbers appended = { { 1, UINT64_MAX } }, missing;
    struct mrl_cursor cursor, again;
    int fd = memfd_create("cursor", MFD_CLOEXEC), err;

    must(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    err = mrl_cursor__read(fd, &cursor);
    must(!err || err == -ENODATA || err == -EBADMSG);
    if (!err && cursor.generation < UINT64_MAX) {
        mrl_cursor__missing(&cursor, &appended, &missing);
        cursor.item++;
        must(!mrl_cursor__write(fd, &cursor));
        must(!mrl_cursor__read(fd, &again));
        must(again.item == cursor.item && again.generation == cursor.generation);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);

    must(bytes);
    memcpy(bytes, data, size);
    read_cursor(bytes, size);
    mend(bytes, size);
    read_cursor(bytes, size);
    free(bytes);
    return 0;
}
