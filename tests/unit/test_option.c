// SPDX-License-Identifier: Apache-2.0
/* Option rows: finding them, and what they store. */
#include <errno.h>
#include <mrelease/option.h>
#include <string.h>

#include "unit/unit.h"

/* One member per type. */
struct target {
    bool loud;
    const char *text, *path, *rung;
    char copy[8], preset[8], copies[2][4];
    int level;
    uint32_t extras;
    uint64_t ring, time, count, plain;
    unsigned int mode;
    const char *scopes[2];
    unsigned int scope_count, level_given, copy_count;
    int own;
};

static const char *const levels[] = { "error", "warning", "info", NULL };
static const char *const any[] = { "auto", NULL };

static const char *rung_word(unsigned int index)
{
    static const char *const rungs[] = { "fentry", "kprobe" };

    return index < COUNT_OF(rungs) ? rungs[index] : NULL;
}

/* What begins with 'x' is wrong. */
static int check_scope(void *member, const char *text, struct mrl_error *error)
{
    (void)member;
    return *text == 'x' ? mrl_error__set(error, -EINVAL, "'%s' is no scope", text) : 0;
}

static int double_it(void *member, const char *text, struct mrl_error *error)
{
    if (!strcmp(text, "full"))
        return mrl_error__set(error, -ENOMEM, "out of memory");
    *(int *)member += 2 * (text[0] - '0');
    return 0;
}

#define AT(member) offsetof(struct target, member)

static const struct mrl_option rows[] = {
    { .name = "loud", .type = MRL_OPTION_SWITCH, .offset = AT(loud) },
    { .name = "text", .type = MRL_OPTION_TEXT, .offset = AT(text) },
    { .name = "path", .type = MRL_OPTION_PATH, .offset = AT(path) },
    { .name = "copy", .type = MRL_OPTION_COPY, .offset = AT(copy), .size = 8 },
    { .name = "preset",
      .type = MRL_OPTION_COPY,
      .offset = AT(preset),
      .size = 8,
      .preset = "here" },
    { .name = "copies",
      .type = MRL_OPTION_COPY,
      .offset = AT(copies),
      .size = 4,
      .many = 2,
      .counter = AT(copy_count) },
    { .name = "rung",
      .type = MRL_OPTION_WORD,
      .offset = AT(rung),
      .words = any,
      .word = rung_word,
      .value = "RUNG",
      .preset = "auto" },
    { .name = "log-level",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(level),
      .words = levels,
      .what = "level",
      .counter = AT(level_given),
      .preset = "info" },
    { .name = "extra", .type = MRL_OPTION_SET, .offset = AT(extras), .words = levels },
    { .name = "busy-ring",
      .was = "mlock-ring",
      .type = MRL_OPTION_BYTES,
      .offset = AT(ring),
      .min = 32 << 10,
      .max = 1 << 30,
      .preset = "4M" },
    { .name = "time", .type = MRL_OPTION_DURATION, .offset = AT(time), .min = 1000000 },
    { .name = "count", .type = MRL_OPTION_COUNT, .offset = AT(count), .max = 10 },
    { .name = "plain", .type = MRL_OPTION_BYTES, .offset = AT(plain) },
    { .name = "mode", .type = MRL_OPTION_MODE, .offset = AT(mode) },
    { .name = "scope",
      .type = MRL_OPTION_TEXT,
      .offset = AT(scopes),
      .many = 2,
      .counter = AT(scope_count),
      .parse = check_scope,
      .preset = "never stored" },
    { .name = "own", .type = MRL_OPTION_OWN, .offset = AT(own), .parse = double_it },
};

static const struct mrl_option *row_called(const char *name)
{
    return mrl_option__find(rows, COUNT_OF(rows), "option", name, NULL);
}

