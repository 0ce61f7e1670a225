/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which calls are followed now. Every system call of the host asks this, so it must stay cheap. */
#ifndef MRL_PROGRAMS_WATCHED_H
#define MRL_PROGRAMS_WATCHED_H

#include "lib/config.h"
#include "lib/settings.h"
#include "lib/syscall.h"

/* The time (CLOCK_BOOTTIME) from which on each call is followed. State of a task that is older
 * comes from before a gap, and is not believed. While the probes are set up the time is the latest
 * there is: all state is older. */
__u64 followed_since[MRL_EVENTS_MAX];

/* Fixed at the load: the verifier drops what cannot be. */
static __always_inline bool can_be_chosen(int event)
{
    return settings.events & (1U << event);
}

static __always_inline bool can_be_followed(int event)
{
    return can_be_chosen(event) ||
           (event == MRL_EVENT_PROCESS_MRELEASE && can_be_chosen(MRL_EVENT_DO_MRELEASE));
}

/* The policies that want an event at all. */
static __always_inline __u64 wanted_by(const struct mrl_config *config, int event)
{
    return can_be_chosen(event) ? config->policies[event & (MRL_EVENTS_MAX - 1)] : 0;
}

/* Of a call that a record names. */
static __always_inline bool is_followed(__u32 event)
{
    return configs.followed & (1U << (event & (MRL_EVENTS_MAX - 1)));
}

static __always_inline __u64 since(__u32 event)
{
    asm volatile("" : "+r"(event)); /* the mask is the verifier's bound */
    return followed_since[event & (MRL_EVENTS_MAX - 1)];
}

/* Every call of the host asks this: it is a few comparisons, and calls no helper. */
static __always_inline bool may_be_watched(long number)
{
    return native_event(number) >= 0 || compat_event(number) >= 0;
}

/* -1 for a call of another event, or of one that is not followed. */
static __always_inline int followed_event(struct task_struct *task, long number, bool *compat)
{
    int event;

    *compat = task_is_compat(task);
    event = *compat ? compat_event(number) : native_event(number);
    return event >= 0 && can_be_followed(event) && is_followed(event) ? event : -1;
}

#endif
