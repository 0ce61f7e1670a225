/* SPDX-License-Identifier: Apache-2.0 */
/* What versions of Tracee make of the texts of a policy file, and of its options. Known from their
 * sources; what a cluster's objects may hold besides is not asked of them. */
#ifndef MRL_COMMAND_POLICY_TRACEE_H
#define MRL_COMMAND_POLICY_TRACEE_H

#include "command/policy/policy.h"

enum mrl_tracee_place {
    MRL_TRACEE_IN_SCOPE, /* also that of the command line */
    MRL_TRACEE_IN_EVENT,
    MRL_TRACEE_IN_FILTER,
    MRL_TRACEE_ON_LINE, /* --events, which knows what files do not */
};

struct mrl_tracee_says {
    bool is_refused;
    char text[192]; /* its message; or what it means, where that is not as written; "": as here */
};

/** The words of --tracee, ended by NULL. */
extern const char *const mrl_tracee_names[MRL_TRACEE_COUNT + 1];

/** "v0.24". Static. */
const char *mrl_tracee__name(enum mrl_tracee version);

/** What a version (not MRL_TRACEE_ANY) makes of a text; `event` is that of a filter's rule. Blanks
 * of scopes are gone. */
void mrl_tracee__judge(enum mrl_tracee version,
                       enum mrl_tracee_place place,
                       const char *event,
                       const char *text,
                       struct mrl_tracee_says *ret_says);

enum { MRL_TRACEE_FIELDS_MAX = 64 };

/** The filters of a rule so far, or the conditions of a command line. Zeroed: none. */
struct mrl_tracee_before {
    struct mrl_tracee_asked {
        const char *name; /* borrowed from its text */
        size_t size;
        unsigned int signs;
    } asked[MRL_TRACEE_FIELDS_MAX]; /* of a field each */
    unsigned int count;
};

/** What a version makes of a filter beside those on the same field before it, and notes it. Limits
 * of scopes are a range to each version. */
void mrl_tracee__judge_beside(enum mrl_tracee version,
                              struct mrl_tracee_before *before,
                              const char *text,
                              struct mrl_tracee_says *ret_says);

/** What a version says of a whole file: only main reads the plain form, and JSON. */
void mrl_tracee__judge_form(enum mrl_tracee version,
                            bool is_plain,
                            const char *file,
                            struct mrl_tracee_says *ret_says);

#endif
