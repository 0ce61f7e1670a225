// SPDX-License-Identifier: Apache-2.0
/* Characters that may be shown, and those that may not. */
#include <string.h>

#include "base/visible.h"
#include "unit/unit.h"

static const unsigned char *bytes_of(const char *text)
{
    return (const unsigned char *)text;
}

static unsigned int visible(const char *text)
{
    return mrl_visible_size(bytes_of(text), bytes_of(text) + strlen(text));
}

static void visible_measures_characters(void **state)
{
    const unsigned char euro[] = { 0xe2, 0x82, 0xac };

    (void)state;
    assert_int_equal(mrl_utf8_size(euro, euro + 3), 3);
    assert_int_equal(mrl_utf8_size(euro, euro + 2), 0);
    assert_int_equal(mrl_utf8_size(euro + 1, euro + 3), 0);
    assert_int_equal(mrl_utf8_size(bytes_of("a"), bytes_of("a") + 1), 1);
    assert_int_equal(mrl_utf8_code(euro, 3), 0x20ac);
    assert_int_equal(mrl_utf8_code(bytes_of("\xf0\x9f\x90\xa7"), 4), 0x1f427);
    assert_int_equal(mrl_utf8_code(bytes_of("\xc3\xa9"), 2), 0xe9);
    assert_int_equal(mrl_utf8_code(bytes_of("a"), 1), 'a');
}

static void visible_shows_what_people_write(void **state)
{
    static const char *const shown[] = { "a",
                                         " ",
                                         "~",
                                         "\xc2\xa0",
                                         "\xc3\xa9",
                                         "\xd7\xa9",
                                         "\xe4\xb8\xad",
                                         "\xe2\x80\x90",
                                         "\xe2\x80\xaf",
                                         "\xf0\x9f\x90\xa7",
                                         "\xef\xbf\xbd" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        if (visible(shown[i]) != strlen(shown[i]))
            fail_case("'%s'", shown[i]);
}

/* By their numbers in Unicode: what steers, what turns the direction, what has no width. */
static void visible_hides_what_steers_and_what_reorders(void **state)
{
    static const uint32_t hidden[] = { 0x01,   0x07,   0x0a,   0x1b,   0x7f,   0x80,    0x85,
                                       0x9b,   0x9d,   0x9f,   0xad,   0x61c,  0x180e,  0x200b,
                                       0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a,  0x202e,
                                       0x2060, 0x2066, 0x2069, 0xfeff, 0xfff9, 0xe0001, 0xe007f };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        uint32_t code = hidden[i];
        char text[5] = "";

        if (code < 0x80) {
            text[0] = (char)code;
        } else if (code < 0x800) {
            text[0] = (char)(0xc0 | code >> 6);
            text[1] = (char)(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            text[0] = (char)(0xe0 | code >> 12);
            text[1] = (char)(0x80 | (code >> 6 & 0x3f));
            text[2] = (char)(0x80 | (code & 0x3f));
        } else {
            text[0] = (char)(0xf0 | code >> 18);
            text[1] = (char)(0x80 | (code >> 12 & 0x3f));
            text[2] = (char)(0x80 | (code >> 6 & 0x3f));
            text[3] = (char)(0x80 | (code & 0x3f));
        }
        if (visible(text))
            fail_case("U+%04X is shown", code);
    }
}

static void visible_hides_what_is_no_character(void **state)
{
    static const char *const broken[] = {
        "\x9b", "\xff", "\xc2", "\xc0\x80", "\xed\xa0\x80", "\xe2\x80", "\xf4\x90\x80\x80"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_int_equal(visible(broken[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visible_measures_characters),
        cmocka_unit_test(visible_shows_what_people_write),
        cmocka_unit_test(visible_hides_what_steers_and_what_reorders),
        cmocka_unit_test(visible_hides_what_is_no_character),
    };

    return cmocka_run_group_tests_name("visible", tests, NULL, NULL);
}
