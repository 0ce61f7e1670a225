/* SPDX-License-Identifier: Apache-2.0 */
/* What is generated from the rows of all verbs, on standard output. */
#ifndef MRL_COMMAND_PAGES_MANUAL_H
#define MRL_COMMAND_PAGES_MANUAL_H

#include "command/command.h"

/** The verbs that there are. */
struct mrl_verbs {
    const struct mrl_verb *const *at;
    unsigned int count;
};

/** mrelease(1). */
void mrl_manual__program(const struct mrl_verbs *verbs);

/** mrelease.yaml(5). */
void mrl_manual__config(const struct mrl_verbs *verbs);

/** The completion for bash. */
void mrl_completion__bash(const struct mrl_verbs *verbs);

/** The JSON Schema (draft 7) of the configuration file. */
void mrl_config_schema__print(const struct mrl_verbs *verbs);

#endif
