// SPDX-License-Identifier: Apache-2.0
/* Option rows: finding one, setting it, and lists of settings. */
#include <assert.h>
#include <errno.h>
#include <mrelease/option.h>
#include <string.h>

#include "base/option_value.h"

enum { OPTIONS_MAX = 64, LIST_ITEM_BYTES = 512 };

/* -- rows ------------------------------------------------------------------------------------- */

int mrl_option__set(const struct mrl_option *row,
                    void *target,
                    const char *text,
                    struct mrl_error *error)
{
    char *member = (char *)target + row->offset;
    unsigned int *counter =
        row->counter ? (unsigned int *)(void *)((char *)target + row->counter) : NULL;
    int err;

    if (!text && row->type != MRL_OPTION_SWITCH)
        return mrl_error__set(error, -EINVAL, "%s needs a value", row->name);
    if (row->many && counter && *counter == row->many)
        return mrl_error__set(error, -EINVAL, "more than %u times", row->many);
    if (row->many && counter)
        member += *counter * mrl_option_value__size(row);
    err = row->parse ? row->parse(member, text, error) : 0;
    if (!err)
        err = mrl_option_value__put(row, member, text, error);
    if (!err && counter)
        ++*counter;
    return err;
}

void mrl_options__preset(const struct mrl_option *rows, unsigned int count, void *target)
{
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_option row = rows[i];

        row.counter = 0; /* nobody gave it */
        if (row.preset && !row.many && row.type != MRL_OPTION_OWN)
            mrl_option__set(&row, target, row.preset, NULL);
    }
}

bool mrl_option__is_former(const struct mrl_option *row,
                           const char *name,
                           struct mrl_error *warning)
{
    bool is_former = row->was && !strcmp(row->was, name);

    if (is_former)
        mrl_error__set(warning, 0,
                       "'%s' is called '%s' now: the old name goes with the next release", row->was,
                       row->name);
    return is_former;
}

/* The row, and in `*ret_target` what it fills. */
static const struct mrl_option *find(const struct mrl_option_group *groups,
                                     unsigned int group_count,
                                     const char *what,
                                     const char *name,
                                     void **ret_target,
                                     struct mrl_error *error)
{
    const char *names[OPTIONS_MAX];
    unsigned int count = 0;

    for (unsigned int g = 0; g < group_count; g++) {
        for (unsigned int i = 0; i < groups[g].count; i++) {
            *ret_target = groups[g].target;
            if (!strcmp(groups[g].rows[i].name, name))
                return &groups[g].rows[i];
            if (count < OPTIONS_MAX)
                names[count++] = groups[g].rows[i].name;
        }
    }
    mrl_error__unknown(error, what, name, names, count);
    return NULL;
}

const struct mrl_option *mrl_option__find(const struct mrl_option *rows,
                                          unsigned int count,
                                          const char *what,
                                          const char *name,
                                          struct mrl_error *error)
{
    const struct mrl_option_group group = { rows, count, NULL };
    void *target;

    for (unsigned int i = 0; i < count; i++)
        if (rows[i].was && !strcmp(rows[i].was, name))
            return &rows[i];
    return find(&group, 1, what, name, &target, error);
}

/* Items that were read already, of which each may be there once. */
struct list {
    const struct mrl_option_group *groups;
    unsigned int group_count;
    const char *what;
    const struct mrl_option *seen[OPTIONS_MAX];
    unsigned int seen_count;
};

static bool is_again(struct list *list, const struct mrl_option *row)
{
    for (unsigned int i = 0; i < list->seen_count; i++)
        if (list->seen[i] == row)
            return !row->many;
    if (list->seen_count < OPTIONS_MAX)
        list->seen[list->seen_count++] = row;
    return false;
}

/* "NAME=VALUE"; `item` is changed. */
static int read_item(struct list *list, char *item, struct mrl_error *error)
{
    char *value = strchr(item, '=');
    const struct mrl_option *row;
    struct mrl_error reason = { "" };
    void *target = NULL;
    int err;

    if (value)
        *value++ = '\0';
    row = find(list->groups, list->group_count, list->what, item, &target, error);
    if (!row)
        return -EINVAL;
    assert(row->type != MRL_OPTION_TEXT && row->type != MRL_OPTION_PATH); /* `item` goes */
    if (!value || !*value)
        return mrl_error__set(error, -EINVAL, "%s= needs a value", row->name);
    if (is_again(list, row))
        return mrl_error__set(error, -EINVAL, "%s= is given twice", row->name);
    err = mrl_option__set(row, target, value, &reason);
    return err ? mrl_error__set(error, err, "%s=: %s", row->name, reason.text) : 0;
}

int mrl_options__read(const struct mrl_option_group *groups,
                      unsigned int group_count,
                      const char *what,
                      const char *text,
                      size_t size,
                      struct mrl_error *error)
{
    struct list list = { .groups = groups, .group_count = group_count, .what = what };
    const char *end = text + size;
    char item[LIST_ITEM_BYTES];
    int err = 0;

    for (const char *at = text; size && !err && at <= end; at++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t length = (size_t)((comma ? comma : end) - at);

        if (length >= sizeof(item))
            return mrl_error__set(error, -EINVAL, "'%.64s...' is no %s", at, what);
        memcpy(item, at, length);
        item[length] = '\0';
        err = read_item(&list, item, error);
        at += length;
    }
    return err;
}
