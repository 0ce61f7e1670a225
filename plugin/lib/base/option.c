// SPDX-License-Identifier: Apache-2.0
/* Finding option rows, and the values that several options share: sizes, durations, counts. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <mrelease/option.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64 };

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit size_units[] = {
    { "", 1 }, { "K", 1ULL << 10 }, { "M", 1ULL << 20 }, { "G", 1ULL << 30 }, { NULL, 0 },
};

static const struct unit duration_units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "ms", 1000 * 1000 },
    { "s", 1000 * 1000 * 1000 },
    { "m", 60 * 1000ULL * 1000 * 1000 },
    { "h", 3600 * 1000ULL * 1000 * 1000 },
    { NULL, 0 },
};

static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };

const struct mrl_option *mrl_option__find(const struct mrl_option *rows,
                                          unsigned int count,
                                          const char *what,
                                          const char *name,
                                          struct mrl_error *error)
{
    const char *names[OPTIONS_MAX];

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    count = count < OPTIONS_MAX ? count : OPTIONS_MAX;
    for (unsigned int i = 0; i < count; i++)
        names[i] = rows[i].name;
    mrl_error__unknown(error, what, name, names, count);
    return NULL;
}

/* Digits, then exactly one of the units. */
static int parse_scaled(const char *text,
                        const struct unit *units,
                        const char *expected,
                        uint64_t *ret_number,
                        struct mrl_error *error)
{
    unsigned long long number;
    const struct unit *unit;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return mrl_error__set(error, -EINVAL, "'%.64s' is not %s", text, expected);
    errno = 0;
    number = strtoull(text, &end, 10);
    for (unit = units; unit->suffix && strcmp(unit->suffix, end) != 0; unit++)
        ;
    if (!unit->suffix)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not %s", text, expected);
    if (errno == ERANGE || number > UINT64_MAX / unit->factor)
        return mrl_error__set(error, -ERANGE, "'%.64s' is too large", text);
    *ret_number = number * unit->factor;
    return 0;
}

int mrl_parse_bytes(const char *text, uint64_t *ret_bytes, struct mrl_error *error)
{
    return parse_scaled(text, size_units, "a size, like 512K or 8M", ret_bytes, error);
}

int mrl_parse_duration(const char *text, uint64_t *ret_ns, struct mrl_error *error)
{
    return parse_scaled(text, duration_units, "a duration, like 500ms, 10s or 5m", ret_ns, error);
}

int mrl_parse_count(const char *text, uint64_t *ret_count, struct mrl_error *error)
{
    uint64_t count = 0;
    int err = parse_scaled(text, count_units, "a count, like 3", &count, error);

    if (err)
        return err;
    if (!count)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not a count, like 3", text);
    *ret_count = count;
    return 0;
}
