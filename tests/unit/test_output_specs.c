// SPDX-License-Identifier: Apache-2.0
/* What --output may say. */
#include <errno.h>
#include <string.h>

#include "host/outputs.h"
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
        cmocka_unit_test(outputs_are_bounded),
    };

    return cmocka_run_group_tests_name("output specs", tests, NULL, NULL);
}
