/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The schema of a dialect: its text (draft 7), and the fast path that knows most valid lines
 * without a validator. Both come from the same shapes. Immutable once made: any thread.
 */
#ifndef MRL_COMMAND_SCHEMA_SCHEMA_H
#define MRL_COMMAND_SCHEMA_SCHEMA_H

#include "command/schema/dialect.h"

struct mrl_schema {
    const struct mrl_dialect *dialect;
    /** One per event of the table. */
    const struct mrl_shape *lines;
    void *memory;
};

/** Makes the schema; `*ret_schema` is new. Error: -ENOMEM. */
int mrl_schema__new(const struct mrl_dialect *dialect, struct mrl_schema **ret_schema);

/** The schema as indented JSON with a newline at its end: a new string, NULL without memory. */
char *mrl_schema__text(const struct mrl_schema *schema);

/** Writes "urn:mrelease:schema:DIALECT:VERSION", its $id. */
void mrl_schema__id(const struct mrl_dialect *dialect, char id[64]);

/**
 * Whether the line is certainly valid. It is written for lines as Tracee and this project print
 * them; for any other that is valid (blanks between tokens, keys in another order) the answer is
 * "not certain", as it is for those that are not valid.
 */
bool mrl_schema__surely_holds(const struct mrl_schema *schema, const char *line, size_t size);

/** NULL is allowed. */
void mrl_schema__free(struct mrl_schema *schema);

#endif
