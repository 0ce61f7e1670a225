// SPDX-License-Identifier: Apache-2.0
/* The values of options: units, words, and how a value of each type is stored. */
#include "base/option_value.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 32, WORD_BYTES = 512 };

/* -- sizes, durations, counts ----------------------------------------------------------------- */

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

/* -- words ------------------------------------------------------------------------------------ */

const char *mrl_option__word(const struct mrl_option *row, unsigned int index)
{
    for (const char *const *word = row->words; word && *word; word++)
        if (!index--)
            return *word;
    return row->word ? row->word(index) : NULL;
}

/* The index of the word of `size` bytes at `text`. Error: -EINVAL, with the nearest one. */
static int find_word(const struct mrl_option *row,
                     const char *text,
                     size_t size,
                     struct mrl_error *error)
{
    const char *words[WORDS_MAX], *word;
    unsigned int count = 0;
    char name[WORD_BYTES];

    for (; count < WORDS_MAX && (word = mrl_option__word(row, count)); count++) {
        if (strlen(word) == size && !memcmp(word, text, size))
            return (int)count;
        words[count] = word;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)), text);
    return mrl_error__unknown(error, row->what ? row->what : row->name, name, words, count);
}

/* -- types: one function each stores a value -------------------------------------------------- */

static int put_switch(const struct mrl_option *row,
                      void *member,
                      const char *text,
                      struct mrl_error *error)
{
    static const char *const words[] = { "false", "true", NULL };
    const struct mrl_option choice = { .name = row->name, .what = row->what, .words = words };
    int index = text ? find_word(&choice, text, strlen(text), error) : 1;

    if (index >= 0)
        *(bool *)member = index;
    return index < 0 ? index : 0;
}

static int put_text(const struct mrl_option *row,
                    void *member,
                    const char *text,
                    struct mrl_error *error)
{
    (void)row;
    (void)error;
    *(const char **)member = text;
    return 0;
}

static int put_copy(const struct mrl_option *row,
                    void *member,
                    const char *text,
                    struct mrl_error *error)
{
    size_t size = strlen(text) + 1;

    assert(row->size); /* which is the row's to say */
    if (size > row->size)
        return mrl_error__set(error, -EINVAL, "'%.32s...': at most %zu bytes", text, row->size - 1);
    if (size == 1)
        return mrl_error__set(error, -EINVAL, "%s needs a value", row->name);
    memcpy(member, text, size);
    return 0;
}

static int put_word(const struct mrl_option *row,
                    void *member,
                    const char *text,
                    struct mrl_error *error)
{
    int index = find_word(row, text, strlen(text), error);

    if (index >= 0)
        *(const char **)member = mrl_option__word(row, (unsigned int)index);
    return index < 0 ? index : 0;
}

static int put_choice(const struct mrl_option *row,
                      void *member,
                      const char *text,
                      struct mrl_error *error)
{
    int index = find_word(row, text, strlen(text), error);

    if (index >= 0)
        *(int *)member = index;
    return index < 0 ? index : 0;
}

static int put_set(const struct mrl_option *row,
                   void *member,
                   const char *text,
                   struct mrl_error *error)
{
    uint32_t set = 0;
    size_t size;

    for (const char *at = text;; at += size + 1) {
        int index;

        size = strcspn(at, ",");
        if (!size)
            return mrl_error__set(error, -EINVAL, "'%.64s' is not a list of %ss, like '%s'", text,
                                  row->what ? row->what : row->name, mrl_option__word(row, 0));
        index = find_word(row, at, size, error);
        if (index < 0)
            return index;
        set |= 1U << index;
        if (!at[size])
            break;
    }
    *(uint32_t *)member = set;
    return 0;
}

/* A number in the largest unit that needs no fraction. */
static const char *print_scaled(const struct unit *units, uint64_t number, char text[32])
{
    const struct unit *best = units;

    for (const struct unit *unit = units; unit->suffix; unit++)
        if (number && !(number % unit->factor))
            best = unit;
    snprintf(text, 32, "%llu%s", (unsigned long long)(number / best->factor), best->suffix);
    return text;
}

