// SPDX-License-Identifier: Apache-2.0
/* Arguments and help texts of a verb, from its option rows. */
#include "command/options/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command/options/say.h"
#include "command/options/tracee_words.h"
#include "command/options/usage.h"

enum { FIRST_OPTION_VALUE = 256, FORMER_VALUE = FIRST_OPTION_VALUE + MRL_ROWS_MAX };

/* The rows, as getopt wants them. */
struct parser {
    const struct mrl_verb *verb;
    const struct mrl_rows *rows;
    struct option long_options[2 * MRL_ROWS_MAX + 1];
    char letters[2 * MRL_ROWS_MAX + 2];
};

/* One verb runs at a time, and only mrl_arguments__help() changes this, for as long as it lasts. */
static mrl_help_fn help_printer;

static const struct mrl_option help_row = { .name = "help",
                                            .letter = 'h',
                                            .doc = "Print this and exit." };

int mrl_usage_error(const struct mrl_verb *verb, const char *text)
{
    if (verb)
        mrl_say_error("%s (see 'mrelease %s --help')", text, verb->name);
    else
        mrl_say_error("%s (see 'mrelease --help')", text);
    return MRL_EXIT_USAGE;
}

int mrl_flush_stdout(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return MRL_EXIT_OK;
    mrl_say_error("standard output: %s", strerror(errno));
    return MRL_EXIT_FAILED;
}

static bool takes_value(const struct mrl_option *row)
{
    return row->type != MRL_OPTION_SWITCH;
}

/* The former names stand behind all others. */
static void init_parser(struct parser *parser,
                        const struct mrl_verb *verb,
                        const struct mrl_rows *rows)
{
    struct option *former;
    size_t size = 1;

    *parser = (struct parser){ .verb = verb, .rows = rows, .letters = ":" };
    for (unsigned int i = 0; i < rows->count; i++) {
        const struct mrl_option *row = rows->at[i];

        parser->long_options[i] = (struct option){
            .name = row->name,
            .has_arg = takes_value(row) ? required_argument : no_argument,
            .val = row->letter ? row->letter : FIRST_OPTION_VALUE + (int)i,
        };
        if (row->letter)
            size += (size_t)snprintf(parser->letters + size, sizeof(parser->letters) - size, "%c%s",
                                     row->letter, takes_value(row) ? ":" : "");
    }
    former = parser->long_options + rows->count;
    for (unsigned int i = 0; i < rows->count; i++) {
        if (!rows->at[i]->was)
            continue;
        *former = parser->long_options[i];
        former->name = rows->at[i]->was;
        former++->val = FORMER_VALUE + (int)i;
    }
}

void mrl_arguments__help(const struct mrl_verb *verb, mrl_help_fn print)
{
    char name[32], option[] = "--help";
    char *argv[] = { name, option, NULL };

    snprintf(name, sizeof(name), "%s", verb->name);
    help_printer = print;
    verb->run(verb, 2, argv);
    help_printer = NULL;
}

/* Whether a user of Tracee may take the verb for what Tracee does. */
static bool is_watching(const struct mrl_verb *verb)
{
    return !strcmp(verb->name, "run") || !strcmp(verb->name, "replay");
}

/* getopt says only that an option is wrong; which one, and what was meant, is ours to tell. */
static int report_wrong_option(const struct parser *parser, const char *argument)
{
    char dashed[MRL_ROWS_MAX][32], word[64];
    const char *names[MRL_ROWS_MAX];
    const struct mrl_rows *rows = parser->rows;
    struct mrl_error error;

    for (unsigned int i = 0; optopt && i < rows->count; i++) {
        if (parser->long_options[i].val == optopt) {
            mrl_error__set(&error, 0, "option '--%s' takes no value", rows->at[i]->name);
            return mrl_usage_error(parser->verb, error.text);
        }
    }
    if (optopt) {
        if (!is_watching(parser->verb) || !mrl_tracee_word__answer_letter((char)optopt, &error))
            mrl_error__set(&error, 0, "unknown option '-%c'", optopt);
        return mrl_usage_error(parser->verb, error.text);
    }
    snprintf(word, sizeof(word), "%s", argument);
    word[strcspn(word, "=")] = '\0';
    if (is_watching(parser->verb) &&
        mrl_tracee_word__answer(MRL_TRACEE_OPTION, word + strspn(word, "-"), &error))
        return mrl_usage_error(parser->verb, error.text);
    for (unsigned int i = 0; i < rows->count; i++) {
        snprintf(dashed[i], sizeof(dashed[i]), "--%s", rows->at[i]->name);
        names[i] = dashed[i];
    }
    mrl_error__unknown(&error, "option", word, names, rows->count);
    return mrl_usage_error(parser->verb, error.text);
}

