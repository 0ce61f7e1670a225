// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers and JSON strings. The strings are compared with slow_json_string(), a second
 * implementation written here from what Go documents of encoding/json and unicode/utf8.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "encode/writer.h"
#include "unit/unit.h"

/* -- numbers ---------------------------------------------------------------------------------- */

static void assert_unsigned(uint64_t number)
{
    char text[64], wanted[64];
    struct mrl_writer writer = { text };
    int size = snprintf(wanted, sizeof(wanted), "%" PRIu64, number);

    mrl_put_unsigned(&writer, number);
    *writer.at = '\0';
    assert_int_equal(writer.at - text, size);
    assert_string_equal(text, wanted);
}

static void assert_signed(int64_t number)
{
    char text[64], wanted[64];
    struct mrl_writer writer = { text };

    snprintf(wanted, sizeof(wanted), "%" PRId64, number);
    mrl_put_signed(&writer, number);
    *writer.at = '\0';
    assert_string_equal(text, wanted);
}

static void writer_prints_numbers_of_every_length(void **state)
{
    uint64_t power = 1;

    (void)state;
    assert_unsigned(0);
    for (int digits = 1; digits <= 20; digits++, power *= 10) {
        assert_unsigned(power);
        assert_unsigned(power - 1);
        assert_unsigned(power + power / 3);
        if (power <= INT64_MAX) {
            assert_signed((int64_t)power);
            assert_signed(-(int64_t)power);
            assert_signed(1 - (int64_t)power);
        }
    }
    for (uint64_t number = 0; number < 12000; number++)
        assert_unsigned(number);
}

static void writer_prints_the_limits_of_numbers(void **state)
{
    char text[32];
    struct mrl_writer writer = { text };

    (void)state;
    mrl_put_unsigned(&writer, UINT64_MAX);
    assert_memory_equal(text, "18446744073709551615", 20);
    assert_int_equal(writer.at - text, 20);
    writer.at = text;
    mrl_put_signed(&writer, INT64_MIN);
    assert_memory_equal(text, "-9223372036854775808", 20);
    assert_int_equal(writer.at - text, 20);
    assert_signed(INT32_MIN);
    for (unsigned int bit = 0; bit < 64; bit++) {
        assert_unsigned(UINT64_C(1) << bit);
        assert_unsigned((UINT64_C(1) << bit) - 1);
    }
}

/* -- strings: the second implementation ------------------------------------------------------- */

/*
 * utf8.DecodeRune: reads by the bit patterns of the lead byte, then refuses what is longer than it
 * need be, what is a surrogate, and what is beyond U+10FFFF. Returns the size, or 0.
 */
static unsigned int slow_rune(const unsigned char *at, size_t left, uint32_t *ret_rune)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned int size = *at < 0x80             ? 1
                        : (*at & 0xe0) == 0xc0 ? 2
                        : (*at & 0xf0) == 0xe0 ? 3
                        : (*at & 0xf8) == 0xf0 ? 4
                                               : 0;
    uint32_t rune = size == 1 ? *at : *at & (0x7fU >> size);

    if (!size || size > left)
        return 0;
    for (unsigned int i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        rune = rune << 6 | (at[i] & 0x3f);
    }
    if (rune < least[size] || rune > 0x10ffff || rune >> 11 == 0x1b)
        return 0;
    *ret_rune = rune;
    return size;
}

/* encoding/json with HTML escaping, Go 1.22 and later. */
static size_t slow_json_string(const unsigned char *at, size_t left, char *out)
{
    char *start = out;

    *out++ = '"';
    while (left) {
        uint32_t rune = 0;
        unsigned int size = slow_rune(at, left, &rune);

        if (!size)
            out += sprintf(out, "\\ufffd");
        else if (rune == '"' || rune == '\\')
            out += sprintf(out, "\\%c", (char)rune);
        else if (rune == '\b' || rune == '\t' || rune == '\n' || rune == '\f' || rune == '\r')
            out += sprintf(out, "\\%c", "btn?fr"[rune - '\b']);
        else if (rune < ' ' || rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 ||
                 rune == 0x2029)
            out += sprintf(out, "\\u%04x", rune);
        else
            out = (char *)memcpy(out, at, size) + size;
        size = size ? size : 1;
        at += size;
        left -= size;
    }
    *out++ = '"';
    return (size_t)(out - start);
}

static size_t json_string(const void *bytes, size_t size, char *out)
{
    struct mrl_writer writer = { out };
    char *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read beyond the end */

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    mrl_put_json_string(&writer, (struct mrl_text){ exact, size });
    free(exact);
    return (size_t)(writer.at - out);
}

static void assert_same_string(const unsigned char *bytes, size_t size)
{
    char fast[512], slow[512];
    size_t fast_size = json_string(bytes, size, fast);
    size_t slow_size = slow_json_string(bytes, size, slow);

    if (fast_size != slow_size || memcmp(fast, slow, slow_size) != 0)
        fail_case("%zu bytes, first %02x %02x: %.*s, wanted %.*s", size, bytes[0],
                  size > 1 ? bytes[1] : 0, (int)fast_size, fast, (int)slow_size, slow);
}

