// SPDX-License-Identifier: Apache-2.0
/* The verb events: the definitions, for people, for programs, and as the reference page. */
#include <errno.h>
#include <string.h>

#include "command/command.h"
#include "command/verbs/definitions.h"

struct events_options {
    const char *format;
};

struct printer {
    const char *format;
    void (*print)(const struct mrl_event_def *only);
};

static const struct printer printers[] = {
    { "table", mrl_definitions__table },
    { "json", mrl_definitions__json },
    { "markdown", mrl_definitions__markdown },
};

enum { PRINTER_COUNT = sizeof(printers) / sizeof(printers[0]) };

static int set_format(void *target, const char *value, struct mrl_error *error)
{
    const char *names[PRINTER_COUNT];

    for (unsigned int i = 0; i < PRINTER_COUNT; i++) {
        names[i] = printers[i].format;
        if (!strcmp(names[i], value)) {
            ((struct events_options *)target)->format = value;
            return 0;
        }
    }
    return mrl_error__unknown(error, "format", value, names, PRINTER_COUNT);
}

static const struct mrl_option rows[] = {
    { "format", '\0', "table|json|markdown", "table", "How to print them.", set_format },
};

static int events(const struct mrl_verb *verb, int argc, char **argv)
{
    struct events_options options = { .format = printers[0].format };
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
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
    for (unsigned int i = 0; i < PRINTER_COUNT; i++)
        if (!strcmp(printers[i].format, options.format))
            printers[i].print(only);
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_events = {
    .name = "events",
    .operands = "[NAME]",
    .operands_max = 1,
    .doc = "Print the definitions of all events, or of one.",
    .run = events,
};