static int put_number(const struct mrl_option *row,
                      void *member,
                      const char *text,
                      struct mrl_error *error)
{
    static const struct {
        const struct unit *units;
        int (*parse)(const char *text, uint64_t *ret_number, struct mrl_error *error);
    } scales[] = {
        [MRL_OPTION_BYTES] = { size_units, mrl_parse_bytes },
        [MRL_OPTION_DURATION] = { duration_units, mrl_parse_duration },
        [MRL_OPTION_COUNT] = { count_units, mrl_parse_count },
    };
    const struct unit *units = scales[row->type].units;
    char least[32], most[32];
    uint64_t number = 0;
    int err;

    assert(scales[row->type].parse);
    err = scales[row->type].parse(text, &number, error);
    if (err)
        return -EINVAL;
    print_scaled(units, row->min, least);
    if (row->max && (number < row->min || number > row->max))
        return mrl_error__set(error, -EINVAL, "'%.64s' is not between %s and %s", text, least,
                              print_scaled(units, row->max, most));
    if (number < row->min)
        return mrl_error__set(error, -EINVAL, "'%.64s' is less than %s", text, least);
    *(uint64_t *)member = number;
    return 0;
}

static int put_mode(const struct mrl_option *row,
                    void *member,
                    const char *text,
                    struct mrl_error *error)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);

    (void)row;
    if (!isdigit((unsigned char)*text) || *end || mode & ~0666UL || !mode)
        return mrl_error__set(error, -EINVAL,
                              "'%.32s': three octal digits of 0, 2, 4 and 6, like 640", text);
    *(unsigned int *)member = (unsigned int)mode;
    return 0;
}

static int put_nothing(const struct mrl_option *row,
                       void *member,
                       const char *text,
                       struct mrl_error *error)
{
    (void)row;
    (void)member;
    (void)text;
    (void)error;
    return 0;
}

static const struct {
    int (*put)(const struct mrl_option *row,
               void *member,
               const char *text,
               struct mrl_error *error);
    size_t size;
    const char *value;
} types[] = {
    [MRL_OPTION_SWITCH] = { put_switch, sizeof(bool), NULL },
    [MRL_OPTION_TEXT] = { put_text, sizeof(const char *), "TEXT" },
    [MRL_OPTION_PATH] = { put_text, sizeof(const char *), "FILE" },
    [MRL_OPTION_COPY] = { put_copy, 0, "TEXT" },
    [MRL_OPTION_WORD] = { put_word, sizeof(const char *), "WORD" },
    [MRL_OPTION_CHOICE] = { put_choice, sizeof(int), "WORD" },
    [MRL_OPTION_SET] = { put_set, sizeof(uint32_t), "LIST" },
    [MRL_OPTION_BYTES] = { put_number, sizeof(uint64_t), "SIZE" },
    [MRL_OPTION_DURATION] = { put_number, sizeof(uint64_t), "TIME" },
    [MRL_OPTION_COUNT] = { put_number, sizeof(uint64_t), "N" },
    [MRL_OPTION_MODE] = { put_mode, sizeof(unsigned int), "MODE" },
    [MRL_OPTION_OWN] = { put_nothing, 0, "TEXT" },
};

const char *mrl_option__value(const struct mrl_option *row, char text[MRL_OPTION_VALUE_BYTES])
{
    size_t used = 0;

    if (row->value || !row->words || row->type == MRL_OPTION_SET)
        return row->value ? row->value : types[row->type].value;
    for (unsigned int i = 0; mrl_option__word(row, i) && used < MRL_OPTION_VALUE_BYTES; i++)
        used += (size_t)snprintf(text + used, MRL_OPTION_VALUE_BYTES - used, "%s%s", i ? "|" : "",
                                 mrl_option__word(row, i));
    return text;
}

size_t mrl_option_value__size(const struct mrl_option *row)
{
    return row->type == MRL_OPTION_COPY ? row->size : types[row->type].size;
}

int mrl_option_value__put(const struct mrl_option *row,
                          void *member,
                          const char *text,
                          struct mrl_error *error)
{
    return types[row->type].put(row, member, text, error);
}
