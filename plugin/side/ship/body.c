// SPDX-License-Identifier: Apache-2.0
#include "side/ship/body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_ROOM = 4096, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

static bool make_room(struct mrl_body *body, size_t size)
{
    size_t room = body->room ? body->room : FIRST_ROOM;
    char *bytes;

    while (room - body->size < size)
        room *= 2;
    if (room == body->room)
        return true;
    bytes = realloc(body->bytes, room);
    body->failed = body->failed || !bytes;
    if (!bytes)
        return false;
    body->bytes = bytes;
    body->room = room;
    return true;
}

void mrl_body__put(struct mrl_body *body, const void *bytes, size_t size)
{
    if (!size || body->failed || !make_room(body, size))
        return;
    memcpy(body->bytes + body->size, bytes, size);
    body->size += size;
}

void mrl_body__text(struct mrl_body *body, const char *text)
{
    mrl_body__put(body, text, strlen(text));
}

void mrl_body__json(struct mrl_body *body, const char *text, size_t size)
{
    size_t from = 0;
    char escape[8];

    mrl_body__put(body, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        mrl_body__put(body, text + from, i - from);
        from = i + 1;
        snprintf(escape, sizeof(escape), c < ' ' ? "\\u%04x" : "\\%c", c);
        mrl_body__text(body, escape);
    }
    mrl_body__put(body, text + from, size - from);
    mrl_body__put(body, "\"", 1);
}

int mrl_body__compress(const struct mrl_body *body, struct mrl_body *to)
{
    z_stream stream = { .next_in = (unsigned char *)body->bytes, .avail_in = (uInt)body->size };
    int result;

    if (deflateInit2(&stream, 1, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    mrl_body__empty(to);
    if (!make_room(to, deflateBound(&stream, body->size))) {
        deflateEnd(&stream);
        return -ENOMEM;
    }
    stream.next_out = (unsigned char *)to->bytes;
    stream.avail_out = (uInt)to->room;
    result = deflate(&stream, Z_FINISH);
    to->size = to->room - stream.avail_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? 0 : -EIO;
}

void mrl_body__empty(struct mrl_body *body)
{
    body->size = 0;
    body->failed = false;
}

void mrl_body__done(struct mrl_body *body)
{
    free(body->bytes);
    *body = (struct mrl_body){ .bytes = NULL };
}
