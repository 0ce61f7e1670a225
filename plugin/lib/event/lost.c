// SPDX-License-Identifier: Apache-2.0
/* A gap in the stream, as an event. It names no task: the strict keys hold 0 and "". */
#include "event/lost.h"

#include <assert.h>
#include <mrelease/plugin.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define KERNEL(member) offsetof(struct mrl_event_counters, member)
#define COUNTS(member) offsetof(struct mrl_event_counts, member)

static const struct mrl_cause_def causes[MRL_CAUSE_COUNT] = {
    [MRL_CAUSE_RING_FULL] = { "ring_full", KERNEL(refused), COUNTS(refused), true },
    [MRL_CAUSE_NO_MEMORY] = { "no_memory", KERNEL(no_memory), COUNTS(no_memory), false },
    [MRL_CAUSE_MALFORMED] = { "malformed", MRL_UNCOUNTED, COUNTS(malformed), false },
    [MRL_CAUSE_EXIT_MISSED] = { "exit_missed", KERNEL(exit_missed), COUNTS(exit_missed), false },
    [MRL_CAUSE_SUPPRESSED] = { "suppressed", KERNEL(suppressed), COUNTS(suppressed), true },
    [MRL_CAUSE_QUEUE_FULL] = { "queue_full", MRL_UNCOUNTED, MRL_UNCOUNTED, false },
    [MRL_CAUSE_WRITE_FAILED] = { "write_failed", MRL_UNCOUNTED, MRL_UNCOUNTED, false },
    [MRL_CAUSE_SPOOL_FULL] = { "spool_full", MRL_UNCOUNTED, MRL_UNCOUNTED, false },
    [MRL_CAUSE_SPOOL_DAMAGED] = { "spool_damaged", MRL_UNCOUNTED, MRL_UNCOUNTED, false },
};

const struct mrl_cause_def *mrl_cause_def__of(enum mrl_cause cause)
{
    return &causes[cause];
}

struct mrl_text mrl_cause__name(enum mrl_cause cause)
{
    return (struct mrl_text){ causes[cause].name, strlen(causes[cause].name) };
}

enum mrl_cause mrl_cause__find(const char *name, size_t size)
{
    unsigned int cause = 0;

    while (cause < MRL_CAUSE_COUNT &&
           (strnlen(name, size) != strlen(causes[cause].name) ||
            memcmp(name, causes[cause].name, strlen(causes[cause].name)) != 0))
        cause++;
    return (enum mrl_cause)cause;
}

struct mrl_text mrl_blame__comm(const struct mrl_blame *blame)
{
    return (struct mrl_text){ blame->latest.comm, strnlen(blame->latest.comm, MRL_NAME_BYTES) };
}

const char *mrl_lost__who(const struct mrl_lost *lost, char text[MRL_LOST_WHO_BYTES])
{
    struct mrl_text comm = mrl_blame__comm(&lost->by);

    snprintf(text, MRL_LOST_WHO_BYTES,
             "events are lost (%s): most calls come from uid %u, of late %.*s in cgroup %llu",
             mrl_cause__name(lost->cause).bytes, lost->by.uid, (int)comm.size, comm.bytes,
             (unsigned long long)lost->by.latest.cgroup_id);
    return text;
}

void mrl_lost__event(const struct mrl_lost *lost,
                     struct mrl_value values[MRL_LOST_FIELDS],
                     struct mrl_event *ret_event)
{
    const struct mrl_raw raw = { .lost = lost };

    mrl_raw__make_event(&raw, MRL_EVENT_EVENTS_LOST, lost->to_ns, values, ret_event);
}

void mrl_lost__append(const struct mrl_lost *lost, struct mrl_batch *batch)
{
    struct mrl_lost *copy = mrl_arena__take(&batch->arena, sizeof(*copy));
    struct mrl_value *values = mrl_arena__take(&batch->arena, MRL_LOST_FIELDS * sizeof(*values));

    assert(copy && values);
    *copy = *lost;
    mrl_lost__event(copy, values, &batch->events[batch->count++]);
}
