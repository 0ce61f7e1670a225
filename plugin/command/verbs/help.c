// SPDX-License-Identifier: Apache-2.0
/* The verb help: for people, and everything that is generated from the verbs and their rows. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "command/options/arguments.h"
#include "command/pages/manual.h"

static void print_text(const struct mrl_verbs *verbs)
{
    puts("Usage: mrelease VERB [OPTION…]\n\n"
         "Watches process_mrelease and the memory-lock calls, as Tracee events.\n");
    for (unsigned int i = 0; i < verbs->count; i++)
        printf("  %-10s %s\n", verbs->at[i]->name, verbs->at[i]->doc);
    puts("\n'mrelease VERB --help' tells more. New here: run 'mrelease demo' as root.");
}

static void (*const printers[])(const struct mrl_verbs *verbs) = {
    print_text,           mrl_manual__program,      mrl_manual__config,
    mrl_completion__bash, mrl_config_schema__print,
};

static const char *const formats[] = { "text", "man", "man-config", "bash", "config-schema", NULL };

enum { VERBS_MAX = 32 };

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .words = formats,
      .preset = "text",
      .doc =
          "As text, or as the manual pages, the completion for bash, or the schema of the configuration file." },
};

static int help_alone(const struct mrl_verb *verb, int argc, char **argv)
{
    int format = 0;
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &format };
    int status;

    mrl_arguments__parse(verb, argc, argv, &group, 1, &status);
    return status;
}

/* Run by mrl_help(), which knows the others; by itself it can only tell of itself. */
static const struct mrl_verb verb_help = {
    .name = "help",
    .operands = "[VERB]",
    .operands_max = 1,
    .doc = "Print what there is, or the options of one verb.",
    .run = help_alone,
};

static int help_of(const struct mrl_verbs *verbs, const char *name)
{
    const char *names[VERBS_MAX];
    struct mrl_error error;

    for (unsigned int i = 0; i < verbs->count; i++) {
        names[i] = verbs->at[i]->name;
        if (!strcmp(names[i], name)) {
            mrl_arguments__help(verbs->at[i], NULL);
            return mrl_flush_stdout();
        }
    }
    mrl_error__unknown(&error, "verb", name, names, verbs->count);
    return mrl_usage_error(&verb_help, error.text);
}

int mrl_help(const struct mrl_verb *const *others, unsigned int count, int argc, char **argv)
{
    const struct mrl_verb *all[VERBS_MAX];
    const struct mrl_verbs verbs = { all, count + 1 };
    int format = 0;
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &format };
    int status, operand = mrl_arguments__parse(&verb_help, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    assert(count < VERBS_MAX);
    for (unsigned int i = 0; i < count; i++)
        all[i] = others[i];
    all[count] = &verb_help;
    if (argv[operand])
        return help_of(&verbs, argv[operand]);
    printers[format](&verbs);
    return mrl_flush_stdout();
}
