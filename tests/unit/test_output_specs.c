// SPDX-License-Identifier: Apache-2.0
/* What --output may say. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/run/outputs.h"
#include "command/run/record.h"
#include "unit/unit.h"

static void outputs_accept_specs(void **state)
{
    static const char *const specs[] = {
        "json",
        "table",
        "none",
        "json-v0.23",
        "json:stdout",
        "json:/dev/null",
        "json:a",
        "table:/a/b:c",
        "json-v0.23:relative",
        "table:stdout",
        "json,policy=block:/a",
        "json,queue=1M",
        "table,policy=drop-newest,queue=64K:/a,b=c",
        "none,policy=block",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        if (mrl_outputs__add(&outputs, specs[i], &error))
            fail_case("%s: %s", specs[i], error.text);
        assert_int_equal(outputs.count, 1);
        assert_ptr_equal(outputs.specs[0].options.name, specs[i]);
    }
}

static void outputs_refuse_specs_with_one_line(void **state)
{
    static const struct {
        const char *spec, *text;
    } cases[] = {
        { "", "unknown format ''" },
        { ":stdout", "unknown format ''" },
        { "jsn", "unknown format 'jsn': did you mean 'json'?" },
        { "tabel:/a", "unknown format 'tabel': did you mean 'table'?" },
        { "json:", "'json:' names no destination after the colon" },
        { "none:", "'none:' names no destination after the colon" },
        { "none:/a", "format none takes no destination" },
        { "none:stdout", "format none takes no destination" },
        { "json,policy=blck:/a", "unknown policy 'blck': did you mean 'block'?" },
        { "json,polcy=block:/a", "unknown output setting 'polcy': did you mean 'policy'?" },
        { "json,policy:/a", "policy= needs a value" },
        { "json,queue=1:/a", "a queue of '1': from 32K to 1G" },
        { "json,queue=2G:/a", "a queue of '2G': from 32K to 1G" },
        { "json,queue=many:/a", "'many' is not a size" },
        { "json,:/a", "unknown output setting ''" },
        { "a-format-whose-name-is-longer-than-any:/a", "is no FORMAT[:DESTINATION]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        assert_int_equal(mrl_outputs__add(&outputs, cases[i].spec, &error), -EINVAL);
        if (!strstr(error.text, cases[i].text))
            fail_case("%s: %s", cases[i].spec, error.text);
        assert_int_equal(outputs.count, 0);
        assert_int_equal(mrl_outputs__add(&outputs, cases[i].spec, NULL), -EINVAL);
    }
}

static void outputs_refuse_two_to_one_destination(void **state)
{
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        { "json", "table", true },
        { "json", "json:stdout", true },
        { "json:stdout", "table:stdout", true },
        { "json:/a", "json:/a", true },
        { "json:/a", "table:/a", true },
        { "json:/a", "json:/b", false },
        { "json", "json:/a", false },
        { "none", "none", false },
        { "none", "json", false },
        { "json", "none", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        assert_int_equal(mrl_outputs__add(&outputs, cases[i].first, &error), 0);
        if (mrl_outputs__add(&outputs, cases[i].second, &error) != (cases[i].same ? -EINVAL : 0))
            fail_case("%s and %s: %s", cases[i].first, cases[i].second, error.text);
        assert_int_equal(!!strstr(error.text, "two outputs to"), cases[i].same);
    }
}

static void record_accepts_settings_before_its_path(void **state)
{
    static const struct {
        const char *text, *destination;
        bool has_policy;
        enum mrl_policy policy;
        uint64_t queue_bytes;
    } cases[] = {
        { "a", "a", false, MRL_POLICY_BLOCK, 8 << 20 },
        { "/a:b,c=d", "/a:b,c=d", false, MRL_POLICY_BLOCK, 8 << 20 },
        { "a/b=c:d", "a/b=c:d", false, MRL_POLICY_BLOCK, 8 << 20 },
        { "queue=64K:/a", "/a", false, MRL_POLICY_BLOCK, 64 << 10 },
        { "policy=drop-newest:a:b", "a:b", true, MRL_POLICY_DROP_NEWEST, 8 << 20 },
        { "policy=drop-oldest,queue=1G:a", "a", true, MRL_POLICY_DROP_OLDEST, 1 << 30 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        const struct mrl_output_spec *spec = &outputs.specs[0];
        struct mrl_error error = { "" };

        if (mrl_record__add(&outputs, cases[i].text, &error))
            fail_case("%s: %s", cases[i].text, error.text);
        assert_string_equal(spec->options.destination, cases[i].destination);
        assert_int_equal(spec->has_policy, cases[i].has_policy);
        assert_int_equal(spec->options.policy, cases[i].policy);
        assert_int_equal(spec->options.queue_bytes, cases[i].queue_bytes);
    }
}

static void record_refuses_settings_with_one_line(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "", "the path is empty" },
        { "queue=1M:", "the path is empty" },
        { "polcy=block:a", "unknown output setting 'polcy': did you mean 'policy'?" },
        { "policy=blok:a", "unknown policy 'blok': did you mean 'block'?" },
        { "policy=block,queue=7:a", "a queue of '7': from 32K to 1G" },
        { "policy=block,:a", "unknown output setting ''" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        assert_int_equal(mrl_record__add(&outputs, cases[i].text, &error), -EINVAL);
        if (!strstr(error.text, cases[i].said))
            fail_case("%s: %s", cases[i].text, error.text);
        assert_int_equal(outputs.count, 0);
    }
}

/* Whether the file is there or not, and whoever wants it. */
static void outputs_refuse_two_spellings_of_one_destination(void **state)
{
    static const struct {
        const char *format, *name;
    } spelled[] = { { "json:", "/a" },         { "json:", "/./a" }, { "json:", "/link/./link/a" },
                    { "json:", "/./link//a" }, { "json:", "/b" },   { "", "//a" } };
    char directory[] = "/tmp/mrelease-test-XXXXXX", specs[COUNT_OF(spelled)][128];
    struct mrl_error error;
    char path[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/link", directory);
    assert_int_equal(symlink(".", path), 0);
    for (size_t i = 0; i < COUNT_OF(spelled); i++)
        snprintf(specs[i], sizeof(specs[i]), "%s%s%s", spelled[i].format, directory,
                 spelled[i].name);
    for (int exists = 0; exists < 2; exists++) {
        struct mrl_outputs outputs = { .count = 0 };

        assert_int_equal(mrl_outputs__add(&outputs, specs[0], &error), 0);
        for (int i = 1; i < 4; i++)
            assert_int_equal(mrl_outputs__add(&outputs, specs[i], &error), -EINVAL);
        assert_non_null(strstr(error.text, "two outputs to "));
        assert_int_equal(mrl_record__add(&outputs, specs[5], &error), -EINVAL);
        assert_int_equal(mrl_outputs__add(&outputs, specs[4], &error), 0);
        snprintf(path, sizeof(path), "%s/a", directory);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    unlink(path);
    snprintf(path, sizeof(path), "%s/link", directory);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

static void outputs_are_bounded(void **state)
{
    struct mrl_outputs outputs = { .count = 0 };
    struct mrl_error error;

    (void)state;
    for (int i = 0; i < MRL_OUTPUTS_MAX; i++)
        assert_int_equal(mrl_outputs__add(&outputs, "none", &error), 0);
    assert_int_equal(mrl_outputs__add(&outputs, "none", &error), -EINVAL);
    assert_string_equal(error.text, "more than 16 outputs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_accept_specs),
        cmocka_unit_test(outputs_refuse_specs_with_one_line),
        cmocka_unit_test(outputs_refuse_two_to_one_destination),
        cmocka_unit_test(outputs_refuse_two_spellings_of_one_destination),
        cmocka_unit_test(record_accepts_settings_before_its_path),
        cmocka_unit_test(record_refuses_settings_with_one_line),
        cmocka_unit_test(outputs_are_bounded),
    };

    return cmocka_run_group_tests_name("output specs", tests, NULL, NULL);
}
