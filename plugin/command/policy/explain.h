/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, as people are told what they mean. */
#ifndef MRL_COMMAND_POLICY_EXPLAIN_H
#define MRL_COMMAND_POLICY_EXPLAIN_H

#include "command/policy/policy.h"

/** Prints what each text means here, what versions of Tracee make of it, and the command line that
 * watches the same. */
void mrl_policy_set__explain(const struct mrl_policy_set *set);

#endif
