// SPDX-License-Identifier: Apache-2.0
/* The program: finds the verb and runs it. */
#include <string.h>

#include "command/command.h"

static const struct mrl_verb *const verbs[] = {
    &mrl_verb_run,    &mrl_verb_demo,    &mrl_verb_doctor, &mrl_verb_replay,
    &mrl_verb_events, &mrl_verb_schema,  &mrl_verb_verify, &mrl_verb_validate,
    &mrl_verb_stream, &mrl_verb_metrics, &mrl_verb_health, &mrl_verb_version,
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static int unknown(const char *word)
{
    static const char *const options[] = { "--help", "--version" };
    const char *names[VERB_COUNT + 1] = { [VERB_COUNT] = "help" };
    struct mrl_error error;

    for (unsigned int i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    if (*word == '-')
        mrl_error__unknown(&error, "option", word, options, sizeof(options) / sizeof(options[0]));
    else
        mrl_error__unknown(&error, "verb", word, names, VERB_COUNT + 1);
    return mrl_usage_error(NULL, error.text);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return mrl_usage_error(NULL, "which verb?");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        argv[1] = (char *)"help";
    if (!strcmp(argv[1], "help"))
        return mrl_help(verbs, VERB_COUNT, argc - 1, argv + 1);
    if (!strcmp(argv[1], "--version"))
        argv[1] = (char *)"version";
    for (unsigned int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(verbs[i]->name, argv[1]))
            return verbs[i]->run(verbs[i], argc - 1, argv + 1);
    return unknown(argv[1]);
}
