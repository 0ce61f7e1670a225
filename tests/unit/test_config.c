// SPDX-License-Identifier: Apache-2.0
/* What a configuration file may say, and where it says something wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/options/config.h"
#include "command/options/scalar.h"
#include "unit/problems.h"

/* A row per form of value; the last is no key. */
static const struct mrl_option options[] = {
    { .name = "events", .type = MRL_OPTION_SET },
    { .name = "output", .type = MRL_OPTION_OWN, .many = 16 },
    { .name = "ring", .type = MRL_OPTION_BYTES, .was = "old-ring" },
    { .name = "record", .type = MRL_OPTION_PATH },
    { .name = "loud", .type = MRL_OPTION_SWITCH },
    { .name = "config", .type = MRL_OPTION_PATH },
};

static struct mrl_rows make_rows(void)
{
    struct mrl_rows rows = { .count = 0 };

    for (unsigned int i = 0; i < COUNT_OF(options); i++)
        mrl_rows__add(&rows, &options[i], NULL, strcmp(options[i].name, "config") != 0);
    return rows;
}

/* "name=value;" for each setting: what a text says. */
static void join(const struct mrl_settings *settings, char *joined, size_t size)
{
    size_t used = 0;

    joined[0] = '\0';
    for (unsigned int i = 0; i < settings->count; i++) {
        const struct mrl_setting *setting = &settings->list[i];

        used += (size_t)snprintf(joined + used, size - used, "%s%s%s;", options[setting->row].name,
                                 setting->value ? "=" : "", setting->value ? setting->value : "");
        assert_int_equal(setting->layer, MRL_LAYER_FILE);
        assert_true(used < size);
    }
}

static int parse(const char *text,
                 size_t size,
                 struct mrl_settings *settings,
                 struct mrl_error *error)
{
    const struct mrl_rows rows = make_rows();

    *settings = (struct mrl_settings){ .count = 0 };
    return mrl_config__parse("F", text, size, &rows, settings, error);
}

