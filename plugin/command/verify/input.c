// SPDX-License-Identifier: Apache-2.0
/* Plain files, gzip by zlib, zstd by libzstd. Each may be several that were put together. */
#include "command/verify/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <sys/param.h>

enum {
    PACKED_BYTES = 128 * 1024,
    MAGIC_BYTES = 6,
    GZIP_WINDOW = 15 + 16, /* zlib: the largest, and a gzip header */
};

/* A way of packing. */
struct packing {
    const char *name;
    unsigned char magic[MAGIC_BYTES];
    size_t magic_size;
    int (*begin)(struct mrl_input *input);
    /* As mrl_input__read(); 0 also when there was too little input. */
    ssize_t (*unpack)(struct mrl_input *input, char *bytes, size_t size);
    void (*end)(struct mrl_input *input);
};

struct mrl_input {
    int fd;
    const struct packing *packing; /* NULL: plain */
    z_stream gzip;
    ZSTD_DStream *zstd;
    bool within; /* something that is packed has begun, and not ended */
    bool ended;  /* of the file */
    uint64_t position;
    size_t start, stop; /* of what was read and not taken */
    char fault[160];
    unsigned char packed[PACKED_BYTES];
};

static ssize_t fail(struct mrl_input *input, int err, const char *text)
{
    snprintf(input->fault, sizeof(input->fault), "%s", text);
    return err;
}

/* Reads on behind what is there. */
static ssize_t fill(struct mrl_input *input)
{
    ssize_t got;

    if (input->start == input->stop)
        input->start = input->stop = 0;
    do
        got = read(input->fd, input->packed + input->stop, PACKED_BYTES - input->stop);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(input, -errno, strerror(errno));
    input->ended = !got;
    input->stop += (size_t)got;
    input->position += (uint64_t)got;
    return got;
}

/* -- gzip ------------------------------------------------------------------------------------- */

static int begin_gzip(struct mrl_input *input)
{
    return inflateInit2(&input->gzip, GZIP_WINDOW) == Z_OK ? 0 : -ENOMEM;
}

/* gzip allows zeros behind the end, as tapes have them. */
static bool only_zeros(const struct mrl_input *input)
{
    for (size_t i = input->start; i < input->stop; i++)
        if (input->packed[i])
            return false;
    return true;
}

static ssize_t unpack_gzip(struct mrl_input *input, char *bytes, size_t size)
{
    z_stream *gzip = &input->gzip;
    int result;

    if (!input->within && only_zeros(input)) {
        input->start = input->stop;
        return 0;
    }
    if (!input->within)
        inflateReset(gzip);
    gzip->next_in = input->packed + input->start;
    gzip->avail_in = (unsigned int)(input->stop - input->start);
    gzip->next_out = (unsigned char *)bytes;
    gzip->avail_out = (unsigned int)size;
    result = inflate(gzip, Z_NO_FLUSH);
    input->start = input->stop - gzip->avail_in;
    input->within = result != Z_STREAM_END;
    if (result == Z_MEM_ERROR)
        return fail(input, -ENOMEM, "out of memory");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return fail(input, -EBADMSG, "damaged: what gzip packed cannot be unpacked further");
    return (ssize_t)(size - gzip->avail_out);
}

static void end_gzip(struct mrl_input *input)
{
    inflateEnd(&input->gzip);
}

/* -- zstd ------------------------------------------------------------------------------------- */

static int begin_zstd(struct mrl_input *input)
{
    input->zstd = ZSTD_createDStream();
    return input->zstd ? 0 : -ENOMEM;
}

static ssize_t unpack_zstd(struct mrl_input *input, char *bytes, size_t size)
{
    ZSTD_inBuffer from = { input->packed, input->stop, input->start };
    ZSTD_outBuffer to = { bytes, size, 0 };
    size_t result = ZSTD_decompressStream(input->zstd, &to, &from);

    input->start = from.pos;
    if (ZSTD_isError(result))
        return fail(input, -EBADMSG, "damaged: what zstd packed cannot be unpacked further");
    input->within = result != 0;
    return (ssize_t)to.pos;
}

