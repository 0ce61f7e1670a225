/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A straight writer: bytes appended at a moving pointer, with no bounds to check. Whoever starts
 * one has room for MRL_EVENT_TEXT_MAX bytes, and the static assertions of each format show that no
 * event needs more.
 */
#ifndef MRL_ENCODE_WRITER_H
#define MRL_ENCODE_WRITER_H

#include <mrelease/event.h>
#include <stdint.h>
#include <string.h>

struct mrl_writer {
    char *at;
};

static inline void mrl_put_bytes(struct mrl_writer *writer, const char *bytes, size_t size)
{
    /* Where there is no text there may be no bytes to point to. */
    if (size)
        memcpy(writer->at, bytes, size);
    writer->at += size;
}

/* A string literal: its size is known when it is compiled. */
#define mrl_put_literal(writer, literal) mrl_put_bytes(writer, literal, sizeof(literal) - 1)

static inline void mrl_put_char(struct mrl_writer *writer, char byte)
{
    *writer->at++ = byte;
}

/** Decimal digits of a number; at most 20 bytes. */
void mrl_put_unsigned(struct mrl_writer *writer, uint64_t number);

/** The same with its sign; at most 20 bytes. */
void mrl_put_signed(struct mrl_writer *writer, int64_t number);

/** A literal, like a comma and a key, and behind it the digits of a number. */
#define mrl_put_key(writer, literal, number) \
    do {                                     \
        mrl_put_literal(writer, literal);    \
        mrl_put_unsigned(writer, number);    \
    } while (0)

/** The digits of a number below 100, or below 10^8, with leading zeros. */
void mrl_put_two_digits(struct mrl_writer *writer, uint32_t number);
void mrl_put_eight_digits(struct mrl_writer *writer, uint32_t number);

/**
 * A JSON string with its quotes, escaped as Go's encoding/json does (HTML characters, U+2028 and
 * U+2029 too; each byte that is not UTF-8 becomes \ufffd). At most 6 bytes per byte, and 2.
 */
void mrl_put_json_string(struct mrl_writer *writer, struct mrl_text text);

/**
 * A JSON string with its quotes, as Tracee's main branch prints it: nothing is escaped that JSON
 * lets stand, bytes that are not UTF-8 are left out. A text that has such bytes loses each U+FFFD
 * as well, since Tracee cannot tell them apart. At most 6 bytes per byte, and 2.
 */
void mrl_put_valid_json_string(struct mrl_writer *writer, struct mrl_text text);

/**
 * The text itself, of which the same bytes are left out as above. At most its size; reads and
 * writes may not overlap.
 */
void mrl_put_valid_text(struct mrl_writer *writer, struct mrl_text text);

#endif
