// SPDX-License-Identifier: Apache-2.0
#include "side/http/protobuf.h"

#include <errno.h>
#include <string.h>

enum { VARINT, FIXED64, BYTES, FIXED32 = 5, WAIT_MAX_MS = 600 * 1000 };

static void put_varint(struct mrl_body *body, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    mrl_body__put(body, bytes, size);
}

void mrl_protobuf__put(struct mrl_body *body, unsigned int number, const void *bytes, size_t size)
{
    put_varint(body, number << 3 | BYTES);
    put_varint(body, size);
    mrl_body__put(body, bytes, size);
}

/* -- reading ---------------------------------------------------------------------------------- */

static bool take_varint(struct mrl_protobuf *message, uint64_t *ret_value)
{
    *ret_value = 0;
    for (unsigned int shift = 0; shift < 70 && message->at < message->end; shift += 7) {
        unsigned char byte = *message->at++;

        if (shift < 64)
            *ret_value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool take_bytes(struct mrl_protobuf *message,
                       uint64_t size,
                       struct mrl_protobuf_field *field)
{
    if (size > (uint64_t)(message->end - message->at))
        return false;
    field->bytes = message->at;
    field->size = (size_t)size;
    message->at += size;
    return true;
}

int mrl_protobuf__next(struct mrl_protobuf *message, struct mrl_protobuf_field *ret_field)
{
    uint64_t head, size;
    bool ok;

    if (message->at >= message->end)
        return 0;
    *ret_field = (struct mrl_protobuf_field){ .number = 0 };
    if (!take_varint(message, &head) || head >> 3 == 0 || head >> 32)
        return -EPROTO;
    ret_field->number = (unsigned int)(head >> 3);
    switch (head & 7) {
    case VARINT:
        ok = take_varint(message, &ret_field->value);
        break;
    case BYTES:
        ok = take_varint(message, &size) && take_bytes(message, size, ret_field);
        break;
    case FIXED64:
        ok = take_bytes(message, 8, ret_field);
        break;
    case FIXED32:
        ok = take_bytes(message, 4, ret_field);
        break;
    default:
        ok = false;
    }
    return ok ? 1 : -EPROTO;
}

/* The first field of bytes with that number. Returns as mrl_protobuf__next(). */
static int find(const void *bytes, size_t size, unsigned int number, struct mrl_protobuf_field *ret)
{
    struct mrl_protobuf message = { bytes, (const unsigned char *)bytes + size };
    int found;

    while ((found = mrl_protobuf__next(&message, ret)) == 1)
        if (ret->number == number && ret->bytes)
            return 1;
    return found;
}

int mrl_otlp__read_answer(const void *bytes, size_t size, struct mrl_otlp_answer *ret_answer)
{
    struct mrl_protobuf message;
    struct mrl_protobuf_field field;
    int found = size ? find(bytes, size, 1, &field) : 0;

    *ret_answer = (struct mrl_otlp_answer){ .text = "" };
    if (found != 1)
        return found;
    message = (struct mrl_protobuf){ field.bytes, field.bytes + field.size };
    while ((found = mrl_protobuf__next(&message, &field)) == 1) {
        if (field.number == 1 && !field.bytes)
            ret_answer->rejected = field.value;
        if (field.number == 2 && field.bytes) {
            ret_answer->text = (const char *)field.bytes;
            ret_answer->text_size = field.size;
        }
    }
    return found;
}

/* Of google.protobuf.Duration; what is negative, or too long, is bounded. */
static uint32_t duration_ms(const struct mrl_protobuf_field *duration)
{
    struct mrl_protobuf message = { duration->bytes, duration->bytes + duration->size };
    struct mrl_protobuf_field field;
    uint64_t ms = 0;

    while (mrl_protobuf__next(&message, &field) == 1) {
        if (field.bytes || field.value > INT64_MAX)
            continue;
        if (field.number == 1)
            ms += (field.value < WAIT_MAX_MS ? field.value : WAIT_MAX_MS) * 1000;
        if (field.number == 2)
            ms += (field.value < 1000000000 ? field.value : 0) / 1000000;
    }
    return (uint32_t)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS);
}

bool mrl_otlp__read_retry(const void *bytes, size_t size, uint32_t *ret_ms)
{
    static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
    struct mrl_protobuf message = { bytes, (const unsigned char *)bytes + size };
    struct mrl_protobuf_field any, field;

    while (mrl_protobuf__next(&message, &any) == 1) {
        if (any.number != 3 || !any.bytes || find(any.bytes, any.size, 1, &field) != 1 ||
            field.size != sizeof(type) - 1 || memcmp(field.bytes, type, field.size) != 0)
            continue;
        *ret_ms = 0;
        if (find(any.bytes, any.size, 2, &field) == 1 &&
            find(field.bytes, field.size, 1, &field) == 1)
            *ret_ms = duration_ms(&field);
        return true;
    }
    return false;
}
