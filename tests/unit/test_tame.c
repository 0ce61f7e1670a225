// SPDX-License-Identifier: Apache-2.0
/* Texts that steer no terminal. */
#include <stdio.h>
#include <string.h>

#include "base/tame.h"
#include "unit/unit.h"

static const struct {
    const char *text, *tamed;
} cases[] = {
    { "", "" },
    { "plain", "plain" },
    { "\x1b[31mred\x7f\n", "?[31mred??" },
    { "\xc2\x9b"
      "31m",
      "??31m" }, /* CSI as one character */
    { "\xc2\x80\xc2\x9f", "????" },
    { "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
      "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "\x9b"
      "31m",
      "?31m" },             /* a byte that is no UTF-8 */
    { "a\xe2\x82", "a??" }, /* cut off */
    { "\xe2\xc2\x9b", "???" },
    { "a\xe2\x80\xae"
      "b",
      "a???b" },                              /* U+202E turns the direction */
    { "\xe2\x81\xa6\xe2\x80\x8b", "??????" }, /* U+2066, U+200B */
    { "\xf8\x88\x80\x80\x80", "?????" },
};

static void control_characters_become_question_marks(void **state)
{
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(text, sizeof(text), "%s", cases[i].text);
        if (strcmp(mrl_tame(text), cases[i].tamed) != 0)
            fail_case("case %zu: %s", i, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_question_marks),
    };

    return cmocka_run_group_tests_name("tame", tests, NULL, NULL);
}