static void option_refuses_what_its_type_does_not_hold(void **state)
{
    static const struct {
        const char *name, *text, *said;
    } cases[] = {
        { "loud", "yes", "unknown loud 'yes'" },
        { "loud", "", "unknown loud ''" },
        { "text", NULL, "text needs a value" },
        { "copy", "", "copy needs a value" },
        { "copy", "12345678", "'12345678...': at most 7 bytes" },
        { "rung", "fenty", "unknown rung 'fenty': did you mean 'fentry'?" },
        { "rung", "atuo", "unknown rung 'atuo': did you mean 'auto'?" },
        { "rung", "", "unknown rung ''" },
        { "log-level", "warn", "unknown level 'warn': did you mean 'warning'?" },
        { "log-level", "Info", "unknown level 'Info': did you mean 'info'?" },
        { "extra", "", "'' is not a list of extras, like 'error'" },
        { "extra", "info,", "'info,' is not a list of extras" },
        { "extra", ",info", "',info' is not a list of extras" },
        { "extra", "info,eror", "unknown extra 'eror': did you mean 'error'?" },
        { "busy-ring", "31K", "'31K' is not between 32K and 1G" },
        { "busy-ring", "1025M", "'1025M' is not between 32K and 1G" },
        { "busy-ring", "8MB", "'8MB' is not a size" },
        { "busy-ring", "99999999999999999999", "'99999999999999999999' is too large" },
        { "time", "0s", "'0s' is less than 1ms" },
        { "time", "999us", "'999us' is less than 1ms" },
        { "time", "5", "'5' is not a duration" },
        { "count", "0", "'0' is not a count" },
        { "count", "11", "'11' is not between 0 and 10" },
        { "mode", "", "'': three octal digits" },
        { "mode", "0", "'0': three octal digits" },
        { "mode", "777", "'777': three octal digits of 0, 2, 4 and 6, like 640" },
        { "mode", "-600", "'-600': three octal digits" },
        { "mode", "68", "'68': three octal digits" },
        { "scope", "xuid", "'xuid' is no scope" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct target target, untouched;
        struct mrl_error error = { "" };
        int err;

        memset(&target, 0, sizeof(target));
        memset(&untouched, 0, sizeof(untouched));
        err = mrl_option__set(row_called(cases[i].name), &target, cases[i].text, &error);
        if (err != -EINVAL || strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0)
            fail_case("%s '%s': %d %s", cases[i].name, cases[i].text, err, error.text);
        assert_memory_equal(&target, &untouched, sizeof(target));
    }
}

static void set(struct target *target, const char *name, const char *text)
{
    struct mrl_error error = { "" };

    if (mrl_option__set(row_called(name), target, text, &error))
        fail_case("%s '%s': %s", name, text, error.text);
}

static void option_stores_each_type_in_its_member(void **state)
{
    struct target target = { 0 };

    (void)state;
    set(&target, "loud", NULL);
    assert_true(target.loud);
    set(&target, "loud", "false");
    assert_false(target.loud);
    set(&target, "loud", "true");
    assert_true(target.loud);
    set(&target, "text", "");
    assert_string_equal(target.text, "");
    set(&target, "path", "/a");
    assert_string_equal(target.path, "/a");
    set(&target, "copy", "1234567");
    assert_string_equal(target.copy, "1234567");
    set(&target, "rung", "kprobe");
    assert_ptr_equal(target.rung, rung_word(1));
    set(&target, "log-level", "warning");
    assert_int_equal(target.level, 1);
    set(&target, "extra", "info,error");
    assert_int_equal(target.extras, 5);
    set(&target, "extra", "warning");
    assert_int_equal(target.extras, 2); /* the last one counts */
    set(&target, "busy-ring", "32K");
    assert_int_equal(target.ring, 32 << 10);
    set(&target, "busy-ring", "1G");
    assert_int_equal(target.ring, 1 << 30);
    set(&target, "time", "1ms");
    assert_int_equal(target.time, 1000000);
    set(&target, "count", "10");
    assert_int_equal(target.count, 10);
    set(&target, "plain", "0");
    set(&target, "mode", "0640");
    assert_int_equal(target.mode, 0640);
}

static void option_that_may_be_repeated_fills_its_array(void **state)
{
    struct target target = { 0 };
    struct mrl_error error;

    (void)state;
    set(&target, "scope", "uid=0");
    set(&target, "scope", "pid=1");
    assert_int_equal(target.scope_count, 2);
    assert_string_equal(target.scopes[0], "uid=0");
    assert_string_equal(target.scopes[1], "pid=1");
    assert_int_equal(mrl_option__set(row_called("scope"), &target, "pid=2", &error), -EINVAL);
    assert_string_equal(error.text, "more than 2 times");
    assert_int_equal(target.scope_count, 2);
    set(&target, "copies", "one");
    set(&target, "copies", "two");
    assert_string_equal(target.copies[0], "one");
    assert_string_equal(target.copies[1], "two");
}

static void option_counts_how_often_it_was_given(void **state)
{
    struct target target = { 0 };

    (void)state;
    set(&target, "log-level", "error");
    set(&target, "log-level", "info");
    assert_int_equal(mrl_option__set(row_called("log-level"), &target, "x", NULL), -EINVAL);
    assert_int_equal(target.level_given, 2);
}

static void option_of_its_own_stores_by_itself(void **state)
{
    struct target target = { .own = 1 };

    (void)state;
    set(&target, "own", "3");
    assert_int_equal(target.own, 7);
    assert_int_equal(mrl_option__set(row_called("own"), &target, "full", NULL), -ENOMEM);
}

static void presets_are_stored_before_anything_is_given(void **state)
{
    struct target target = { .ring = 1 << 20 };

    (void)state;
    mrl_options__preset(rows, COUNT_OF(rows), &target);
    assert_string_equal(target.rung, "auto");
    assert_int_equal(target.level, 2);
    assert_int_equal(target.level_given, 0);
    assert_int_equal(target.ring, 4 << 20);
    assert_string_equal(target.preset, "here");
    assert_int_equal(target.scope_count, 0);
    assert_null(target.text);
}

/* -- names ------------------------------------------------------------------------------------ */

static void option_finds_a_row_by_its_whole_name(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < COUNT_OF(rows); i++)
        assert_ptr_equal(row_called(rows[i].name), &rows[i]);
    assert_null(row_called("scop"));
    assert_null(mrl_option__find(rows, 0, "key", "loud", NULL));
}

