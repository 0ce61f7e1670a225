/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A JSON Schema validator (draft 7): valijson, a C++ library, behind C. Nothing of C++ passes this
 * header, no exception either.
 */
#ifndef MRL_COMMAND_SCHEMA_JUDGE_H
#define MRL_COMMAND_SCHEMA_JUDGE_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <stddef.h>

MRL_BEGIN_DECLARATIONS

/** A schema made ready. Belongs to one thread at a time. */
struct mrl_judge;

/** What is wrong with a text. */
struct mrl_fault {
    /** JSON pointer (RFC 6901) to the value; "" is the whole. Cut where it is longer. */
    char pointer[256];
    /** One line. */
    char reason[256];
};

/** What a text may be beside JSON as RFC 8259 and UTF-8 have it. */
enum mrl_judge_rules {
    /** Anything that the JSON parser takes. */
    MRL_RULES_JSON,
    /**
     * What a line of events may be: no key twice, integers only (neither fraction nor exponent) and
     * none beyond 64 bits, no U+0000, no half of a surrogate pair, no more than MRL_DEPTH_MAX
     * levels.
     */
    MRL_RULES_LINE,
};

enum { MRL_DEPTH_MAX = 32 };

/**
 * Makes a schema ready. `*ret_judge` is new. Errors: -EINVAL with a line in `error`, when it is no
 * schema, or refers to another document; -ENOMEM.
 */
int mrl_judge__new(const char *schema,
                   size_t size,
                   struct mrl_error *error,
                   struct mrl_judge **ret_judge);

/**
 * Judges a text. Returns 1 when it is valid; 0 when not, and then fills `*ret_fault`; or a negative
 * errno: -ENOMEM, and -EINVAL when a pattern of the schema is no regular expression.
 */
int mrl_judge__check(struct mrl_judge *judge,
                     const char *text,
                     size_t size,
                     enum mrl_judge_rules rules,
                     struct mrl_fault *ret_fault);

/** NULL is allowed. */
void mrl_judge__free(struct mrl_judge *judge);

MRL_END_DECLARATIONS

#endif
