/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which calls are watched now. Every system call of the host asks this, so it must stay cheap. */
#ifndef MRL_PROGRAMS_WATCHED_H
#define MRL_PROGRAMS_WATCHED_H

#include "lib/settings.h"
#include "lib/syscall.h"

/* Which of the loaded events are watched, a bit each: set once both probes of the call are
 * attached, and cleared before they are detached. watched_since is the time (CLOCK_BOOTTIME)
 * from which on each call is watched. State of a task that is older comes from before a gap, and
 * is not believed. While the probes are set up the time is the latest there is: all state is
 * older. */
__u32 watched;
__u64 watched_since[MRL_EVENTS_MAX];

/* Fixed at the load: the verifier drops what cannot be. */
static __always_inline bool can_be_chosen(int event)
{
    return settings.events & (1U << event);
}

static __always_inline bool chosen(int event)
{
    return can_be_chosen(event) && watched & (1U << event);
}

/* Of a call that a record names. */
static __always_inline bool is_watched(__u32 event)
{
    __u32 events = 1U << (event & (MRL_EVENTS_MAX - 1));

    if (event == MRL_EVENT_PROCESS_MRELEASE)
        events |= 1U << MRL_EVENT_DO_MRELEASE;
    return watched & events;
}

static __always_inline __u64 since(__u32 event)
{
    asm volatile("" : "+r"(event)); /* the mask is the verifier's bound */
    return watched_since[event & (MRL_EVENTS_MAX - 1)];
}

/* Every call of the host asks this: it is a few comparisons, and calls no helper. */
static __always_inline bool may_be_watched(long number)
{
    return native_event(number) >= 0 || compat_event(number) >= 0;
}

/* -1 for a call of another event, or of one that was not chosen. */
static __always_inline int watched_event(struct task_struct *task, long number, bool *compat)
{
    int event;

    *compat = task_is_compat(task);
    event = *compat ? compat_event(number) : native_event(number);
    if (event < 0)
        return -1;
    if (event == MRL_EVENT_PROCESS_MRELEASE && chosen(MRL_EVENT_DO_MRELEASE))
        return event;
    return chosen(event) ? event : -1;
}

#endif
