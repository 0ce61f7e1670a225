// SPDX-License-Identifier: Apache-2.0
/* The verb events: the definitions, for people, for programs, and as the reference page. */
#include "command/command.h"
#include "command/verbs/definitions.h"

static void (*const printers[])(const struct mrl_event_def *only) = {
    mrl_definitions__table,
    mrl_definitions__json,
    mrl_definitions__markdown,
};

static const char *const formats[] = { "table", "json", "markdown", NULL };

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .words = formats,
      .preset = "table",
      .doc = "How to print them." },
};

static const char *event_word(unsigned int index)
{
    return index < mrl_event_def__count() ? mrl_event_def__at(index)->name : NULL;
}

static int events(const struct mrl_verb *verb, int argc, char **argv)
{
    int format = 0;
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &format };
    const struct mrl_event_def *only = NULL;
    struct mrl_error error;
    int status, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    if (argv[operand]) {
        only = mrl_event_def__find(argv[operand], &error);
        if (!only)
            return mrl_usage_error(verb, error.text);
    }
    printers[format](only);
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_events = {
    .name = "events",
    .operands = "[NAME]",
    .operand_word = event_word,
    .operands_max = 1,
    .doc = "Print the definitions of all events, or of one.",
    .run = events,
};
