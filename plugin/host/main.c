// SPDX-License-Identifier: Apache-2.0
/* The program: finds the verb and runs it. */
#include <stdio.h>
#include <string.h>

#include "host/host.h"

static const struct mrl_verb *const verbs[] = {
    &mrl_verb_run,    &mrl_verb_demo,   &mrl_verb_replay,   &mrl_verb_events,
    &mrl_verb_schema, &mrl_verb_verify, &mrl_verb_validate, &mrl_verb_version,
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static int help(void)
{
    puts("Usage: mrelease VERB [OPTION…]\n\n"
         "Watches process_mrelease and the memory-lock calls, as Tracee events.\n");
    for (unsigned int i = 0; i < VERB_COUNT; i++)
        printf("  %-10s %s\n", verbs[i]->name, verbs[i]->doc);
    puts("\n'mrelease VERB --help' tells more. New here: run 'mrelease demo' as root.");
    return mrl_flush_stdout();
}

static int unknown(const char *word)
{
    static const char *const options[] = { "--help", "--version" };
    const char *names[VERB_COUNT];
    struct mrl_error error;

    for (unsigned int i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    if (*word == '-')
        mrl_error__unknown(&error, "option", word, options, sizeof(options) / sizeof(options[0]));
    else
        mrl_error__unknown(&error, "verb", word, names, VERB_COUNT);
    return mrl_usage_error(NULL, error.text);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return mrl_usage_error(NULL, "which verb?");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help();
    if (!strcmp(argv[1], "--version"))
        argv[1] = (char *)"version";
    for (unsigned int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(verbs[i]->name, argv[1]))
            return verbs[i]->run(verbs[i], argc - 1, argv + 1);
    return unknown(argv[1]);
}