static void config_takes_what_the_options_take(void **state)
{
    static const struct {
        const char *text, *settings;
    } cases[] = {
        { "", "" },
        { "\n\n", "" },
        { "# nothing\n", "" },
        { "---\n", "" },
        { "---\n...\n", "" },
        { "~", "" },
        { "{}", "" },
        { "\xef\xbb\xbfring: 1\n", "ring=1;" },
        { "ring: 8M", "ring=8M;" },
        { "old-ring: 8M", "ring=8M;" },
        { "ring: 8388608\r\n", "ring=8388608;" },
        { "ring: '8'", "ring=8;" },
        { "\"ring\": \"8M\"", "ring=8M;" },
        { "{ring: 1, record: a}", "ring=1;record=a;" },
        { "events: mlock", "events=mlock;" },
        { "events: mlock,-munlock*", "events=mlock,-munlock*;" },
        { "events: [mlock]", "events=mlock;" },
        { "events: [mlock, '*', \"a,b\"]", "events=mlock,*,a,b;" },
        { "events:\n  - mlock\n  - -munlock\n", "events=mlock,-munlock;" },
        { "events:\n- a\n- b\nring: 1\n", "events=a,b;ring=1;" },
        { "output: json", "output=json;" },
        { "output: json:/a b", "output=json:/a b;" },
        { "output: [json, 'table:/a,b']", "output=json;output=table:/a,b;" },
        { "output:\n  - json:/a#b # c\n  - table\n", "output=json:/a#b;output=table;" },
        { "record: '5'", "record=5;" },
        { "record: 'null'", "record=null;" },
        { "record: ''", "record=;" },
        { "record: >-\n  a\n  b\n", "record=a b;" },
        { "record: \xc3\xa4", "record=\xc3\xa4;" },
        { "loud: true", "loud;" },
        { "loud: on", "loud;" },
        { "loud: false", "" },
        { "%YAML 1.1\n---\nring: 1\n", "ring=1;" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_settings settings;
        struct mrl_error error = { "" };
        char joined[256];
        int err = parse(cases[i].text, strlen(cases[i].text), &settings, &error);

        join(&settings, joined, sizeof(joined));
        if (err || strcmp(joined, cases[i].settings) != 0)
            fail_case("'%s': %d %s, \"%s\"; wanted \"%s\"", cases[i].text, err, error.text, joined,
                      cases[i].settings);
        mrl_settings__free(&settings);
    }
}

#define TEXT(literal) literal, sizeof(literal) - 1

static void config_says_where_it_is_wrong(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *said; /* how the error begins */
    } cases[] = {
        /* keys */
        { TEXT("rnig: 1"), "F:1:1: unknown key 'rnig': did you mean 'ring'?" },
        { TEXT("# a\nring: 1\n\nevent: x\n"),
          "F:4:1: unknown key 'event': did you mean 'events'?" },
        { TEXT("Ring: 1"), "F:1:1: unknown key 'Ring': did you mean 'ring'?" },
        { TEXT("config: a"), "F:1:1: unknown key 'config'" },
        { TEXT("'': a"), "F:1:1: unknown key ''" },
        { TEXT("<<: {ring: 1}"), "F:1:1: unknown key '<<'" },
        { TEXT("1: a"), "F:1:1: unknown key '1'" },
        { TEXT("ring: 1\nring: 2\n"), "F:2:1: ring stands in line 1 already" },
        { TEXT("ring: 1\nold-ring: 2\n"), "F:2:1: ring stands in line 1 already" },
        { TEXT("\"a\\nb\": 1"), "F:1:1: a key must be the name of an option" },
        { TEXT("? [a]\n: b"), "F:1:3: a key must be the name of an option" },
        /* types */
        { TEXT("record: 5"), "F:1:9: record: '5' is a number here: put it in quotes" },
        { TEXT("record: yes"), "F:1:9: record: 'yes' is true or false here" },
        { TEXT("record: 1.5"), "F:1:9: record: '1.5' is a number of another notation" },
        { TEXT("record: 2026-11-25"), "F:1:9: record: '2026-11-25' is a number of another" },
        { TEXT("ring: 0x10"), "F:1:7: ring: '0x10' is a number of another notation" },
        { TEXT("ring: 010"), "F:1:7: ring: '010' is a number of another notation" },
        { TEXT("ring: 1_000"), "F:1:7: ring: '1_000' is a number of another notation" },
        { TEXT("ring: true"), "F:1:7: ring: 'true' is true or false here" },
        { TEXT("ring:"), "F:1:6: ring has no value" },
        { TEXT("ring: ~"), "F:1:7: ring has no value" },
        { TEXT("events: null"), "F:1:9: events has no value" },
        { TEXT("loud: 1"), "F:1:7: loud: '1' is not true or false" },
        { TEXT("loud: 'true'"), "F:1:7: loud: 'true' is not true or false" },
        { TEXT("ring: [1]"), "F:1:7: ring: a list where one value is wanted" },
        { TEXT("ring: {a: 1}"), "F:1:7: ring: keys where a value is wanted" },
        { TEXT("output:\n  format: json\n"), "F:2:3: output: keys where a value is wanted" },
        { TEXT("events: []"), "F:1:9: events: the list is empty" },
        { TEXT("events: [a, [b]]"), "F:1:13: events: a list within the list" },
        { TEXT("output: [json, {a: b}]"), "F:1:16: output: a list within the list" },
        { TEXT("events: [a, 5]"), "F:1:13: events: '5' is a number here" },
        { TEXT("events: [a, ]\noutput: [~]"), "F:2:10: output has no value" },
        /* what YAML has and a file of options does not need */
        { TEXT("ring: &a 1"), "F:1:7: anchors and aliases are not taken" },
        { TEXT("ring: *a"), "F:1:7: anchors and aliases are not taken" },
        { TEXT("&a ring: 1"), "F:1:1: anchors and aliases are not taken" },
        { TEXT("events: &a [x]"), "F:1:9: anchors and aliases are not taken" },
        { TEXT("ring: !!int 1"), "F:1:7: tags are not taken" },
        { TEXT("!x {ring: 1}"), "F:1:1: tags are not taken" },
        { TEXT("ring: 1\n---\nring: 2\n"), "F:2:1: a second document" },
        { TEXT("--- \n---\n"), "F:2:1: a second document" },
        { TEXT("ring"), "F:1:1: lines like 'KEY: VALUE' are wanted" },
        { TEXT("- ring"), "F:1:1: lines like 'KEY: VALUE' are wanted" },
        { TEXT("''"), "F:1:1: lines like 'KEY: VALUE' are wanted" },
        /* what is no YAML */
        { TEXT("events: [a"), "F:2:1: no YAML" },
        { TEXT("ring: 1\n\tevents: a"), "F:2:1: no YAML" },
        { TEXT("ring: 'a"), "F:1:9: no YAML" },
        { TEXT("a: b: c"), "F:1:5: no YAML: mapping values are not allowed" },
        { TEXT("ring: 1\nrecord: a\0b\n"), "F:2:10: no YAML text: control characters" },
        { TEXT("ring: 1\n\xff\xfe"), "F:2:1: no YAML text: " },
        { TEXT("record: \"\\0\""), "F:1:9: record: a value with a control character" },
        { TEXT("record: \"a\\nb\""), "F:1:9: record: a value with a control character" },
        { TEXT("record: |\n  a\n"), "F:1:9: record: a value with a control character" },
        { TEXT("%YAML 2.0\n---\nring: 1"), "F:1:1: no YAML" },
        { TEXT("}"), "F:1:1: no YAML" },
        { TEXT("@"), "F:1:1: no YAML" },
        { TEXT("\177ELF\2\1\1\0\0\0"), "F:1:1: no YAML text: " },
        { TEXT("\x1f\x8b\x08\0\0\0"), "F:1:1: no YAML text: " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_settings settings;
        struct mrl_error error = { "" };
        int err = parse(cases[i].text, cases[i].size, &settings, &error);

        if (err != -EINVAL || strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0 ||
            strpbrk(error.text, "\n\r"))
            problem("'%s': %d \"%s\"; wanted \"%s\"", cases[i].text, err, error.text,
                    cases[i].said);
        mrl_settings__free(&settings);
    }
    assert_int_equal(problems, 0);
}

/* "prefix", `count` times `unit`, "suffix". */
static char *repeat(
    const char *prefix, const char *unit, size_t count, const char *suffix, size_t *ret_size)
{
    char *text = calloc(1, strlen(prefix) + strlen(unit) * count + strlen(suffix) + 1);
    size_t size = strlen(prefix);

    assert_non_null(text);
    memcpy(text, prefix, size);
    for (size_t i = 0; i < count; i++, size += strlen(unit))
        memcpy(text + size, unit, strlen(unit));
    memcpy(text + size, suffix, strlen(suffix));
    *ret_size = size + strlen(suffix);
    return text;
}

static void config_is_bounded(void **state)
{
    static const struct {
        const char *prefix, *unit;
        size_t count;
        const char *suffix;
        const char *said;
    } cases[] = {
        { "events: ", "[", 200000, "", "F:1:16: nested deeper than 8 levels" },
        { "", "[", 200000, "", "F:1:9: nested deeper than 8 levels" },
        { "", "{", 200000, "", "F:1:9: nested deeper than 8 levels" },
        { "ring: ", "{a: ", 60000, "", "F:1:35: nested deeper than 8 levels" },
        { "", "- ", 100000, "", "F:1:17: nested deeper than 8 levels" },
        { "", "? ", 100000, "", "F:1:17: nested deeper than 8 levels" },
        { "events: ", "[", 7, "]]]]]]]", "F:1:10: events: a list within the list" },
        { "record: ", "a", 4097, "", "F:1:9: record: a value of more than 4096 bytes" },
        { "events: [", "a,", 100000, "]", "F:1:4106: events: a list of more than 4096 bytes" },
        { "output: [", "a,", 100000, "]", "F:1:2058: more than 1024 values" },
        { "output: [", "a,", 100000, "", "F:2:1: no YAML" },
        { "", "#", 256 * 1024 + 1, "", "F:1:1: more than 256 KiB" },
        { "", "a", 200000, "", "F:1:1: lines like" },
        { "events: &a [x]\noutput: [", "*a,", 80000, "]", "F:1:9: anchors and aliases" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_settings settings;
        struct mrl_error error = { "" };
        size_t size;
        char *text = repeat(cases[i].prefix, cases[i].unit, cases[i].count, cases[i].suffix, &size);
        int err = parse(text, size, &settings, &error);

        if (err != -EINVAL || strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0)
            fail_case("%zu: %d \"%s\"; wanted \"%s\"", i, err, error.text, cases[i].said);
        mrl_settings__free(&settings);
        free(text);
    }
}

static void config_takes_as_much_as_it_promises(void **state)
{
    struct mrl_settings settings;
    struct mrl_error error = { "" };
    size_t size;
    char *text = repeat("", "#", 256 * 1024, "", &size);

    (void)state;
    assert_int_equal(parse(text, size, &settings, &error), 0);
    free(text);
    text = repeat("record: ", "a", 4096, "", &size);
    assert_int_equal(parse(text, size, &settings, &error), 0);
    assert_int_equal(strlen(settings.list[0].value), 4096);
    mrl_settings__free(&settings);
    free(text);
}

/* A long key must not push the place out of the message. */
static void config_error_fits_one_line_whatever_the_key(void **state)
{
    struct mrl_settings settings;
    struct mrl_error error = { "" };
    size_t size;
    char *key = repeat("", "k", 1000, "", &size);

    (void)state;
    key[size - 2] = ':';
    key[size - 1] = ' ';
    assert_int_equal(parse(key, size, &settings, &error), -EINVAL);
    assert_ptr_equal(strstr(error.text, "F:1:1: "), error.text);
    free(key);
}

static void config_that_cannot_be_read_says_why(void **state)
{
    static const struct {
        const char *path, *said;
        int err;
    } cases[] = {
        { "/nonexistent/a.yaml", "/nonexistent/a.yaml: No such file", -ENOENT },
        { "/", "/: no file in it is named *.yaml", -ENOENT },
        { "", ": No such file", -ENOENT },
        { "/dev/zero", "/dev/zero: it is no regular file, but a device", -EINVAL },
    };
    const struct mrl_rows rows = make_rows();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_settings settings = { .count = 0 };
        struct mrl_error error = { "" };
        int err = mrl_config__read(cases[i].path, &rows, &settings, &error);

        if (err != cases[i].err || strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0)
            fail_case("%s: %d %s", cases[i].path, err, error.text);
        mrl_settings__free(&settings);
    }
}

/* Rows of YAML 1.1's type repository and of YAML 1.2's core schema. */
static void scalar_knows_what_yaml_takes_for_something_else(void **state)
{
    static const struct {
        const char *text;
        enum mrl_scalar type;
    } cases[] = {
        { "", MRL_SCALAR_NULL },
        { "~", MRL_SCALAR_NULL },
        { "NULL", MRL_SCALAR_NULL },
        { "nULL", MRL_SCALAR_TEXT },
        { "yes", MRL_SCALAR_TRUE },
        { "Off", MRL_SCALAR_FALSE },
        { "y", MRL_SCALAR_TEXT },
        { "tRue", MRL_SCALAR_TEXT },
        { "0", MRL_SCALAR_NUMBER },
        { "-17", MRL_SCALAR_NUMBER },
        { "+685230", MRL_SCALAR_NUMBER },
        { "02472256", MRL_SCALAR_OTHER_NUMBER },
        { "09", MRL_SCALAR_OTHER_NUMBER },
        { "0x_0A_74_AE", MRL_SCALAR_OTHER_NUMBER },
        { "0b1010", MRL_SCALAR_OTHER_NUMBER },
        { "190:20:30", MRL_SCALAR_OTHER_NUMBER },
        { "6.8523015e+5", MRL_SCALAR_OTHER_NUMBER },
        { "685.230_15e+03", MRL_SCALAR_OTHER_NUMBER },
        { "190:20:30.15", MRL_SCALAR_OTHER_NUMBER },
        { "-.inf", MRL_SCALAR_OTHER_NUMBER },
        { ".NaN", MRL_SCALAR_OTHER_NUMBER },
        { "0o17", MRL_SCALAR_OTHER_NUMBER },
        { "1e3", MRL_SCALAR_OTHER_NUMBER },
        { ".5", MRL_SCALAR_OTHER_NUMBER },
        { "2001-12-14 21:59:43.10 -5", MRL_SCALAR_OTHER_NUMBER },
        { "8M", MRL_SCALAR_TEXT },
        { "10s", MRL_SCALAR_TEXT },
        { "1.2.3", MRL_SCALAR_TEXT },
        { "mlock", MRL_SCALAR_TEXT },
        { "-mlock*", MRL_SCALAR_TEXT },
        { "/0", MRL_SCALAR_TEXT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (mrl_scalar__of(cases[i].text) != cases[i].type)
            fail_case("'%s' is %d, wanted %d", cases[i].text, mrl_scalar__of(cases[i].text),
                      cases[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_takes_what_the_options_take),
        cmocka_unit_test_setup(config_says_where_it_is_wrong, forget_problems),
        cmocka_unit_test(config_is_bounded),
        cmocka_unit_test(config_takes_as_much_as_it_promises),
        cmocka_unit_test(config_error_fits_one_line_whatever_the_key),
        cmocka_unit_test(config_that_cannot_be_read_says_why),
        cmocka_unit_test(scalar_knows_what_yaml_takes_for_something_else),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
