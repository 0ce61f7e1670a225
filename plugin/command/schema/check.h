/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Lines of JSON held against the schema of a dialect: by the fast path where it is certain, by the
 * validator otherwise.
 */
#ifndef MRL_COMMAND_SCHEMA_CHECK_H
#define MRL_COMMAND_SCHEMA_CHECK_H

#include "command/schema/judge.h"
#include "command/schema/schema.h"

/** Bytes of the longest line, without its newline. Tracee's own reader stops at a longer one. */
#define MRL_LINE_MAX ((size_t)64 * 1024 - 1)

/** A dialect's schema, ready to judge. Belongs to one thread at a time. */
struct mrl_check;

/** `*ret_check` is new. Error: -ENOMEM, with a line in `error`. */
int mrl_check__new(const struct mrl_dialect *dialect,
                   struct mrl_error *error,
                   struct mrl_check **ret_check);

/**
 * Judges a line without its newline. Returns 1 when it is valid; 0 when not, and then fills
 * `*ret_fault`; -ENOMEM. A carriage return at the end is blank, as everywhere in JSON.
 */
int mrl_check__line(struct mrl_check *check,
                    const char *line,
                    size_t size,
                    struct mrl_fault *ret_fault);

/** The same without the fast path, for tests and benchmarks. */
int mrl_check__line_slowly(struct mrl_check *check,
                           const char *line,
                           size_t size,
                           struct mrl_fault *ret_fault);

/** The schema that is checked against; borrowed. */
const struct mrl_schema *mrl_check__schema(const struct mrl_check *check);

/** NULL is allowed. */
void mrl_check__free(struct mrl_check *check);

#endif
