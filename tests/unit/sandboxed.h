/* SPDX-License-Identifier: Apache-2.0 */
/* Children that enter the sandbox, for its tests. */
#ifndef MRL_TESTS_SANDBOXED_H
#define MRL_TESTS_SANDBOXED_H

#include <stdbool.h>
#include <stdint.h>

#include "side/common/sandbox.h"
#include "side/common/sandbox_calls.h"

/* As `mrelease run` with an output that switches events, and without a network. */
#define SANDBOXED_RUN                                                                       \
    (MRL_CALLS_READ | MRL_CALLS_WRITE | MRL_CALLS_BPF | MRL_CALLS_PROBES | MRL_CALLS_PERF | \
     MRL_CALLS_PROVE)

/* A sanitizer makes calls that no profile lists. */
#ifdef MRL_SANITIZED
#    define skip_where_refusals_are_logged() \
        skip_because("under a sanitizer refusals are logged, and no more")
#else
#    define skip_where_refusals_are_logged() ((void)0)
#endif

/** Runs `act` in a child, which it may end; fails the test where that ends other than with 0. */
void sandboxed__run(void (*act)(void));

/** In the child: what is wrong ends it. */
void sandboxed__want(bool holds, const char *what, long number);

#define WANT(condition) sandboxed__want(condition, #condition, 0)

/** In the child: enters, with the directory below, and /proc/self to read. */
void sandboxed__enter(uint32_t calls, uint64_t capabilities);

/** Whether a system call is answered with EPERM; `first` is its first argument, the others are -1.
 */
bool sandboxed__refuses(long number, long first);

/** Where files may be made; and its beginning and end, for a group of tests. */
extern char sandboxed_directory[];
int sandboxed__set_up(void **state);
int sandboxed__tear_down(void **state);

#endif
