/* SPDX-License-Identifier: Apache-2.0 */
/* Within the translation of policies: its parts, and texts that are tried with the library's own
 * parser. Faults are said, and reading goes on: only -ENOMEM is returned. */
#ifndef MRL_COMMAND_POLICY_TEXTS_H
#define MRL_COMMAND_POLICY_TEXTS_H

#include "command/policy/tracee.h"

struct mrl_translation {
    struct mrl_policy_set *set;
    struct mrl_written_policy *policy;
    unsigned int faults; /* of the set, when it began */
    bool is_never;       /* what was added last can never hold, which was said */
    bool has_container;  /* among the scopes of the policy */
};

/** Says a fault of a place. Returns 0. */
int mrl_translation__fault(const struct mrl_translation *in,
                           const struct mrl_policy_line *at,
                           const char *text);

/** Whether the version of Tracee that was asked for refuses a text, which is said in its name.
 * `rule`: whose filter it is; NULL of a scope. */
bool mrl_translation__is_refused(const struct mrl_translation *in,
                                 enum mrl_tracee_place place,
                                 const struct mrl_policy_rule *rule,
                                 const struct mrl_policy_line *at);

/** Says which actions do not exist. */
int mrl_translation__check_actions(const struct mrl_translation *in,
                                   const struct mrl_policy_lines *actions);

/** Marks the rules whose event has one already (rules.c). Error: -ENOMEM. */
int mrl_translation__mark_doubles(struct mrl_written_policy *policy);

/** Takes one rule (rules.c): what of it is of this program is appended to the policy's events. */
int mrl_translation__take_rule(struct mrl_translation *in, struct mrl_policy_rule *rule);

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
