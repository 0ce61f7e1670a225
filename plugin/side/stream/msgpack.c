// SPDX-License-Identifier: Apache-2.0
#include "side/stream/msgpack.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, NUMBER_BYTES = 40 };

/* -- writing ---------------------------------------------------------------------------------- */

/* A mark, and a number of `size` bytes, the highest first. */
static void put(struct mrl_body *body, unsigned char mark, uint64_t number, unsigned int size)
{
    unsigned char bytes[9] = { mark };

    for (unsigned int i = 0; i < size; i++)
        bytes[size - i] = (unsigned char)(number >> 8 * i);
    mrl_body__put(body, bytes, size + 1);
}

/* A collector knows a chunk by its mark, and takes none but the short ones. */
void mrl_msgpack__array(struct mrl_body *body, unsigned int count)
{
    put(body, (unsigned char)(0x90 | count), 0, 0);
}

void mrl_msgpack__map(struct mrl_body *body, unsigned int count)
{
    put(body, (unsigned char)(0x80 | count), 0, 0);
}

void mrl_msgpack__binary(struct mrl_body *body, size_t size)
{
    put(body, 0xc6, size, 4);
}

void mrl_msgpack__text(struct mrl_body *body, const char *bytes, size_t size)
{
    put(body, 0xdb, size, 4);
    mrl_body__put(body, bytes, size);
}

void mrl_msgpack__number(struct mrl_body *body, uint64_t number)
{
    put(body, 0xcf, number, 8);
}

/* -- JSON ------------------------------------------------------------------------------------- */

struct json {
    struct mrl_body *body;
    const char *at, *end;
    unsigned int depth;
};

static int put_value(struct json *json);

static char peek(struct json *json)
{
    while (json->at < json->end && strchr(" \t\r\n", *json->at) && *json->at)
        json->at++;
    return json->at < json->end ? *json->at : '\0';
}

/* How many values follow is known when they are there. */
static void set_count(struct mrl_body *body, size_t at, size_t count)
{
    if (body->failed)
        return;
    for (unsigned int i = 0; i < 4; i++)
        body->bytes[at + 4 - i] = (char)(count >> 8 * i);
}

static int read_hex(struct json *json, uint32_t *ret_code)
{
    char digits[5] = "";
    char *end;

    if (json->end - json->at < 4)
        return -EINVAL;
    memcpy(digits, json->at, 4);
    *ret_code = (uint32_t)strtoul(digits, &end, 16);
    json->at += 4;
    return *end || !isxdigit((unsigned char)*digits) ? -EINVAL : 0;
}

static void put_utf8(struct mrl_body *body, uint32_t code)
{
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    char bytes[4];
    unsigned int size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (unsigned int i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(leads[size] | code);
    mrl_body__put(body, bytes, size);
}

/* Behind the backslash. Half of a pair alone is no character. */
static int put_escape(struct json *json)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = json->at < json->end && *json->at ? strchr(from, *json->at) : NULL;
    uint32_t code, low;

    if (found) {
        mrl_body__put(json->body, to + (found - from), 1);
        json->at++;
        return 0;
    }
    if (json->at == json->end || *json->at++ != 'u' || read_hex(json, &code))
        return -EINVAL;
    if (code >> 10 == 0xd800 >> 10) {
        if (json->end - json->at < 2 || memcmp(json->at, "\\u", 2) != 0)
            return -EINVAL;
        json->at += 2;
        if (read_hex(json, &low) || low >> 10 != 0xdc00 >> 10)
            return -EINVAL;
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
    }
    put_utf8(json->body, code);
    return 0;
}

static int put_string(struct json *json)
{
    size_t head = json->body->size;
    int err = 0;

    if (peek(json) != '"')
        return -EINVAL;
    json->at++;
    put(json->body, 0xdb, 0, 4);
    while (!err && json->at < json->end && *json->at != '"') {
        const char *from = json->at;

        while (json->at < json->end && *json->at != '"' && *json->at != '\\')
            json->at++;
        mrl_body__put(json->body, from, (size_t)(json->at - from));
        if (json->at < json->end && *json->at == '\\') {
            json->at++;
            err = put_escape(json);
        }
    }
    if (err || json->at == json->end)
        return -EINVAL;
    json->at++;
    set_count(json->body, head, json->body->size - head - 5);
    return 0;
}

