/* SPDX-License-Identifier: Apache-2.0 */
/* Reading protobuf's wire format field by field, without knowing the message. */
#ifndef MRL_ENCODE_PROTOBUF_READER_H
#define MRL_ENCODE_PROTOBUF_READER_H

#include <stdbool.h>

#include "encode/varint.h"

struct mrl_protobuf_reader {
    const char *at, *end;
};

/** A field as it lies: all of it, and what a length counts. */
struct mrl_protobuf_field {
    unsigned int number, wire_type;
    const char *start;
    struct mrl_text content;
};

static inline bool mrl_protobuf_reader__varint(struct mrl_protobuf_reader *reader,
                                               uint64_t *ret_number)
{
    uint64_t number = 0;

    for (unsigned int shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
        unsigned char byte = (unsigned char)*reader->at++;

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

/** Takes the next field. False: no field of a known wire type stands there (groups are refused). */
static inline bool mrl_protobuf_reader__next(struct mrl_protobuf_reader *reader,
                                             struct mrl_protobuf_field *field)
{
    uint64_t tag, size = 0;

    field->start = reader->at;
    field->content = (struct mrl_text){ "", 0 };
    if (!mrl_protobuf_reader__varint(reader, &tag) || tag > UINT32_MAX)
        return false;
    field->number = (unsigned int)(tag >> 3);
    field->wire_type = tag & 7;
    if (field->wire_type == MRL_PB_VARINT)
        return mrl_protobuf_reader__varint(reader, &size);
    if (field->wire_type == MRL_PB_FIXED64 || field->wire_type == MRL_PB_FIXED32)
        size = field->wire_type == MRL_PB_FIXED64 ? 8 : 4;
    else if (field->wire_type != MRL_PB_BYTES || !mrl_protobuf_reader__varint(reader, &size))
        return false;
    if (size > (uint64_t)(reader->end - reader->at))
        return false;
    field->content = (struct mrl_text){ reader->at, (size_t)size };
    reader->at += size;
    return true;
}

#endif
