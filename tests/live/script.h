/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A script: what a child of the test does. Each call that it makes is written down in shared memory
 * with all that the caller knows of itself at that moment, for the assertions to compare with.
 */
#ifndef MRL_LIVE_SCRIPT_H
#define MRL_LIVE_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "caller.h"
#include "event.h"
#include "victim.h"

enum { CALLS_MAX = 128, FAILURE_BYTES = 256 };

/** A call as its caller saw it; also what its event must say. */
struct call {
    const struct event_row *event;
    uint64_t args[ARGS_MAX];      /* registers, as passed */
    int64_t result;               /* 0 or -errno */
    uint64_t before_ns, after_ns; /* CLOCK_REALTIME */
    unsigned int cpu;
    bool compat;
    bool unseen; /* the sensor must not report it */
    struct caller caller;
};

struct script {
    unsigned int cpu; /* everything runs there */
    unsigned int count;
    struct call calls[CALLS_MAX];
    struct victim victim;
    /* Runs once, in the child, between a native call's first look at the clock and the call. */
    void (*last_moment)(struct script *script);
    char failure[FAILURE_BYTES];
};

/** Shared with children; zeroed. Valid until the test ends. */
struct script *script__new(void);

/** Runs `act` in a child of the test and waits for it; the test fails when the child does. */
void script__run(struct script *script, void (*act)(struct script *script));

/** The same in two steps. */
pid_t script__start(struct script *script, void (*act)(struct script *script));
void script__wait(const struct script *script, pid_t child);

/* What follows is for act(), in the child. */

/** Ends the child as failed; the text and errno are shown by the test. */
__attribute__((noreturn)) void script__fail(struct script *script, const char *text);

/** Fails unless `truth`. */
void script__check(struct script *script, bool truth, const char *text);

/** Makes a native call and writes it down. Returns it. */
struct call *script__call(
    struct script *script, const char *event, uint64_t arg0, uint64_t arg1, uint64_t arg2);

/** The same by its number of x32. */
struct call *script__call_x32(
    struct script *script, const char *event, uint64_t arg0, uint64_t arg1, uint64_t arg2);

/** Makes a 32-bit call. */
struct call *script__call_compat(
    struct script *script, const char *event, uint32_t arg0, uint32_t arg1, uint32_t arg2);

/** Forks, and runs `act` in the child. Waits for it, and fails when it failed. */
void script__fork(struct script *script, void (*act)(struct script *script));

/** Runs `act` in another thread of this process, and waits for it. */
void script__thread(struct script *script, void (*act)(struct script *script));

#endif