static int put_number(struct json *json)
{
    char text[NUMBER_BYTES] = "", *end;
    size_t size = 0;
    int64_t number;
    double real;
    uint64_t bits;

    while (json->at < json->end && size + 1 < sizeof(text) &&
           strchr("+-.eE0123456789", *json->at) && *json->at)
        text[size++] = *json->at++;
    if (!size || size + 1 == sizeof(text))
        return -EINVAL;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (!*end && errno == ERANGE)
        mrl_msgpack__text(json->body, text, size);
    else if (!*end)
        put(json->body, 0xd3, (uint64_t)number, 8);
    if (!*end)
        return 0;
    real = strtod(text, &end);
    memcpy(&bits, &real, sizeof(bits));
    put(json->body, 0xcb, bits, 8);
    return *end ? -EINVAL : 0;
}

static int put_word(struct json *json)
{
    static const struct {
        const char *word;
        unsigned char mark;
    } words[] = { { "null", 0xc0 }, { "false", 0xc2 }, { "true", 0xc3 } };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i].word);

        if ((size_t)(json->end - json->at) < size || memcmp(json->at, words[i].word, size) != 0)
            continue;
        json->at += size;
        mrl_body__put(json->body, &words[i].mark, 1);
        return 0;
    }
    return -EINVAL;
}

static int put_members(struct json *json, bool is_map)
{
    const char last = is_map ? '}' : ']';
    size_t head = json->body->size, count = 0;
    int err = json->depth == DEPTH_MAX ? -EINVAL : 0;

    json->at++;
    json->depth++;
    put(json->body, is_map ? 0xdf : 0xdd, 0, 4);
    while (!err && peek(json) != last) {
        if (count++ && (peek(json) != ',' || !json->at++))
            return -EINVAL;
        if (is_map)
            err = put_string(json);
        if (!err && is_map && (peek(json) != ':' || !json->at++))
            return -EINVAL;
        err = err ? err : put_value(json);
    }
    json->at += !err;
    json->depth--;
    set_count(json->body, head, count);
    return err;
}

static int put_value(struct json *json)
{
    char first = peek(json);

    if (first == '{' || first == '[')
        return put_members(json, first == '{');
    if (first == '"')
        return put_string(json);
    return first == '-' || isdigit((unsigned char)first) ? put_number(json) : put_word(json);
}

