// SPDX-License-Identifier: Apache-2.0
/* JSON pointers into a line, and the strings that they name. */
#include <string.h>

#include "falco/json_pointer.h"
#include "unit/unit.h"

static const char line[] = "{\"id\":\"448\",\"ret\":-9,\"who\":{},\"none\":[],\"null\":null,"
                           "\"odd\":\"}],\\\"\\\\\",\"args\":[{\"name\":\"pidfd\",\"value\":3},"
                           "{\"name\":\"\\u003c\",\"value\":[1,[2,3],{\"a\":true}]}],\"last\":0}";

static void pointer_names_a_value(void **state)
{
    static const struct {
        const char *pointer, *value;
    } cases[] = {
        { "", line },
        { "/id", "\"448\"" },
        { "/ret", "-9" },
        { "/who", "{}" },
        { "/none", "[]" },
        { "/null", "null" },
        { "/odd", "\"}],\\\"\\\\\"" },
        { "/args/0", "{\"name\":\"pidfd\",\"value\":3}" },
        { "/args/0/value", "3" },
        { "/args/1/name", "\"\\u003c\"" },
        { "/args/1/value/1", "[2,3]" },
        { "/args/1/value/1/1", "3" },
        { "/args/1/value/2/a", "true" },
        { "/last", "0" },
        { "id", "" },
        { "/", "" },
        { "/i", "" },
        { "/id/0", "" },
        { "/ids", "" },
        { "/ID", "" },
        { "/who/id", "" },
        { "/none/0", "" },
        { "/args/2", "" },
        { "/args/00", "" },
        { "/args/-", "" },
        { "/args/", "" },
        { "/args/0/", "" },
        { "/~0", "" },
        { "/last/x", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_text value = mrl_json_pointer__find(line, cases[i].pointer);

        if (value.size != strlen(cases[i].value) ||
            memcmp(value.bytes, cases[i].value, value.size) != 0)
            fail_case("'%s' names '%.*s'", cases[i].pointer, (int)value.size, value.bytes);
    }
}

static void strings_lose_their_escapes(void **state)
{
    static const struct {
        const char *string, *text;
    } cases[] = {
        { "\"\"", "" },
        { "\"oomd\"", "oomd" },
        { "\"\\\"\\\\\\/\"", "\"\\/" },
        { "\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t" },
        { "\"\\u003c\\u001b\\u0026\"", "<\x1b&" },
        { "\"a\\u2028b\\ufffdc\"", "a\u2028b\ufffdc" },
        { "\"\u00e9\U0001f600\"", "\u00e9\U0001f600" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_text string = { cases[i].string, strlen(cases[i].string) };
        char text[64];
        size_t size = mrl_json_pointer__unquote(string, text);

        if (size != strlen(cases[i].text) || strcmp(text, cases[i].text) != 0)
            fail_case("%s becomes '%s'", cases[i].string, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointer_names_a_value),
        cmocka_unit_test(strings_lose_their_escapes),
    };

    return cmocka_run_group_tests_name("falco json pointer", tests, NULL, NULL);
}
