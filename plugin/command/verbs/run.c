// SPDX-License-Identifier: Apache-2.0
/* The verb run. */
#include "command/command.h"
#include "command/options/layers.h"
#include "command/session/session.h"

static int run(const struct mrl_verb *verb, int argc, char **argv)
{
    struct mrl_settings settings = { .count = 0 };
    struct mrl_session_options options = { .plugin = MRL_PLUGIN_OPTIONS, .settings = &settings };
    struct mrl_option_group groups[2];
    int status;

    mrl_session_options__groups(&options, groups);
    if (mrl_layers__parse(verb, argc, argv, groups, 2, &settings, &status) >= 0)
        status = mrl_session__run(&options, NULL, NULL);
    mrl_settings__free(&settings);
    return status;
}

const struct mrl_verb mrl_verb_run = {
    .name = "run",
    .operands = "",
    .doc = "Watch, and print events until interrupted.",
    .more_help = mrl_outputs__print_help,
    .run = run,
};
