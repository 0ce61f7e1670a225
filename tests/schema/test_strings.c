// SPDX-License-Identifier: Apache-2.0
/* The classes of strings that the fast path knows, against the validator and their patterns. */
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "corpus.h"
#include "unit/unit.h"

static const char *const strings[] = {
    "",
    "0",
    "-0",
    "00",
    "1",
    "-1",
    "01",
    "9",
    "10",
    "+1",
    "1.0",
    "1e3",
    " 1",
    "1 ",
    "0x",
    "0x0",
    "0x00",
    "0xf",
    "0xF",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "0X1",
    "9223372036854775806",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775817",
    "9223372036854775900",
    "-9223372036854775808",
    "-9223372036854775809",
    "-9223372036854775810",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551620",
    "18446744073709552000",
    "20000000000000000000",
    "99999999999999999999",
    "100000000000000000000",
    "-18446744073709551615",
    "2025-11-18T12:02:01Z",
    "2025-11-18T12:02:01.9Z",
    "2025-11-18T12:02:01.123456789Z",
    "2025-11-18T12:02:01.1234567891Z",
    "2025-11-18T12:02:01.90Z",
    "2025-11-18T12:02:01.Z",
    "2025-11-18T12:02:01",
    "2025-13-18T12:02:01Z",
    "2025-00-18T12:02:01Z",
    "2025-11-32T12:02:01Z",
    "2025-11-00T12:02:01Z",
    "2025-11-18T24:02:01Z",
    "2025-11-18T12:60:01Z",
    "2025-11-18T12:02:60Z",
    "2025-11-18 12:02:01Z",
    "2025-11-18T12:02:01+01:00",
    "null",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2025-11-18t12:02:01z",
    "2025-11-18T12:02:01.0Z",
};

static struct mrl_judge *pattern_judge(const struct mrl_text_class *class)
{
    char schema[1024], *to = schema + sprintf(schema, "{\"pattern\":\"");
    struct mrl_judge *judge;
    struct mrl_error error;

    for (const char *at = class->pattern; *at; at++) {
        if (*at == '\\')
            *to++ = '\\';
        *to++ = *at;
    }
    strcpy(to, "\"}");
    if (mrl_judge__new(schema, strlen(schema), &error, &judge))
        fail_case("%s", error.text);
    return judge;
}

static void check_string(struct mrl_judge *judge,
                         const struct mrl_text_class *class,
                         const char *text)
{
    struct mrl_fault fault;
    char json[128];
    int size = snprintf(json, sizeof(json), "\"%s\"", text);

    if (class->holds(text, strlen(text)) !=
        (mrl_judge__check(judge, json, (size_t)size, MRL_RULES_JSON, &fault) == 1))
        fail_case("'%s' and %s", text, class->pattern);
}

static void classes_of_strings_are_what_their_patterns_say(void **state)
{
    const struct mrl_text_class *const classes[] = { &mrl_text_hex, &mrl_text_u64, &mrl_text_s64,
                                                     &mrl_text_time };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        struct mrl_judge *judge = pattern_judge(classes[i]);
        char text[64];

        for (size_t j = 0; j < COUNT_OF(strings); j++)
            check_string(judge, classes[i], strings[j]);
        for (unsigned int j = 0; j < 3000; j++) { /* around the bounds, digit by digit */
            snprintf(text, sizeof(text), "%s", strings[random_below(COUNT_OF(strings))]);
            if (*text)
                text[random_below(strlen(text))] = "0123456789abfxZT-:."[random_below(19)];
            check_string(judge, classes[i], text);
        }
        mrl_judge__free(judge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_strings_are_what_their_patterns_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