static void option_names_the_nearest_row(void **state)
{
    struct mrl_error error;

    (void)state;
    assert_null(mrl_option__find(rows, COUNT_OF(rows), "key", "busy_ring", &error));
    assert_string_equal(error.text, "unknown key 'busy_ring': did you mean 'busy-ring'?");
}

static void option_is_found_by_its_former_name_with_a_warning(void **state)
{
    const struct mrl_option *row = row_called("mlock-ring");
    struct mrl_error warning = { "" };

    (void)state;
    assert_ptr_equal(row, row_called("busy-ring"));
    assert_false(mrl_option__is_former(row, "busy-ring", &warning));
    assert_string_equal(warning.text, "");
    assert_true(mrl_option__is_former(row, "mlock-ring", &warning));
    assert_string_equal(
        warning.text,
        "'mlock-ring' is called 'busy-ring' now: the old name goes with the next release");
    assert_false(mrl_option__is_former(row_called("loud"), "mlock-ring", &warning));
}

static void option_says_what_its_value_is(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        { "loud", NULL },   { "text", "TEXT" },  { "path", "FILE" },
        { "rung", "RUNG" }, { "extra", "LIST" }, { "log-level", "error|warning|info" },
        { "count", "N" },   { "time", "TIME" },  { "busy-ring", "SIZE" },
        { "mode", "MODE" },
    };
    char text[MRL_OPTION_VALUE_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *value = mrl_option__value(row_called(cases[i].name), text);

        if (strcmp(value ? value : "", cases[i].value ? cases[i].value : "") != 0)
            fail_case("%s: %s", cases[i].name, value);
    }
    assert_string_equal(mrl_option__word(row_called("rung"), 0), "auto");
    assert_string_equal(mrl_option__word(row_called("rung"), 2), "kprobe");
    assert_null(mrl_option__word(row_called("rung"), 3));
    assert_null(mrl_option__word(row_called("text"), 0));
}