/* The row that an answer of getopt_long() means. */
static unsigned int row_of(const struct parser *parser, int value)
{
    unsigned int i = 0;
    struct mrl_error warning;

    if (value >= FORMER_VALUE) {
        i = (unsigned int)(value - FORMER_VALUE);
        mrl_option__is_former(parser->rows->at[i], parser->rows->at[i]->was, &warning);
        mrl_say("warning: %s", warning.text);
        return i;
    }
    while (parser->long_options[i].val != value)
        i++;
    return i;
}

/* What is neither help nor wrong goes to `take`. Returns 0, or the verb ends with *ret_status. */
static int take_all(const struct parser *parser,
                    int argc,
                    char **argv,
                    mrl_take_fn take,
                    void *context,
                    int *ret_status)
{
    struct mrl_error error;
    int value, err;

    opterr = 0;
    optind = 0;
    while ((value = getopt_long(argc, argv, parser->letters, parser->long_options, NULL)) != -1) {
        if (value == 'h') {
            (help_printer ? help_printer : mrl_usage__print)(parser->verb, parser->rows);
            *ret_status = mrl_flush_stdout();
            return -1;
        }
        if (value == '?') {
            *ret_status = report_wrong_option(parser, argv[optind - 1]);
            return -1;
        }
        if (value == ':')
            err = mrl_error__set(&error, -EINVAL, "option '%.64s' needs a value", argv[optind - 1]);
        else
            err = take(context, row_of(parser, value), optarg, &error);
        if (err == -ENOMEM)
            mrl_say("%s", error.text); /* nothing is wrong with the argument */
        if (err) {
            *ret_status =
                err == -ENOMEM ? MRL_EXIT_FAILED : mrl_usage_error(parser->verb, error.text);
            return -1;
        }
    }
    return 0;
}

int mrl_arguments__each(const struct mrl_verb *verb,
                        struct mrl_rows *rows,
                        int argc,
                        char **argv,
                        mrl_take_fn take,
                        void *context,
                        int *ret_status)
{
    struct mrl_error error;
    struct parser parser;

    mrl_rows__add(rows, &help_row, NULL, false);
    init_parser(&parser, verb, rows);
    if (take_all(&parser, argc, argv, take, context, ret_status))
        return -1;
    if ((unsigned int)(argc - optind) > verb->operands_max) {
        mrl_error__set(&error, 0, "unexpected operand '%.64s'",
                       argv[optind + (int)verb->operands_max]);
        *ret_status = mrl_usage_error(verb, error.text);
        return -1;
    }
    return optind;
}

static int apply(void *context, unsigned int row, const char *value, struct mrl_error *error)
{
    const struct mrl_rows *rows = context;
    struct mrl_error reason = { "" };
    int err = mrl_option__set(rows->at[row], rows->targets[row], value, &reason);

    if (err)
        mrl_error__set(error, err, "--%s: %s", rows->at[row]->name, reason.text);
    return err;
}

int mrl_arguments__parse(const struct mrl_verb *verb,
                         int argc,
                         char **argv,
                         const struct mrl_option_group *groups,
                         unsigned int group_count,
                         int *ret_status)
{
    struct mrl_rows rows = { .count = 0 };

    mrl_rows__add_groups(&rows, groups, group_count);
    return mrl_arguments__each(verb, &rows, argc, argv, apply, &rows, ret_status);
}
