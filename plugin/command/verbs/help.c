// SPDX-License-Identifier: Apache-2.0
/* The verb help. */
#include <stdio.h>

#include "command/options/arguments.h"
#include "command/options/wrap.h"

static const char *verb_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_verb *const *verbs = mrl_verb__all(&count);

    return index < count ? verbs[index]->name : NULL;
}

static void print_all(void)
{
    unsigned int count;
    const struct mrl_verb *const *verbs = mrl_verb__all(&count);

    puts("Usage: mrelease VERB [OPTION...]\n\n"
         "Watches process_mrelease and the memory-lock calls, as Tracee events.\n");
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_wrap wrap = { stdout, mrl_wrap__columns(), 13, 12 };

        printf("  %-10s", verbs[i]->name);
        mrl_wrap__put(&wrap, verbs[i]->doc);
        putchar('\n');
    }
    puts("\n'mrelease VERB --help' tells more. New here: run 'mrelease demo' as root.");
}

static int help(const struct mrl_verb *verb, int argc, char **argv)
{
    int status, operand = mrl_arguments__parse(verb, argc, argv, NULL, 0, &status);
    const struct mrl_verb *other;
    struct mrl_error error;

    if (operand < 0)
        return status;
    if (!argv[operand]) {
        print_all();
        return mrl_flush_stdout();
    }
    other = mrl_verb__find(argv[operand], &error);
    if (!other)
        return mrl_usage_error(verb, error.text);
    mrl_arguments__help(other, NULL);
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_help = {
    .name = "help",
    .operands = "[VERB]",
    .operands_max = 1,
    .operand_word = verb_word,
    .doc = "Print what there is, or the options of one verb.",
    .run = help,
};
