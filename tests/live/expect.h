/* SPDX-License-Identifier: Apache-2.0 */
/* What a line must say about a call. */
#ifndef MRL_LIVE_EXPECT_H
#define MRL_LIVE_EXPECT_H

#include "lines.h"
#include "script.h"

/** The 31 keys in their order, and each value but those of args, against what the caller knew.
 * `event` and `id` are those of the line. */
void assert_common(const struct line *line,
                   const struct call *call,
                   const char *event,
                   const char *id,
                   unsigned int arg_count);

/** The whole line of a call: assert_common(), and the arguments by name, type and value. */
void assert_event(const struct line *line, const struct call *call);

/**
 * Every call of the script has its line, and its tasks have no other lines but do_mrelease ones;
 * calls marked as unseen have none.
 */
void assert_script(const struct lines *lines, const struct script *script);

/** Epoch minus boot clock, in nanoseconds, from the two reads that lie closest together. */
uint64_t expect__boot_ns(void);

/** An argument object: its keys in order, its name and its type. Returns its value. */
json_t *assert_argument(json_t *args, unsigned int index, const char *name, const char *type);

/** The line of this call of the script. */
const struct line *line_of_call(const struct lines *lines,
                                const struct script *script,
                                const struct call *call);

#endif