static void end_zstd(struct mrl_input *input)
{
    ZSTD_freeDStream(input->zstd);
}

/* -- any of them ------------------------------------------------------------------------------ */

static const struct packing packings[] = {
    { "gzip", { 0x1f, 0x8b }, 2, begin_gzip, unpack_gzip, end_gzip },
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, begin_zstd, unpack_zstd, end_zstd },
    { "zstd", { 0x50, 0x2a, 0x4d, 0x18 }, 4, begin_zstd, unpack_zstd, end_zstd }, /* pzstd's */
    { "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, NULL, NULL, NULL },
    { "lzma", { 0x5d, 0, 0 }, 3, NULL, NULL, NULL },
    { "zip", { 'P', 'K', 3, 4 }, 4, NULL, NULL, NULL },
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, NULL, NULL, NULL },
    { "bzip2", { 'B', 'Z', 'h' }, 3, NULL, NULL, NULL },
};

static int find_packing(struct mrl_input *input)
{
    char text[64];

    while (!input->ended && input->stop < MAGIC_BYTES)
        if (fill(input) < 0)
            return -EIO;
    for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
        const struct packing *packing = &packings[i];

        if (input->stop < packing->magic_size ||
            memcmp(input->packed, packing->magic, packing->magic_size) != 0)
            continue;
        if (packing->begin) {
            input->packing = packing;
            return packing->begin(input);
        }
        snprintf(text, sizeof(text), "packed by %s: unpack it first", packing->name);
        return (int)fail(input, -EBADMSG, text);
    }
    return 0;
}

int mrl_input__open(const char *path, struct mrl_input **ret_input)
{
    struct mrl_input *input = calloc(1, sizeof(*input));
    int err;

    if (!input)
        return -ENOMEM;
    input->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(0, F_DUPFD_CLOEXEC, 0);
    err = input->fd < 0 ? -errno : 0;
    if (!err && find_packing(input) == -ENOMEM)
        err = -ENOMEM;
    if (err)
        mrl_input__close(input);
    else
        *ret_input = input;
    return err;
}

static ssize_t read_plain(struct mrl_input *input, char *bytes, size_t size)
{
    size_t count = MIN(input->stop - input->start, size);
    ssize_t got;

    if (count) {
        memcpy(bytes, input->packed + input->start, count);
        input->start += count;
        return (ssize_t)count;
    }
    do
        got = input->ended ? 0 : read(input->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(input, -errno, strerror(errno));
    input->position += (uint64_t)got;
    return got;
}

static ssize_t read_packed(struct mrl_input *input, char *bytes, size_t size)
{
    for (;;) {
        ssize_t got = 0;

        /* At the end too: unpacked bytes may still wait in the unpacker. */
        if (input->start < input->stop || input->within)
            got = input->packing->unpack(input, bytes, size);
        if (got)
            return got;
        if (input->start < input->stop)
            continue;
        if (input->ended && input->within)
            return fail(input, -EBADMSG, "cut off: what was packed does not end");
        if (input->ended)
            return 0;
        got = fill(input);
        if (got < 0)
            return got;
    }
}

ssize_t mrl_input__read(struct mrl_input *input, char *bytes, size_t size)
{
    if (input->fault[0])
        return -EBADMSG;
    return input->packing ? read_packed(input, bytes, size) : read_plain(input, bytes, size);
}

const char *mrl_input__fault(const struct mrl_input *input)
{
    return input->fault;
}

uint64_t mrl_input__position(const struct mrl_input *input)
{
    return input->position;
}

void mrl_input__close(struct mrl_input *input)
{
    if (!input)
        return;
    if (input->packing && input->packing->end)
        input->packing->end(input);
    if (input->fd >= 0)
        close(input->fd);
    free(input);
}
