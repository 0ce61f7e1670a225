/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event before it has values: the checked parts of its record, and what user space knows of the
 * host. The functions that compute fields (values.c) read nothing else.
 */
#ifndef MRL_EVENT_RAW_H
#define MRL_EVENT_RAW_H

#include <abi/record.h>
#include <mrelease/event.h>
#include <stdbool.h>

struct mrl_arena;
struct mrl_host;

/** Who lost events: causes of the kernel's side first, then those of an output. */
enum mrl_cause {
    MRL_CAUSE_RING_FULL,
    MRL_CAUSE_NO_MEMORY,
    MRL_CAUSE_MALFORMED,
    MRL_CAUSE_EXIT_MISSED,
    MRL_CAUSE_SUPPRESSED,
    MRL_CAUSE_QUEUE_FULL,
    MRL_CAUSE_WRITE_FAILED,
    MRL_CAUSE_SPOOL_FULL,
    MRL_CAUSE_SPOOL_DAMAGED,
    MRL_CAUSE_COUNT,
    MRL_CAUSE_GAPS = MRL_CAUSE_SPOOL_FULL, /* those before it make gaps between lines */
};

/** What events_lost calls a cause, and which counters have it. */
struct mrl_cause_def {
    const char *name;
    size_t in_kernel; /* offset into struct mrl_event_counters, or MRL_UNCOUNTED */
    size_t in_counts; /* the same into struct mrl_event_counts */
    bool leaves_hole; /* what is lost has a number: a hole shows where */
};

#define MRL_UNCOUNTED SIZE_MAX

/** The row of a cause. Static. */
const struct mrl_cause_def *mrl_cause_def__of(enum mrl_cause cause);

/** The counter at an offset, of counters that are u64 throughout. */
static inline uint64_t *mrl_counter__at(void *counters, size_t offset)
{
    return (uint64_t *)((char *)counters + offset);
}

/** What events_lost calls it. Static. */
struct mrl_text mrl_cause__name(enum mrl_cause cause);

/** The cause of this name, which need not end with a NUL; MRL_CAUSE_COUNT: none. */
enum mrl_cause mrl_cause__find(const char *name, size_t size);

/** Who caused most of a loss. Zeroed: that is not known. */
struct mrl_blame {
    bool is_known;
    uint32_t uid; /* the owner's (abi/share.h) */
    struct mrl_culprit latest;
};

/** A gap in the stream. Times are ns since the epoch. */
struct mrl_lost {
    const struct mrl_event_def *event;
    uint64_t count;
    enum mrl_cause cause;
    uint64_t from_ns, to_ns;
    struct mrl_blame by;
};

struct mrl_state;

/** All pointers are borrowed; those that do not apply are NULL. */
struct mrl_raw {
    const struct mrl_record *record;
    const struct mrl_judgement *judgement; /* NULL: recorded before there were any */
    const struct mrl_target *look;   /* what the probes saw behind the descriptor, if they looked */
    const struct mrl_target *target; /* the same where they found a process */
    const struct mrl_locks *locks;
    struct mrl_text
        target_path; /* components of the target's path, innermost first, NUL after each */
    struct mrl_text caller_path; /* the same of the caller; empty: not recorded */
    const struct mrl_lost *lost;
    const struct mrl_state *state;
    struct mrl_host *host;   /* clock, containers */
    struct mrl_arena *arena; /* room for texts that are computed */
};

/** MRL_FIELDS_OF_…: how many fields the row of an event of our own has. */
#define F(kind, name, tags, from, doc) +1
#define MRL_SYSCALL_EVENT(symbol, ...)
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, about, doc, fields) \
    MRL_FIELDS_OF_##symbol = 0 fields,
enum mrl_fields_of_own_events {
#include <abi/events.def>
};
#undef F

/** Computes a field; value is zeroed. Sets absent where nothing is known. */
typedef void (*mrl_value_fn)(const struct mrl_raw *raw, struct mrl_value *value);

/* One function per VIA(…) in events.def and extras.def. */
#define ARG(n)
#define TARGET(member)
#define EVENT(member)
#define VIA(name)                      mrl_value_name(name)
#define mrl_value_name(name)           void mrl_value__##name(const struct mrl_raw *, struct mrl_value *);
#define F(kind, name, tags, from, doc) from
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, reads, about, doc, fields)                                    \
    fields
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, about, doc, fields) fields
#define MRL_EXTRA(symbol, name, of, needs, fills, states, doc, fields)                    fields
/* clang-format off */
#include <abi/events.def>
#include <abi/extras.def>
/* clang-format on */
#undef ARG
#undef TARGET
#undef EVENT
#undef VIA
#undef F

/** Where a field's value comes from: the user-space half of a row's `from`. */
struct mrl_from {
    enum { MRL_FROM_ARG, MRL_FROM_TARGET, MRL_FROM_EVENT, MRL_FROM_FUNCTION } where;
    unsigned int offset; /* argument number, or offset into struct mrl_target or mrl_event */
    unsigned int size;   /* of the member there */
    mrl_value_fn compute;
};

/* How tables of sources write the `from` of a row. */
#define MRL_FROM_ARGUMENT(n) { MRL_FROM_ARG, n, 0, NULL },
#define MRL_FROM_MEMBER(where, object, member) \
    { where, offsetof(object, member), sizeof(((object *)0)->member), NULL },
#define MRL_FROM_VALUE_OF(name) { MRL_FROM_FUNCTION, 0, 0, mrl_value__##name },

/** The sources of the fields of the event at `index`, in the order of its fields. */
const struct mrl_from *mrl_event_def__from(unsigned int index);

/** Makes the event at `index`, one of our own, which has no record and names no task: of the gap or
 * the state in `raw`, whose values it computes. `*ret_event` borrows both, and `values`. */
void mrl_raw__make_event(const struct mrl_raw *raw,
                         unsigned int index,
                         uint64_t time_ns,
                         struct mrl_value *values,
                         struct mrl_event *ret_event);

#endif
