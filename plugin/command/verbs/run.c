// SPDX-License-Identifier: Apache-2.0
/* The verb run. */
#include "command/command.h"
#include "command/options/layers.h"
#include "command/run/session.h"

static int run(const struct mrl_verb *verb, int argc, char **argv)
{
    struct mrl_session_options options = { .plugin = MRL_PLUGIN_OPTIONS };
    struct mrl_option_group groups[2] = { { .target = &options.plugin }, { .target = &options } };
    struct mrl_settings settings = { .count = 0 };
    int status;

    groups[0].rows = mrl_plugin_options__rows(&groups[0].count);
    groups[1].rows = mrl_session_options__rows(&groups[1].count);
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
