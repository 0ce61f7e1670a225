// SPDX-License-Identifier: Apache-2.0
/* The extras, one row each. */
#include <errno.h>
#include <mrelease/extra.h>
#include <mrelease/option.h>
#include <string.h>

#include "event/field_groups.h"
#include "event/kind.h"

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

/* -- windows into what the record tells beyond its fields ------------------------------------- */

/* A record without it is of a source that did not look, like a capture made without this extra. */
static void copy_more(const struct mrl_event *event,
                      unsigned int at,
                      unsigned int count,
                      struct mrl_value *values)
{
    for (unsigned int i = 0; i < count; i++)
        if (event->field_groups)
            values[i] = event->field_groups[at + i];
        else
            values[i].absent = true;
}

enum {
    TARGET_COUNT = MRL_OUTCOME_AT - MRL_TARGET_AT,
    OUTCOME_COUNT = MRL_BYTES_AT - MRL_OUTCOME_AT,
    BYTES_COUNT = MRL_TIME_AT - MRL_BYTES_AT,
    TIME_COUNT = MRL_RELEASE_COUNT - MRL_TIME_AT,
};

static void compute_target(const struct mrl_event *event, struct mrl_value *values)
{
    copy_more(event, MRL_TARGET_AT, TARGET_COUNT, values);
}

static void compute_outcome(const struct mrl_event *event, struct mrl_value *values)
{
    copy_more(event, MRL_OUTCOME_AT, OUTCOME_COUNT, values);
}

static void compute_bytes(const struct mrl_event *event, struct mrl_value *values)
{
    copy_more(event, MRL_BYTES_AT, BYTES_COUNT, values);
}

static void compute_time(const struct mrl_event *event, struct mrl_value *values)
{
    copy_more(event, MRL_TIME_AT, TIME_COUNT, values);
}

static void compute_locks(const struct mrl_event *event, struct mrl_value *values)
{
    copy_more(event, 0, MRL_LOCKS_COUNT, values);
}

/* -- the table -------------------------------------------------------------------------------- */

#define RELEASE (1U << MRL_EVENT_PROCESS_MRELEASE)
#define MLOCKS                                                                    \
    (1U << MRL_EVENT_MLOCK | 1U << MRL_EVENT_MUNLOCK | 1U << MRL_EVENT_MLOCKALL | \
     1U << MRL_EVENT_MUNLOCKALL | 1U << MRL_EVENT_MLOCK2)

static const struct mrl_extra extras[] = {
    { "seq", "Number of the record in its stream: lets 'mrelease verify' prove a file complete.",
      seq_fields, sizeof(seq_fields) / sizeof(seq_fields[0]),
      RELEASE | 1U << MRL_EVENT_DO_MRELEASE | MLOCKS, 0, false, compute_seq },
    { "target", "The process that the call was aimed at, whatever came of it.",
      mrl_release_fields + MRL_TARGET_AT, TARGET_COUNT, RELEASE, MRL_NEED_TARGET, false,
      compute_target },
    { "bytes", "The memory of that process before and after the call.",
      mrl_release_fields + MRL_BYTES_AT, BYTES_COUNT, RELEASE, MRL_NEED_TARGET, false,
      compute_bytes },
    { "outcome", "What the call came to, and why it failed.", mrl_release_fields + MRL_OUTCOME_AT,
      OUTCOME_COUNT, RELEASE, MRL_NEED_TARGET, false, compute_outcome },
    { "time", "How long the call took, and how long ago its target was killed.",
      mrl_release_fields + MRL_TIME_AT, TIME_COUNT, RELEASE, MRL_NEED_TARGET | MRL_NEED_KILL, false,
      compute_time },
    { "mlock", "What the caller has locked, what it may lock, and the flags by name.",
      mrl_locks_fields, MRL_LOCKS_COUNT, MLOCKS, MRL_NEED_LOCKS, false, compute_locks },
    { "exe", "Path of the caller's executable, in executable.path.", NULL, 0, 0, 0, true, NULL },
};

enum { EXTRA_COUNT = sizeof(extras) / sizeof(extras[0]) };

const struct mrl_extra *mrl_extra__all(unsigned int *ret_count)
{
    *ret_count = EXTRA_COUNT;
    return extras;
}

bool mrl_extra__fits(const struct mrl_extra *extra, const struct mrl_event_def *def)
{
    return extra->events & (1U << def->index);
}

uint32_t mrl_extras__needs(uint32_t chosen)
{
    uint32_t needs = 0;

    for (unsigned int i = 0; i < EXTRA_COUNT; i++)
        if (chosen & (1U << i))
            needs |= extras[i].needs;
    return needs;
}

const char *mrl_extra__name(unsigned int index)
{
    return index < EXTRA_COUNT ? extras[index].name : NULL;
}

int mrl_extras__parse(const char *list, uint32_t *ret_extras, struct mrl_error *error)
{
    static const struct mrl_option row = { .name = "extra",
                                           .type = MRL_OPTION_SET,
                                           .word = mrl_extra__name };

    return mrl_option__set(&row, ret_extras, list, error);
}
