/* SPDX-License-Identifier: Apache-2.0 */
/* Within the translation of policies: texts that are tried with the library's own parser. */
#ifndef MRL_COMMAND_POLICY_TEXTS_H
#define MRL_COMMAND_POLICY_TEXTS_H

#include "command/policy/policy.h"

struct mrl_translation {
    struct mrl_policy_set *set;
    struct mrl_written_policy *policy;
    unsigned int faults; /* of the set, when it began */
    bool is_never;       /* what was added last can never hold, which was said */
};

/** Whether an event, a set or a prefix is one of this program; `prefix` is "" or "tag=". A '-' in
 * front is looked over. */
bool mrl_texts__knows_event(const char *prefix, const char *term);

/** Whether one word is another but for a letter or two. */
bool mrl_texts__is_near(const char *word, const char *other);

/**
 * Appends a scope (`event` NULL) or a filter as the library takes it. Values that never match are
 * taken out, and said; when none is left, `is_never` is set, or, of values that are refused,
 * nothing is appended. A fault is said. Error: -ENOMEM.
 */
int mrl_texts__add_condition(struct mrl_translation *in,
                             const char *event,
                             const struct mrl_policy_line *line,
                             struct mrl_policy_lines *here);

/** Looks whether these events and the scopes of the policy can hold at once; if not, it is said of
 * the place `at`, and `is_never` is set. Error: -ENOMEM. */
int mrl_texts__check(struct mrl_translation *in,
                     const struct mrl_policy_lines *events,
                     const struct mrl_policy_line *at);

#endif
