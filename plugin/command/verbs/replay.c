// SPDX-License-Identifier: Apache-2.0
/* The verb replay: the session of run, on a capture in place of the probes. */
#include <string.h>

#include "command/command.h"
#include "command/options/rows.h"
#include "command/run/record.h"
#include "command/session/session.h"

enum { ROWS = 2 };

/* Of the plugin's options, those that mean something here. */
static void take_rows(struct mrl_option ret_rows[ROWS])
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);

    ret_rows[0] = *mrl_option__find(rows, count, "option", "events", NULL);
    ret_rows[0].preset = NULL;
    ret_rows[0].doc = "Recorded events to show, as run takes them; by default all.";
    ret_rows[1] = *mrl_option__find(rows, count, "option", "scope", NULL);
}

/* Of the session's, all but where it listens: nobody asks a replay for anything. */
static unsigned int take_session_rows(struct mrl_option ret_rows[MRL_ROWS_MAX])
{
    unsigned int count, taken = 0;
    const struct mrl_option *rows = mrl_session_options__rows(&count);

    for (unsigned int i = 0; i < count; i++)
        if (strcmp(rows[i].name, "control") != 0)
            ret_rows[taken++] = rows[i];
    return taken;
}

/* Time does not matter here, so that nothing is dropped: the same bytes each time. */
static void never_drop(struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->count; i++) {
        if (outputs->specs[i].has_policy)
            continue; /* as was asked for */
        outputs->specs[i].has_policy = true;
        outputs->specs[i].options.policy = MRL_POLICY_BLOCK;
    }
}

static int run(const struct mrl_verb *verb, int argc, char **argv)
{
    struct mrl_session_options options = { .plugin = MRL_PLUGIN_OPTIONS };
    struct mrl_option rows[ROWS], session_rows[MRL_ROWS_MAX];
    struct mrl_option_group groups[2] = { { rows, ROWS, &options.plugin },
                                          { session_rows, 0, &options } };
    struct mrl_error error;
    int status, operand;

    take_rows(rows);
    groups[1].count = take_session_rows(session_rows);
    operand = mrl_arguments__parse(verb, argc, argv, groups, 2, &status);
    if (operand < 0)
        return status;
    if (operand == argc)
        return mrl_usage_error(verb, "which capture?");
    options.plugin.replay = argv[operand];
    if (mrl_record__add_default(&options.outputs, &error))
        return mrl_usage_error(verb, error.text);
    never_drop(&options.outputs);
    return mrl_session__run(&options, NULL, NULL);
}

const struct mrl_verb mrl_verb_replay = {
    .name = "replay",
    .operands = "FILE|-",
    .operands_max = 1,
    .doc = "Print the events of a file that 'run --record' wrote.",
    .more_help = mrl_outputs__print_help,
    .run = run,
};
