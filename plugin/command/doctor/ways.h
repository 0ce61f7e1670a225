/* SPDX-License-Identifier: Apache-2.0 */
/* The ways that a process has into the call, and round it: a row each, gone by a child. */
#ifndef MRL_COMMAND_DOCTOR_WAYS_H
#define MRL_COMMAND_DOCTOR_WAYS_H

#include <mrelease/event.h>

/** What the kernel makes of a call that comes by a way: that decides which probes see it. */
enum mrl_way_kind {
    MRL_WAY_RUNS,    /* it runs the native call */
    MRL_WAY_FOREIGN, /* it runs the call of another architecture */
    MRL_WAY_REFUSED, /* something else answers before it would run: seen at its exit alone */
    MRL_WAY_NOTHING, /* it is handed back: there is no call to see */
};

struct mrl_way {
    const char *name;
    enum mrl_way_kind kind;
    /** In a child that may do with itself what it wants: makes the call by mrl_way__call() or the
     * like. 0, or -errno of what this machine or our rights do not offer. */
    int (*go)(unsigned long argument);
    unsigned long argument;
    /** Why it is not possible, where it is not. */
    const char *closed;
};

enum { MRL_WAYS_MAX = 40, MRL_WAY_REASON_BYTES = 120, MRL_WAY_TAG_BYTES = 16 };

/** The names (comm) of all that go a way begin so: for a scope. */
#define MRL_WAY_TAG "mrl-way-"

/** The ways into the kernel that each rung is asked for: the first ones of mrl_ways__all(). */
enum mrl_way_index { MRL_WAY_NATIVE, MRL_WAY_COMPAT, MRL_WAY_BLOCKED, MRL_WAY_COUNT };

/** The rows. The first three are those that each rung is asked for: mrl_way_index. Static. */
const struct mrl_way *mrl_ways__all(unsigned int *ret_count);

/** How a way was gone. */
struct mrl_trip {
    bool made;                         /* there was a call, for the kernel to look at */
    char reason[MRL_WAY_REASON_BYTES]; /* else: why it was not possible here */
    char tag[MRL_WAY_TAG_BYTES];       /* the caller's name; nobody else's on this host */
};

/**
 * Goes the way at `index` once, in a child, and waits for its end. The calls carry the mark of a
 * trial, which other sensors leave out, where we have the rights for it.
 */
void mrl_way__go(unsigned int index, struct mrl_trip *ret_trip);

/** Whether an event is that of a trip. */
bool mrl_trip__is(const struct mrl_trip *trip, const struct mrl_event *event);

/** Whether it holds the arguments that the kernel was given. */
bool mrl_trip__has_arguments(const struct mrl_way *way, const struct mrl_event *event);

/* -- for who goes ----------------------------------------------------------------------------- */

/** The flags of every native call: what the kernel refuses. */
enum { MRL_WAY_FLAGS = 0x57a4 };

/** From here on the trip counts as made. */
void mrl_way__set_out(void);

/** The native call. Returns its result, or -errno. */
long mrl_way__call(void);

/** The call number `number` with our arguments, and other flags. */
long mrl_way__call_as(long number, unsigned long flags);

/** The number of the call. */
long mrl_way__number(void);

/* The ways themselves, by what they are about: ways_plain.c, ways_seccomp.c, ways_tracer.c. */
int mrl_way__native(unsigned long argument);
int mrl_way__compat(unsigned long argument);
int mrl_way__x32(unsigned long argument);
int mrl_way__thread(unsigned long argument);
int mrl_way__vfork(unsigned long argument);
int mrl_way__signal(unsigned long argument);
int mrl_way__dispatch(unsigned long argument);
int mrl_way__io_uring(unsigned long argument);
int mrl_way__namespace(unsigned long flag);
int mrl_way__filter(unsigned long answer);
int mrl_way__supervisor(unsigned long response);
int mrl_way__killed(unsigned long argument);
int mrl_way__tracer(unsigned long what);

/** What a tracer does to the call of its tracee. */
enum mrl_tracing {
    MRL_TRACES_NUMBER,
    MRL_TRACES_ARGUMENTS,
    MRL_TRACES_RESULT,
    MRL_TRACES_SIGNAL,
    MRL_TRACES_KILL,
};

#endif
