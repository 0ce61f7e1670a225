// SPDX-License-Identifier: Apache-2.0
/* Numbers and JSON strings, as bytes. */
#include "encode/writer.h"

#include <stdio.h>

#include "base/visible.h"

/* -- numbers ---------------------------------------------------------------------------------- */

/* Two digits at a time: half the divisions, and each of these waits for the one before it. */
static const char digit_pairs[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

enum { EIGHT_DIGITS = 100000000 };

/* Digits of a number below 10^8, all eight of them. */
static void eight_digits(char *at, uint32_t number)
{
    uint32_t high = number / 10000, low = number % 10000;

    memcpy(at, digit_pairs + high / 100 * 2, 2);
    memcpy(at + 2, digit_pairs + high % 100 * 2, 2);
    memcpy(at + 4, digit_pairs + low / 100 * 2, 2);
    memcpy(at + 6, digit_pairs + low % 100 * 2, 2);
}

static unsigned int count_digits(uint32_t number)
{
    static const uint32_t powers[] = { 0,      10,      100,      1000,      10000,
                                       100000, 1000000, 10000000, 100000000, 1000000000 };
    /* 1233 / 4096 is the logarithm of 2, to base 10. */
    unsigned int guess = (unsigned int)(32 - __builtin_clz(number | 1)) * 1233 >> 12;

    return guess + (number >= powers[guess]);
}

/* Digits of a number, without leading zeros, in place. */
static void few_digits(struct mrl_writer *writer, uint32_t number)
{
    char *end = writer->at + count_digits(number);

    writer->at = end;
    while (number >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + number % 100 * 2, 2);
        number /= 100;
    }
    if (number >= 10)
        memcpy(end - 2, digit_pairs + number * 2, 2);
    else
        end[-1] = (char)('0' + number);
}

/* In chunks of eight digits: a long number is then short chains of divisions, side by side. */
void mrl_put_unsigned(struct mrl_writer *writer, uint64_t number)
{
    if (number <= UINT32_MAX) {
        few_digits(writer, (uint32_t)number);
        return;
    }
    mrl_put_unsigned(writer, number / EIGHT_DIGITS);
    eight_digits(writer->at, (uint32_t)(number % EIGHT_DIGITS));
    writer->at += 8;
}

void mrl_put_two_digits(struct mrl_writer *writer, uint32_t number)
{
    mrl_put_bytes(writer, digit_pairs + number * 2, 2);
}

void mrl_put_eight_digits(struct mrl_writer *writer, uint32_t number)
{
    eight_digits(writer->at, number);
    writer->at += 8;
}

void mrl_put_signed(struct mrl_writer *writer, int64_t number)
{
    if (number < 0)
        mrl_put_char(writer, '-');
    /* Negated as an unsigned number: the smallest signed one has no counterpart above 0. */
    mrl_put_unsigned(writer, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* -- strings ---------------------------------------------------------------------------------- */

/* Printable ASCII that is written as it is; DEL is among it. Go's own encoder wants more escaped.
 */
static const bool plain[256] = {
    [' '] = true,
    ['!'] = true,
    ['#' ... '['] = true,
    [']' ... 0x7f] = true,
};

static const bool plain_in_go[256] = {
    [' '] = true, ['!'] = true,         ['#' ... '%'] = true,  ['\'' ... ';'] = true,
    ['='] = true, ['?' ... '['] = true, [']' ... 0x7f] = true,
};

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

/* Copies what stands before the first byte that is not plain, and returns that byte's place. */
static const unsigned char *put_plain(struct mrl_writer *writer,
                                      const bool plain_bytes[256],
                                      const unsigned char *at,
                                      const unsigned char *end)
{
    const unsigned char *start = at;

    /* Nearly every string is one such run, and is copied at once. */
    while (at < end && plain_bytes[*at])
        at++;
    mrl_put_bytes(writer, (const char *)start, (size_t)(at - start));
    return at;
}

void mrl_put_json_string(struct mrl_writer *writer, struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;

    mrl_put_char(writer, '"');
    while (at < end) {
        at = put_plain(writer, plain_in_go, at, end);
        if (at < end)
            at = put_character(writer, at, end);
    }
    mrl_put_char(writer, '"');
}

static bool is_utf8(const unsigned char *at, const unsigned char *end)
{
    unsigned int size = 1;

    for (; at < end && size; at += size)
        size = mrl_utf8_size(at, end);
    return size;
}

/* A text with bytes that are no UTF-8 has lost its U+FFFD as well. */
static const unsigned char *put_valid_character(struct mrl_writer *writer,
                                                const unsigned char *at,
                                                const unsigned char *end,
                                                bool text_is_valid)
{
    unsigned int size = mrl_utf8_size(at, end);

    if (!size)
        return at + 1;
    if (size == 1)
        put_escaped_ascii(writer, *at);
    else if (text_is_valid || size != 3 || memcmp(at, "\xef\xbf\xbd", 3) != 0)
        mrl_put_bytes(writer, (const char *)at, size);
    return at + size;
}

void mrl_put_valid_json_string(struct mrl_writer *writer, struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;
    bool looked = false, valid = true;

    mrl_put_char(writer, '"');
    while (at < end) {
        at = put_plain(writer, plain, at, end);
        if (at == end)
            break;
        if (!looked)
            valid = is_utf8(at, end); /* all before it is ASCII */
        looked = true;
        at = put_valid_character(writer, at, end, valid);
    }
    mrl_put_char(writer, '"');
}

/* Eight bytes at a time, as long as all are ASCII. */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
    uint64_t word;

    for (; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word)); /* a text begins at any address; it is one load */
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return at;
}

void mrl_put_valid_text(struct mrl_writer *writer, struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;

    /* The usual case first: a text that is valid as a whole is copied as it stands. */
    if (is_utf8(skip_ascii(at, end), end)) {
        mrl_put_bytes(writer, text.bytes, text.size);
        return;
    }
    while (at < end) {
        unsigned int size = mrl_utf8_size(at, end);

        if (size && (size != 3 || memcmp(at, "\xef\xbf\xbd", 3) != 0))
            mrl_put_bytes(writer, (const char *)at, size);
        at += size ? size : 1;
    }
}
