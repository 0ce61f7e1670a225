/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON dialects, as far as schemas know them. One row each. */
#ifndef MRL_COMMAND_SCHEMA_DIALECT_H
#define MRL_COMMAND_SCHEMA_DIALECT_H

#include <mrelease/encode.h>

#include "command/schema/shape.h"

/** A dialect. Static. */
struct mrl_dialect {
    /** As the format of the same name. */
    const char *name;
    /** One sentence. */
    const char *doc;
    /** Rises with any change that can break a reader: see docs/validate.md. */
    unsigned int version;
    /** The key under which an event's name lies, with dots between objects. */
    const char *name_key;
    /** What no line of another dialect has; NULL: it is told by its types. */
    const char *mark;
    /** Type string of a kind where the dialect has such strings, or NULL. */
    const char *(*type_of)(const struct mrl_kind *kind);
    /** The shape of a line of this event. */
    struct mrl_shape (*line_shape)(struct mrl_shape_pool *pool, const struct mrl_event_def *def);
};

extern const struct mrl_dialect mrl_dialect_v0_23, mrl_dialect_v0_24, mrl_dialect_v1beta1;
extern const struct mrl_dialect mrl_dialect_ecs, mrl_dialect_ocsf;

/** The known dialects. */
const struct mrl_dialect *const *mrl_dialect__all(unsigned int *ret_count);

/** The name of the dialect at `index`; NULL after the last. */
const char *mrl_dialect__name(unsigned int index);

/** mrl_option.parse of an option whose member is a const struct mrl_dialect *. */
int mrl_dialect__parse(void *member, const char *name, struct mrl_error *error);

/**
 * The dialect of a line, told from a key that only one has, or from its time stamp and its first
 * type string, whatever else the line
 * may be. NULL: it does not tell, as an event without arguments is the same in both of Tracee's
 * classic dialects.
 */
const struct mrl_dialect *mrl_dialect__detect(const char *line, size_t size);

#endif