/* -- strings ---------------------------------------------------------------------------------- */

static void writer_escapes_as_go_does(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *json;
    } cases[] = {
#define CASE(bytes, json) { bytes, sizeof(bytes) - 1, json }
        CASE("", "\"\""),
        CASE("oomd", "\"oomd\""),
        CASE("a\"b\\c/d'", "\"a\\\"b\\\\c/d'\""),
        CASE("\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\""),
        CASE("\0\x01\x07\x0b\x0e\x1b\x1f", "\"\\u0000\\u0001\\u0007\\u000b\\u000e\\u001b\\u001f\""),
        CASE("<a>&", "\"\\u003ca\\u003e\\u0026\""),
        CASE("\x7f", "\"\x7f\""),
        CASE("\u00fc\u20ac\U0001f600", "\"\u00fc\u20ac\U0001f600\""),
        CASE("\xe2\x80\xa8|\xe2\x80\xa9", "\"\\u2028|\\u2029\""),
        CASE("\xe2\x80\xa7\xe2\x80\xaa", "\"\xe2\x80\xa7\xe2\x80\xaa\""),
        CASE("bad\xff\xfe\x80z", "\"bad\\ufffd\\ufffd\\ufffdz\""),
        CASE("\xe2\x82", "\"\\ufffd\\ufffd\""),
        CASE("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""),
        CASE("\xed\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\""),
        CASE("\xed\x9f\xbf\xee\x80\x80", "\"\xed\x9f\xbf\xee\x80\x80\""),
        CASE("\xc0\x80", "\"\\ufffd\\ufffd\""),
        CASE("\xc1\xbf", "\"\\ufffd\\ufffd\""),
        CASE("\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\""),
        CASE("\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""),
        CASE("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf8\x88\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\""),
        CASE("\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""),
        CASE("\xc3", "\"\\ufffd\""),
        CASE("\xc3(", "\"\\ufffd(\""),
        CASE("\xef\xbf\xbd", "\"\xef\xbf\xbd\""),
        CASE("\xef\xbb\xbf", "\"\xef\xbb\xbf\""),
#undef CASE
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[256];
        size_t size = json_string(cases[i].bytes, cases[i].size, json);

        if (size != strlen(cases[i].json) || memcmp(json, cases[i].json, size) != 0)
            fail_case("case %zu: %.*s, wanted %s", i, (int)size, json, cases[i].json);
        assert_same_string((const unsigned char *)cases[i].bytes, cases[i].size);
    }
}

static void writer_agrees_with_the_slow_one_on_every_byte_and_pair(void **state)
{
    (void)state;
    for (unsigned int a = 0; a < 256; a++) {
        const unsigned char single[] = { (unsigned char)a };

        assert_same_string(single, 1);
        for (unsigned int b = 0; b < 256; b++) {
            const unsigned char pair[] = { (unsigned char)a, (unsigned char)b };

            assert_same_string(pair, 2);
        }
    }
}

/* Around the limits of each row of the table of well-formed sequences. */
static void writer_agrees_with_the_slow_one_on_longer_sequences(void **state)
{
    static const unsigned char edges[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xa7,
                                           0xa8, 0xa9, 0xaa, 0xbf, 0xc0, 0xc2, 0xe2, 0xff };

    (void)state;
    for (unsigned int lead = 0xc0; lead < 256; lead++)
        for (size_t b = 0; b < COUNT_OF(edges); b++)
            for (size_t c = 0; c < COUNT_OF(edges); c++)
                for (size_t d = 0; d < COUNT_OF(edges); d++) {
                    const unsigned char bytes[] = { (unsigned char)lead, edges[b], edges[c],
                                                    edges[d] };

                    assert_same_string(bytes, 3);
                    assert_same_string(bytes, 4);
                }
}

static void writer_agrees_with_the_slow_one_on_noise(void **state)
{
    unsigned char noise[64];
    uint32_t random = 448;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(noise); i++) {
            random = random * 1664525 + 1013904223;
            noise[i] = (unsigned char)(random >> 24);
        }
        assert_same_string(noise, random >> 8 & 63);
    }
}

static void writer_takes_six_bytes_per_byte_at_most(void **state)
{
    (void)state;
    for (unsigned int a = 0; a < 256; a++) {
        unsigned char bytes[32];
        char json[512];

        memset(bytes, (int)a, sizeof(bytes));
        assert_true(json_string(bytes, sizeof(bytes), json) <= 6 * sizeof(bytes) + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_prints_numbers_of_every_length),
        cmocka_unit_test(writer_prints_the_limits_of_numbers),
        cmocka_unit_test(writer_escapes_as_go_does),
        cmocka_unit_test(writer_agrees_with_the_slow_one_on_every_byte_and_pair),
        cmocka_unit_test(writer_agrees_with_the_slow_one_on_longer_sequences),
        cmocka_unit_test(writer_agrees_with_the_slow_one_on_noise),
        cmocka_unit_test(writer_takes_six_bytes_per_byte_at_most),
    };

    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
