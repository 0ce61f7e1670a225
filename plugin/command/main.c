// SPDX-License-Identifier: Apache-2.0
/* The program: finds the verb and runs it. */
#include <string.h>

#include "command/command.h"

static int unknown_option(const char *word)
{
    static const char *const options[] = { "--help", "--version" };
    struct mrl_error error;

    mrl_error__unknown(&error, "option", word, options, sizeof(options) / sizeof(options[0]));
    return mrl_usage_error(NULL, error.text);
}

int main(int argc, char **argv)
{
    const struct mrl_verb *verb;
    struct mrl_error error;

    if (argc < 2)
        return mrl_usage_error(NULL, "which verb?");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        argv[1] = (char *)"help";
    if (!strcmp(argv[1], "--version"))
        argv[1] = (char *)"version";
    if (*argv[1] == '-')
        return unknown_option(argv[1]);
    verb = mrl_verb__find(argv[1], &error);
    return verb ? verb->run(verb, argc - 1, argv + 1) : mrl_usage_error(NULL, error.text);
}
