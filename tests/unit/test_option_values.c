// SPDX-License-Identifier: Apache-2.0
/* Sizes, durations and counts, as options write them. */
#include <errno.h>
#include <inttypes.h>
#include <mrelease/option.h>

#include "unit/unit.h"

typedef int (*parse_fn)(const char *text, uint64_t *ret_number, struct mrl_error *error);

struct parse_case {
    const char *text;
    int err;
    uint64_t number;
};

enum { UNTOUCHED = 4711 };

static void check_cases(parse_fn parse, const struct parse_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mrl_error error = { "" };
        uint64_t number = UNTOUCHED, wanted = cases[i].err ? UNTOUCHED : cases[i].number;
        int err = parse(cases[i].text, &number, &error);

        if (err != cases[i].err || number != wanted || !err != !error.text[0])
            fail_case("'%s': %d, %" PRIu64 ", \"%s\"; wanted %d, %" PRIu64, cases[i].text, err,
                      number, error.text, cases[i].err, wanted);
        assert_int_equal(parse(cases[i].text, &number, NULL), cases[i].err);
    }
}

static void option_parses_sizes(void **state)
{
    static const struct parse_case cases[] = {
        { "0", 0, 0 },
        { "1", 0, 1 },
        { "007", 0, 7 },
        { "512K", 0, 512 * 1024 },
        { "8M", 0, 8 * 1024 * 1024 },
        { "3G", 0, 3ULL << 30 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18014398509481983K", 0, UINT64_MAX - 1023 },
        { "17179869183G", 0, UINT64_MAX - (1ULL << 30) + 1 },
        { "18446744073709551616", -ERANGE, 0 },
        { "18014398509481984K", -ERANGE, 0 },
        { "17592186044416M", -ERANGE, 0 },
        { "17179869184G", -ERANGE, 0 },
        { "99999999999999999999999999999", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "K", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "+1", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "1k", -EINVAL, 0 },
        { "1KB", -EINVAL, 0 },
        { "1KK", -EINVAL, 0 },
        { "1T", -EINVAL, 0 },
        { "1.5M", -EINVAL, 0 },
        { "0x10", -EINVAL, 0 },
        { "1e3", -EINVAL, 0 },
        { "99999999999999999999999x", -EINVAL, 0 },
        { "\xd9\xa1", -EINVAL, 0 },
    };

    (void)state;
    check_cases(mrl_parse_bytes, cases, COUNT_OF(cases));
}

static void option_parses_durations(void **state)
{
    static const struct parse_case cases[] = {
        { "0s", 0, 0 },
        { "1ns", 0, 1 },
        { "20us", 0, 20 * 1000 },
        { "1500ms", 0, UINT64_C(1500000000) },
        { "10s", 0, UINT64_C(10000000000) },
        { "5m", 0, UINT64_C(300000000000) },
        { "2h", 0, UINT64_C(7200000000000) },
        { "18446744073709551615ns", 0, UINT64_MAX },
        { "18446744073s", 0, UINT64_C(18446744073000000000) },
        { "5124095h", 0, UINT64_C(18446742000000000000) },
        { "18446744074s", -ERANGE, 0 },
        { "307445735m", -ERANGE, 0 },
        { "5124096h", -ERANGE, 0 },
        { "18446744073709551616ns", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "10", -EINVAL, 0 },
        { "s", -EINVAL, 0 },
        { "-1s", -EINVAL, 0 },
        { "1.5s", -EINVAL, 0 },
        { "1 s", -EINVAL, 0 },
        { "1S", -EINVAL, 0 },
        { "1d", -EINVAL, 0 },
        { "1h30m", -EINVAL, 0 },
        { "1sec", -EINVAL, 0 },
    };

    (void)state;
    check_cases(mrl_parse_duration, cases, COUNT_OF(cases));
}

static void option_parses_counts(void **state)
{
    static const struct parse_case cases[] = {
        { "1", 0, 1 },
        { "1000", 0, 1000 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "0", -EINVAL, 0 },
        { "00", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "1K", -EINVAL, 0 },
        { "one", -EINVAL, 0 },
        { "1,000", -EINVAL, 0 },
        { "1\n", -EINVAL, 0 },
    };

    (void)state;
    check_cases(mrl_parse_count, cases, COUNT_OF(cases));
}

static void option_error_quotes_the_wrong_value(void **state)
{
    struct mrl_error error;
    uint64_t number;

    (void)state;
    mrl_parse_bytes("8Mb", &number, &error);
    assert_string_equal(error.text, "'8Mb' is not a size, like 512K or 8M");
    mrl_parse_duration("10", &number, &error);
    assert_string_equal(error.text, "'10' is not a duration, like 500ms, 10s or 5m");
    mrl_parse_count("0", &number, &error);
    assert_string_equal(error.text, "'0' is not a count, like 3");
    mrl_parse_count("18446744073709551616", &number, &error);
    assert_string_equal(error.text, "'18446744073709551616' is too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_parses_sizes),
        cmocka_unit_test(option_parses_durations),
        cmocka_unit_test(option_parses_counts),
        cmocka_unit_test(option_error_quotes_the_wrong_value),
    };

    return cmocka_run_group_tests_name("option_values", tests, NULL, NULL);
}
