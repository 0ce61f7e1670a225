/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a session, and what --tracee says of its other texts. */
#ifndef MRL_COMMAND_SESSION_POLICIES_H
#define MRL_COMMAND_SESSION_POLICIES_H

#include "command/run/session_options.h"

/** What a profile says of events gives way to policies. -EINVAL, with a line: events or scopes
 * stand beside policies; or, without policies, the version of --tracee refuses one of them. */
int mrl_session_policies__check(struct mrl_session_options *options, struct mrl_error *error);

/** Checks, reads the policies, if any are named, and gives them to the plugin's options; says what
 * is to be said of them, from `level` on. Error, with a line: -EINVAL a policy, or as check();
 * -ENOMEM. Then, too, mrl_policy_set__free() frees what was read. */
int mrl_session_policies__read(struct mrl_session_options *options,
                               int level,
                               struct mrl_error *error);

#endif
