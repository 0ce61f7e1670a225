// SPDX-License-Identifier: Apache-2.0
/* The extras, one row each. */
#include <errno.h>
#include <mrelease/extra.h>
#include <string.h>

#include "core/kind.h"

enum { NAME_BYTES = 32 };

/* -- seq -------------------------------------------------------------------------------------- */

static const struct mrl_field seq_fields[] = {
    { "seq", &mrl_kinds[MRL_KIND_U64], MRL_TAG_K,
      "Counts the records of this processorId and lane from 0; one that is missing was lost." },
    { "lane", &mrl_kinds[MRL_KIND_U32], MRL_TAG_K, "0: the rare events, 1: the mlock family." },
};

static void compute_seq(const struct mrl_event *event, struct mrl_value *values)
{
    values[0].unsigned_number = event->seq;
    values[1].unsigned_number = event->lane;
}

/* -- the table -------------------------------------------------------------------------------- */

#define FIELDS(array) array, sizeof(array) / sizeof((array)[0])

static const struct mrl_extra extras[] = {
    { "seq", "Number of the record in its stream: lets 'mrelease verify' prove a file complete.",
      FIELDS(seq_fields), false, compute_seq },
    { "exe", "Path of the caller's executable, in executable.path.", NULL, 0, true, NULL },
};

enum { EXTRA_COUNT = sizeof(extras) / sizeof(extras[0]) };

const struct mrl_extra *mrl_extra__all(unsigned int *ret_count)
{
    *ret_count = EXTRA_COUNT;
    return extras;
}

bool mrl_extra__fits(const struct mrl_event_def *def)
{
    return *def->syscall;
}

static int find(const char *name, unsigned int *ret_index, struct mrl_error *error)
{
    const char *names[EXTRA_COUNT];

    for (unsigned int i = 0; i < EXTRA_COUNT; i++) {
        names[i] = extras[i].name;
        if (!strcmp(extras[i].name, name)) {
            *ret_index = i;
            return 0;
        }
    }
    return mrl_error__unknown(error, "extra", name, names, EXTRA_COUNT);
}

int mrl_extras__parse(const char *list, uint32_t *ret_extras, struct mrl_error *error)
{
    char name[NAME_BYTES];
    uint32_t found = 0;
    unsigned int index = 0;
    size_t size;
    int err;

    for (const char *at = list;; at += size + 1) {
        size = strcspn(at, ",");
        if (!size || size >= sizeof(name))
            return mrl_error__set(error, -EINVAL, "'%.64s' is not a list of extras, like 'seq'",
                                  list);
        memcpy(name, at, size);
        name[size] = '\0';
        err = find(name, &index, error);
        if (err)
            return err;
        found |= 1U << index;
        if (!at[size])
            break;
    }
    *ret_extras = found;
    return 0;
}
