// SPDX-License-Identifier: Apache-2.0
/* Numbers and JSON strings, as bytes. */
#include "encode/writer.h"

#include <stdio.h>

/* -- numbers ---------------------------------------------------------------------------------- */

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

enum { DIGITS_MAX = 20 };

void mrl_put_unsigned(struct mrl_writer *writer, uint64_t number)
{
    char digits[DIGITS_MAX], *at = digits + DIGITS_MAX;

    while (number >= 100) {
        at -= 2;
        memcpy(at, digit_pairs + number % 100 * 2, 2);
        number /= 100;
    }
    if (number >= 10) {
        at -= 2;
        memcpy(at, digit_pairs + number * 2, 2);
    } else {
        *--at = (char)('0' + number);
    }
    mrl_put_bytes(writer, at, (size_t)(digits + DIGITS_MAX - at));
}

void mrl_put_signed(struct mrl_writer *writer, int64_t number)
{
    if (number < 0)
        mrl_put_char(writer, '-');
    mrl_put_unsigned(writer, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* -- strings ---------------------------------------------------------------------------------- */

/* Well-formed sequences, Unicode 15 table 3-7: by lead byte, the range of the second byte. */
struct utf8_row {
    unsigned char lead_min, lead_max, second_min, second_max, size;
};

static const struct utf8_row utf8_rows[] = {
    { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

unsigned int mrl_utf8_size(const unsigned char *at, const unsigned char *end)
{
    const struct utf8_row *row = utf8_rows, *last = row + sizeof(utf8_rows) / sizeof(*row);

    while (row < last && !(*at >= row->lead_min && *at <= row->lead_max))
        row++;
    if (row == last || row->size > end - at)
        return 0;
    if (row->size > 1 && !(at[1] >= row->second_min && at[1] <= row->second_max))
        return 0;
    for (unsigned int i = 2; i < row->size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return row->size;
}

/* Printable ASCII that Go writes as it is; DEL is among it. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' &&
           byte != '>' && byte != '&';
}

static void put_escaped_ascii(struct mrl_writer *writer, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[][2] = { { '"', '"' },  { '\\', '\\' }, { '\b', 'b' }, { '\f', 'f' },
                                     { '\n', 'n' }, { '\r', 'r' },  { '\t', 't' } };

    mrl_put_char(writer, '\\');
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (named[i][0] == (char)byte) {
            mrl_put_char(writer, named[i][1]);
            return;
        }
    }
    mrl_put_literal(writer, "u00");
    mrl_put_char(writer, hex[byte >> 4]);
    mrl_put_char(writer, hex[byte & 15]);
}

/* U+2028 and U+2029 are e2 80 a8 and e2 80 a9. */
static bool is_line_separator(const unsigned char *at, unsigned int size)
{
    return size == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] & 0xfe) == 0xa8;
}

static const unsigned char *put_character(struct mrl_writer *writer,
                                          const unsigned char *at,
                                          const unsigned char *end)
{
    unsigned int size = mrl_utf8_size(at, end);

    if (!size) {
        mrl_put_literal(writer, "\\ufffd");
        return at + 1;
    }
    if (size == 1)
        put_escaped_ascii(writer, *at);
    else if (is_line_separator(at, size))
        mrl_put_bytes(writer, at[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
    else
        mrl_put_bytes(writer, (const char *)at, size);
    return at + size;
}

void mrl_put_json_string(struct mrl_writer *writer, struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;

    mrl_put_char(writer, '"');
    while (at < end) {
        if (is_plain(*at))
            mrl_put_char(writer, (char)*at++);
        else
            at = put_character(writer, at, end);
    }
    mrl_put_char(writer, '"');
}
