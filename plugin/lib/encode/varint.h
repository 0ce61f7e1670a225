/* SPDX-License-Identifier: Apache-2.0 */
/* What protobuf's wire format is made of: tags, varints and lengths, to the front or to the back.
 */
#ifndef MRL_ENCODE_VARINT_H
#define MRL_ENCODE_VARINT_H

#include "encode/writer.h"

enum { MRL_VARINT_MAX = 10 };

/** Wire types. */
enum { MRL_PB_VARINT = 0, MRL_PB_FIXED64 = 1, MRL_PB_BYTES = 2, MRL_PB_FIXED32 = 5 };

/** A tag, to be written as a varint. */
#define MRL_PB_KEY(number, wire_type) ((unsigned int)(number) << 3 | (wire_type))

/** Bytes that a varint takes: one for every seven bits. */
static inline unsigned int mrl_varint_size(uint64_t number)
{
    return (70U - (unsigned int)__builtin_clzll(number | 1)) / 7;
}

static inline char *mrl_varint_store(char *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (char)(number | 0x80);
    *at++ = (char)number;
    return at;
}

static inline void mrl_put_varint(struct mrl_writer *writer, uint64_t number)
{
    writer->at = mrl_varint_store(writer->at, number);
}

/** Puts a tag and a length before what has been written since `start`. */
static inline void mrl_wrap(struct mrl_writer *writer, char *start, unsigned int number)
{
    size_t size = (size_t)(writer->at - start);
    unsigned int tag = MRL_PB_KEY(number, MRL_PB_BYTES);
    size_t head = mrl_varint_size(tag) + mrl_varint_size(size);

    memmove(start + head, start, size);
    mrl_varint_store(mrl_varint_store(start, tag), size);
    writer->at = start + head + size;
}

/** A scalar field, left out when it is 0 as proto3 wants. */
static inline void mrl_put_scalar(struct mrl_writer *writer, unsigned int number, uint64_t value)
{
    if (!value)
        return;
    mrl_put_varint(writer, MRL_PB_KEY(number, MRL_PB_VARINT));
    mrl_put_varint(writer, value);
}

/* -- to the front ----------------------------------------------------------------------------- */

/** Writes towards lower addresses: `at` is the first byte written. */
struct mrl_front {
    char *at;
};

static inline void mrl_front_bytes(struct mrl_front *front, const char *bytes, size_t size)
{
    front->at -= size;
    memcpy(front->at, bytes, size);
}

static inline void mrl_front_varint(struct mrl_front *front, uint64_t number)
{
    front->at -= mrl_varint_size(number);
    mrl_varint_store(front->at, number);
}

/** A text, of which the bytes that are not UTF-8 are left out. */
static inline void mrl_front_valid_text(struct mrl_front *front, struct mrl_text text)
{
    /* The text goes forward, unlike all else here, since UTF-8 is checked from its first byte on.
     * It never grows, so that it fits before the end; a gap before that is closed. */
    struct mrl_writer writer = { front->at - text.size };
    char *start = writer.at;
    size_t size;

    mrl_put_valid_text(&writer, text);
    size = (size_t)(writer.at - start);
    front->at -= size;
    if (front->at != start)
        memmove(front->at, start, size);
}

/** Tag and length of what lies between the front and `end`. `tag` is of a number below 16. */
static inline void mrl_front_wrap(struct mrl_front *front, const char *end, unsigned int number)
{
    mrl_front_varint(front, (uint64_t)(end - front->at));
    *--front->at = (char)MRL_PB_KEY(number, MRL_PB_BYTES);
}

#endif
