/* SPDX-License-Identifier: Apache-2.0 */
/* Releases, and the outcome that is told of each. */
#ifndef MRL_TESTS_LIVE_WHY_H
#define MRL_TESTS_LIVE_WHY_H

#include "harness.h"
#include "release.h"

#define EXTRAS "target,bytes,outcome,time"

/** The line of a call of the script, by its number. */
const struct line *why__line(const struct lines *lines,
                             const struct script *script,
                             unsigned int call);

/** Ends the test unless the line of the call has its result, and this outcome. */
void why__assert(const struct lines *lines,
                 const struct script *script,
                 unsigned int call,
                 const char *outcome);

/** Calls process_mrelease(). */
struct call *why__release(struct script *script, uint64_t pidfd, uint64_t flags);

/** What is told of process_mrelease, with all extras, while the script acts. */
const struct lines *why__run(struct script *script, void (*act)(struct script *script));

#endif
