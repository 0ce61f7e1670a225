// SPDX-License-Identifier: Apache-2.0
/* refused.ndjson: what the destination will never take, and why. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "side/ship/ship.h"

enum { HEAD_BYTES = 1024, LINE_BYTES = 48 * 1024 + HEAD_BYTES };

static size_t put_base64(const char *bytes, size_t size, char *at)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *begin = at;

    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = 0;

        for (size_t j = 0; j < 3; j++)
            three = three << 8 | (i + j < size ? (unsigned char)bytes[i + j] : 0U);
        for (unsigned int j = 0; j < 4; j++)
            *at++ = i + j > size ? '=' : digits[three >> (18 - 6 * j) & 63];
    }
    return (size_t)(at - begin);
}

/* A reason has been tamed already: of what JSON escapes, two characters are left. */
static void put_reason(const char *reason, char *text, size_t size)
{
    size_t used = 0;

    for (; *reason && used + 3 < size; reason++) {
        if (*reason == '"' || *reason == '\\')
            text[used++] = '\\';
        text[used++] = *reason;
    }
    text[used] = '\0';
}

/* A full disk takes half a line. The next one must not be joined to it. */
static bool is_torn(int fd, off_t size)
{
    char last;

    return size && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

bool mrl_ship__keep_refused(const struct mrl_ship *ship,
                            const struct mrl_item *item,
                            const char *reason)
{
    static const char tail[] = { '"', '}', '\n' };
    char id[MRL_EVENT_ID_BYTES], why[600], *line = malloc(LINE_BYTES);
    bool is_kept = false;
    struct stat file;
    size_t size = 0;

    if (!line || fstat(ship->refused_fd, &file) ||
        item->size > (LINE_BYTES - HEAD_BYTES) / 4 * 3 - 4)
        goto out;
    mrl_item__id(&item->head, id);
    put_reason(reason, why, sizeof(why));
    if (is_torn(ship->refused_fd, file.st_size))
        line[size++] = '\n';
    size += (size_t)snprintf(line + size, HEAD_BYTES - 1,
                             "{\"refused_ns\":%" PRId64 ",\"time_ns\":%" PRIu64 ",\"id\":\"%s\","
                             "\"event\":\"%s\",\"reason\":\"%s\",\"base64\":\"",
                             mrl_clock__ns(CLOCK_REALTIME), item->head.time_ns, id,
                             mrl_event_def__at(item->head.event)->name, why);
    size += put_base64(item->bytes, item->size, line + size);
    memcpy(line + size, tail, sizeof(tail));
    size += sizeof(tail);
    is_kept = (uint64_t)file.st_size + size <= ship->refused_max &&
              pwrite(ship->refused_fd, line, size, file.st_size) == (ssize_t)size;
out:
    free(line);
    return is_kept;
}
