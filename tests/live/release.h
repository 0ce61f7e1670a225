/* SPDX-License-Identifier: Apache-2.0 */
/* The event do_mrelease. */
#ifndef MRL_LIVE_RELEASE_H
#define MRL_LIVE_RELEASE_H

#include "lines.h"
#include "script.h"

/** Room for the small memory that a forked process touches by itself. */
#define RELEASE_SMALL_BYTES ((uint64_t)4 << 20)

/** The first call of the script that succeeded in releasing; the test fails when none did. */
const struct call *release__call(const struct script *script);

/** The do_mrelease of that call. */
const struct line *release__find(const struct lines *lines,
                                 const struct script *script,
                                 const struct call *call);

/** A field by name; the test fails when it is absent. */
uint64_t release__number(const struct line *line, const char *name);
const char *release__text(const struct line *line, const char *name);

/** Whether it is null. */
bool release__is_absent(const struct line *line, const char *name);

/** All that a call knows of its do_mrelease: 31 keys, 26 fields by name and type, the arguments,
 * the duration. */
void assert_release(const struct line *line, const struct call *call);

/** Who was released. `seen_pid`: its number for the caller. */
void assert_release_target(const struct line *line, const struct victim *victim, uint32_t seen_pid);

/** What came back, against what the victim touched and what /proc said of it. */
void assert_release_bytes(const struct line *line, const struct victim *victim);

/** For a script: a victim is released and buried. */
void release__act(struct script *script);

/** Runs a script while `events` are watched, and reads what came. */
const struct lines *release__run(const char *events,
                                 struct script *script,
                                 void (*act)(struct script *script));

/** The same with --extra `extras`. */
const struct lines *release__run_extra(const char *extras,
                                       const char *events,
                                       struct script *script,
                                       void (*act)(struct script *script));

/** The release of the script's victim, with all that holds of each but the amounts. */
const struct line *assert_released(const struct lines *lines,
                                   const struct script *script,
                                   uint32_t seen_pid);

#endif