int mrl_msgpack__json(struct mrl_body *body, const char *json, size_t size)
{
    struct json all = { body, json, json + size, 0 };
    size_t before = body->size;
    int err = peek(&all) == '{' ? put_value(&all) : -EINVAL;

    if (!err && peek(&all))
        err = -EINVAL;
    if (err)
        body->size = before;
    return err;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* What a mark means: the bytes of the number behind it, and what that says. */
struct mark {
    unsigned char first, last;
    enum mrl_msgpack_type type;
    unsigned char number; /* bytes of the size; 0: it is in the mark */
    unsigned char mask;   /* of the size in the mark */
    unsigned char more;   /* bytes that belong to the value besides */
};

static const struct mark marks[] = {
    { 0x00, 0x7f, MRL_MSGPACK_OTHER, 0, 0, 0 },    { 0x80, 0x8f, MRL_MSGPACK_MAP, 0, 0x0f, 0 },
    { 0x90, 0x9f, MRL_MSGPACK_ARRAY, 0, 0x0f, 0 }, { 0xa0, 0xbf, MRL_MSGPACK_BYTES, 0, 0x1f, 0 },
    { 0xc0, 0xc0, MRL_MSGPACK_OTHER, 0, 0, 0 },    { 0xc2, 0xc3, MRL_MSGPACK_BOOL, 0, 0, 0 },
    { 0xc4, 0xc4, MRL_MSGPACK_BYTES, 1, 0, 0 },    { 0xc5, 0xc5, MRL_MSGPACK_BYTES, 2, 0, 0 },
    { 0xc6, 0xc6, MRL_MSGPACK_BYTES, 4, 0, 0 },    { 0xc7, 0xc7, MRL_MSGPACK_OTHER, 1, 0, 1 },
    { 0xc8, 0xc8, MRL_MSGPACK_OTHER, 2, 0, 1 },    { 0xc9, 0xc9, MRL_MSGPACK_OTHER, 4, 0, 1 },
    { 0xca, 0xca, MRL_MSGPACK_OTHER, 0, 0, 4 },    { 0xcb, 0xcb, MRL_MSGPACK_OTHER, 0, 0, 8 },
    { 0xcc, 0xcc, MRL_MSGPACK_OTHER, 0, 0, 1 },    { 0xcd, 0xcd, MRL_MSGPACK_OTHER, 0, 0, 2 },
    { 0xce, 0xce, MRL_MSGPACK_OTHER, 0, 0, 4 },    { 0xcf, 0xcf, MRL_MSGPACK_OTHER, 0, 0, 8 },
    { 0xd0, 0xd0, MRL_MSGPACK_OTHER, 0, 0, 1 },    { 0xd1, 0xd1, MRL_MSGPACK_OTHER, 0, 0, 2 },
    { 0xd2, 0xd2, MRL_MSGPACK_OTHER, 0, 0, 4 },    { 0xd3, 0xd3, MRL_MSGPACK_OTHER, 0, 0, 8 },
    { 0xd4, 0xd4, MRL_MSGPACK_OTHER, 0, 0, 2 },    { 0xd5, 0xd5, MRL_MSGPACK_OTHER, 0, 0, 3 },
    { 0xd6, 0xd6, MRL_MSGPACK_OTHER, 0, 0, 5 },    { 0xd7, 0xd7, MRL_MSGPACK_OTHER, 0, 0, 9 },
    { 0xd8, 0xd8, MRL_MSGPACK_OTHER, 0, 0, 17 },   { 0xd9, 0xd9, MRL_MSGPACK_BYTES, 1, 0, 0 },
    { 0xda, 0xda, MRL_MSGPACK_BYTES, 2, 0, 0 },    { 0xdb, 0xdb, MRL_MSGPACK_BYTES, 4, 0, 0 },
    { 0xdc, 0xdc, MRL_MSGPACK_ARRAY, 2, 0, 0 },    { 0xdd, 0xdd, MRL_MSGPACK_ARRAY, 4, 0, 0 },
    { 0xde, 0xde, MRL_MSGPACK_MAP, 2, 0, 0 },      { 0xdf, 0xdf, MRL_MSGPACK_MAP, 4, 0, 0 },
    { 0xe0, 0xff, MRL_MSGPACK_OTHER, 0, 0, 0 },
};

static const struct mark *mark_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (byte >= marks[i].first && byte <= marks[i].last)
            return &marks[i];
    return NULL;
}

int mrl_msgpack__read(struct mrl_msgpack *from, struct mrl_msgpack_value *ret_value)
{
    size_t left = (size_t)(from->end - from->at), size, bytes;
    const struct mark *mark = left ? mark_of(*from->at) : NULL;
    const unsigned char *at = from->at + 1;

    if (!mark)
        return left ? -EBADMSG : -EAGAIN;
    if (left <= mark->number)
        return -EAGAIN;
    size = *from->at & mark->mask;
    for (unsigned int i = 0; i < mark->number; i++)
        size = size << 8 | *at++;
    bytes =
        mark->type == MRL_MSGPACK_BYTES || mark->type == MRL_MSGPACK_OTHER ? size + mark->more : 0;
    if ((size_t)(from->end - at) < bytes)
        return -EAGAIN;
    *ret_value = (struct mrl_msgpack_value){
        .type = mark->type, .bytes = (const char *)at, .size = size, .truth = *from->at == 0xc3
    };
    from->at = at + bytes;
    return 0;
}

int mrl_msgpack__skip(struct mrl_msgpack *from)
{
    uint64_t values = 1; /* to be passed by */

    while (values) {
        struct mrl_msgpack_value value;
        int err = mrl_msgpack__read(from, &value);

        if (err)
            return err;
        values--;
        if (value.type == MRL_MSGPACK_ARRAY || value.type == MRL_MSGPACK_MAP)
            values += (uint64_t)value.size << (value.type == MRL_MSGPACK_MAP);
        /* Each takes a byte at least; more than that is never there. */
        if (values > UINT32_MAX * UINT64_C(4))
            return -EBADMSG;
    }
    return 0;
}
