// SPDX-License-Identifier: Apache-2.0
/* Strings and times as Tracee's main branch prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "encode/rfc3339.h"
#include "encode/writer.h"
#include "unit/unit.h"

/* -- strings ---------------------------------------------------------------------------------- */

static size_t valid_string(const void *bytes, size_t size, char *out)
{
    struct mrl_writer writer = { out };
    char *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read beyond the end */

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    mrl_put_valid_json_string(&writer, (struct mrl_text){ exact, size });
    free(exact);
    return (size_t)(writer.at - out);
}

static void valid_strings_escape_what_json_must(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *json;
    } cases[] = {
#define CASE(bytes, json) { bytes, sizeof(bytes) - 1, json }
        CASE("", "\"\""),
        CASE("oomd", "\"oomd\""),
        CASE("\"\\\n\r\t\b\f", "\"\\\"\\\\\\n\\r\\t\\b\\f\""),
        CASE("\0\x01\x1f", "\"\\u0000\\u0001\\u001f\""),
        CASE("<>&/\x7f", "\"<>&/\x7f\""),
        CASE("\xe2\x80\xa8\xe2\x80\xa9", "\"\xe2\x80\xa8\xe2\x80\xa9\""),
        CASE("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\""),
        CASE("bad\xff\xfe\x80z", "\"badz\""),
        CASE("\xe2\x82", "\"\""),
        CASE("a\xe2\x82z", "\"az\""),
        CASE("\xed\xa0\x80-", "\"-\""),
        CASE("\xc0\x80-", "\"-\""),
        CASE("\xf4\x90\x80\x80-", "\"-\""),
        CASE("\xef\xbf\xbd", "\"\xef\xbf\xbd\""),
        CASE("a\xef\xbf\xbd\xff", "\"a\""), /* the one is taken for the other */
        CASE("\xff-\xef\xbf\xbd", "\"-\""), /* wherever it stands */
        CASE("\xff\xc3\xbc", "\"\xc3\xbc\""),
#undef CASE
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[128];
        size_t size = valid_string(cases[i].bytes, cases[i].size, json);

        if (size != strlen(cases[i].json) || memcmp(json, cases[i].json, size) != 0)
            fail_case("case %zu: %.*s, wanted %s", i, (int)size, json, cases[i].json);
    }
}

/* Each character that is left is one that was there, in the same order, and nothing else is. */
static void valid_strings_of_noise_are_utf8_and_no_longer_than_they_may(void **state)
{
    unsigned char noise[64];
    uint32_t random = 448;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = (random >> 8) & 63, json_size;
        char json[512];

        for (size_t i = 0; i < sizeof(noise); i++) {
            random = random * 1664525 + 1013904223;
            noise[i] = (unsigned char)(random >> 24);
        }
        json_size = valid_string(noise, size, json);
        assert_true(json_size <= 6 * size + 2);
        for (size_t at = 0, step; at < json_size; at += step) {
            step = mrl_utf8_size((unsigned char *)json + at, (unsigned char *)json + json_size);
            assert_in_range(step, 1, 4);
            assert_true((unsigned char)json[at] >= ' ');
        }
    }
}

/* -- times ------------------------------------------------------------------------------------ */

static const struct {
    uint64_t ns;
    const char *text;
} times[] = {
    { 0, "1970-01-01T00:00:00Z" },
    { 1, "1970-01-01T00:00:00.000000001Z" },
    { 999999999, "1970-01-01T00:00:00.999999999Z" },
    { 1763467321987654321, "2025-11-18T12:02:01.987654321Z" },
    { 1763467321900000000, "2025-11-18T12:02:01.9Z" },
    { 1763467321000000000, "2025-11-18T12:02:01Z" },
    { 1763467321000000100, "2025-11-18T12:02:01.0000001Z" },
    { 1763467321010000000, "2025-11-18T12:02:01.01Z" },
    { 1763510399999999999, "2025-11-18T23:59:59.999999999Z" },
    { 1763510400000000000, "2025-11-19T00:00:00Z" },
    { 951782400000000000, "2000-02-29T00:00:00Z" },
    { 951868799000000000, "2000-02-29T23:59:59Z" },
    { 4107542400000000000, "2100-03-01T00:00:00Z" },
    { 1709164800000000000, "2024-02-29T00:00:00Z" },
    { 2147483648000000000, "2038-01-19T03:14:08Z" },
    { UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
};

static void assert_time(struct mrl_date *date, uint64_t ns, const char *wanted)
{
    char text[64];
    struct mrl_writer writer = { text };

    mrl_put_rfc3339(&writer, date, ns);
    *writer.at = '\0';
    assert_string_equal(text, wanted);
}

static void times_are_trimmed_and_of_utc(void **state)
{
    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct mrl_date date = { 0 };

        assert_time(&date, times[i].ns, times[i].text);
    }
}

static void times_do_not_depend_on_the_one_before(void **state)
{
    struct mrl_date date = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++)
        for (size_t j = 0; j < COUNT_OF(times); j++) {
            assert_time(&date, times[i].ns, times[i].text);
            assert_time(&date, times[j].ns, times[j].text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_strings_escape_what_json_must),
        cmocka_unit_test(valid_strings_of_noise_are_utf8_and_no_longer_than_they_may),
        cmocka_unit_test(times_are_trimmed_and_of_utc),
        cmocka_unit_test(times_do_not_depend_on_the_one_before),
    };

    return cmocka_run_group_tests_name("v1beta1 text", tests, NULL, NULL);
}