/* -- lists ------------------------------------------------------------------------------------ */

struct other {
    uint64_t queue;
};

static const struct mrl_option other_rows[] = {
    { .name = "queue", .type = MRL_OPTION_BYTES, .offset = offsetof(struct other, queue) },
};

static int read_list(struct target *target,
                     struct other *other,
                     const char *list,
                     size_t size,
                     struct mrl_error *error)
{
    const struct mrl_option_group groups[] = { { rows, COUNT_OF(rows), target },
                                               { other_rows, COUNT_OF(other_rows), other } };

    return mrl_options__read(groups, 2, "setting", list, size, error);
}

static void options_are_read_from_a_list_into_their_groups(void **state)
{
    struct target target = { 0 };
    struct other other = { 0 };
    const char *list = "copy=ab,queue=1M,loud=true:/rest,queue=x";

    (void)state;
    assert_int_equal(read_list(&target, &other, list, strcspn(list, ":"), NULL), 0);
    assert_string_equal(target.copy, "ab");
    assert_true(target.loud);
    assert_int_equal(other.queue, 1 << 20);
    assert_int_equal(read_list(&target, &other, "", 0, NULL), 0);
    assert_int_equal(read_list(&target, &other, "copy=a=b", 8, NULL), 0);
    assert_string_equal(target.copy, "a=b");
}

static void options_of_a_wrong_list_are_named(void **state)
{
    static char longest[600];
    static const struct {
        const char *list, *said;
    } cases[] = {
        { ",", "unknown setting ''" },
        { "copy=a,", "unknown setting ''" },
        { "quue=1", "unknown setting 'quue': did you mean 'queue'?" },
        { "lod=true", "unknown setting 'lod': did you mean 'loud'?" },
        { "mlock-ring=4M", "unknown setting 'mlock-ring'" },
        { "queue", "queue= needs a value" },
        { "queue=", "queue= needs a value" },
        { "loud", "loud= needs a value" },
        { "=1", "unknown setting ''" },
        { "queue=many", "queue=: 'many' is not a size" },
        { "queue=1M,loud=true,queue=1M", "queue= is given twice" },
        { "log-level=info,log-level=error", "log-level= is given twice" },
        { "copies=a,copies=b,copies=c", "copies=: more than 2 times" },
        { longest, "' is no setting" },
    };

    (void)state;
    memset(longest, 'a', sizeof(longest) - 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct target target = { 0 };
        struct other other = { 0 };
        struct mrl_error error = { "" };

        if (read_list(&target, &other, cases[i].list, strlen(cases[i].list), &error) != -EINVAL ||
            !strstr(error.text, cases[i].said))
            fail_case("'%s': %s", cases[i].list, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_refuses_what_its_type_does_not_hold),
        cmocka_unit_test(option_stores_each_type_in_its_member),
        cmocka_unit_test(option_that_may_be_repeated_fills_its_array),
        cmocka_unit_test(option_counts_how_often_it_was_given),
        cmocka_unit_test(option_of_its_own_stores_by_itself),
        cmocka_unit_test(presets_are_stored_before_anything_is_given),
        cmocka_unit_test(option_finds_a_row_by_its_whole_name),
        cmocka_unit_test(option_names_the_nearest_row),
        cmocka_unit_test(option_is_found_by_its_former_name_with_a_warning),
        cmocka_unit_test(option_says_what_its_value_is),
        cmocka_unit_test(options_are_read_from_a_list_into_their_groups),
        cmocka_unit_test(options_of_a_wrong_list_are_named),
    };

    return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
