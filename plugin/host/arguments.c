// SPDX-License-Identifier: Apache-2.0
/* Arguments and help texts of a verb, from its option rows. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

enum { OPTIONS_MAX = 32, HELP_COLUMN = 28, FIRST_OPTION_VALUE = 256 };

/* The rows of all groups, with the help option, as getopt wants them. */
struct parser {
    const struct mrl_verb *verb;
    const struct mrl_option *rows[OPTIONS_MAX];
    void *targets[OPTIONS_MAX];
    unsigned int count;
    struct option long_options[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2];
};

static const struct mrl_option help_row = { "help", 'h', NULL, NULL, "Print this and exit.", NULL };

void mrl_say(const char *format, ...)
{
    va_list arguments;
    char line[1024];

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "mrelease: %s\n", line); /* in one piece: standard error may be shared */
}

int mrl_usage_error(const struct mrl_verb *verb, const char *text)
{
    if (verb)
        mrl_say("%s (see 'mrelease %s --help')", text, verb->name);
    else
        mrl_say("%s (see 'mrelease --help')", text);
    return MRL_EXIT_USAGE;
}

int mrl_flush_stdout(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return MRL_EXIT_OK;
    mrl_say("standard output: %s", strerror(errno));
    return MRL_EXIT_FAILED;
}

static void add_row(struct parser *parser, const struct mrl_option *row, void *target)
{
    int value = row->letter ? row->letter : FIRST_OPTION_VALUE + (int)parser->count;
    size_t size = strlen(parser->letters);

    parser->rows[parser->count] = row;
    parser->targets[parser->count] = target;
    parser->long_options[parser->count] = (struct option){
        .name = row->name,
        .has_arg = row->value ? required_argument : no_argument,
        .val = value,
    };
    parser->count++;
    if (row->letter)
        snprintf(parser->letters + size, sizeof(parser->letters) - size, "%c%s", row->letter,
                 row->value ? ":" : "");
}

static void init_parser(struct parser *parser,
                        const struct mrl_verb *verb,
                        const struct mrl_option_group *groups,
                        unsigned int group_count)
{
    *parser = (struct parser){ .verb = verb, .letters = ":" };
    for (unsigned int g = 0; g < group_count; g++)
        for (unsigned int i = 0; i < groups[g].count && parser->count < OPTIONS_MAX - 1; i++)
            add_row(parser, &groups[g].rows[i], groups[g].target);
    add_row(parser, &help_row, NULL);
}

static void print_row(const struct mrl_option *row)
{
    char left[64];
    int width = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", row->letter ? '-' : ' ',
                         row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                         row->value ? " " : "", row->value ? row->value : "");

    printf("%s%*s %s", left, width < HELP_COLUMN ? HELP_COLUMN - width : 0, "", row->doc);
    if (row->preset)
        printf(" [%s]", row->preset);
    putchar('\n');
}

static void print_help(const struct parser *parser)
{
    printf("Usage: mrelease %s [OPTION…]%s%s\n\n%s\n\n", parser->verb->name,
           *parser->verb->operands ? " " : "", parser->verb->operands, parser->verb->doc);
    for (unsigned int i = 0; i < parser->count; i++)
        print_row(parser->rows[i]);
}

/* getopt says only that an option is wrong; which one, and what was meant, is ours to tell. */
static int report_wrong_option(const struct parser *parser, const char *argument)
{
    char dashed[OPTIONS_MAX][32], word[64];
    const char *names[OPTIONS_MAX];
    struct mrl_error error;

    for (unsigned int i = 0; optopt && i < parser->count; i++) {
        if (parser->long_options[i].val == optopt) {
            mrl_error__set(&error, 0, "option '--%s' takes no value", parser->rows[i]->name);
            return mrl_usage_error(parser->verb, error.text);
        }
    }
    if (optopt) {
        mrl_error__set(&error, 0, "unknown option '-%c'", optopt);
        return mrl_usage_error(parser->verb, error.text);
    }
    snprintf(word, sizeof(word), "%s", argument);
    word[strcspn(word, "=")] = '\0';
    for (unsigned int i = 0; i < parser->count; i++) {
        snprintf(dashed[i], sizeof(dashed[i]), "--%s", parser->rows[i]->name);
        names[i] = dashed[i];
    }
    mrl_error__unknown(&error, "option", word, names, parser->count);
    return mrl_usage_error(parser->verb, error.text);
}

static int apply(const struct parser *parser, int value, struct mrl_error *error)
{
    struct mrl_error reason = { "" };
    unsigned int i = 0;
    int err;

    while (parser->long_options[i].val != value)
        i++;
    err = parser->rows[i]->set(parser->targets[i], optarg, &reason);
    if (err)
        mrl_error__set(error, err, "--%s: %s", parser->rows[i]->name, reason.text);
    return err;
}

int mrl_arguments__parse(const struct mrl_verb *verb,
                         int argc,
                         char **argv,
                         const struct mrl_option_group *groups,
                         unsigned int group_count,
                         int *ret_status)
{
    struct mrl_error error;
    struct parser parser;
    int value, err;

    init_parser(&parser, verb, groups, group_count);
    opterr = 0;
    optind = 0;
    while ((value = getopt_long(argc, argv, parser.letters, parser.long_options, NULL)) != -1) {
        if (value == 'h') {
            print_help(&parser);
            *ret_status = mrl_flush_stdout();
            return -1;
        }
        if (value == '?') {
            *ret_status = report_wrong_option(&parser, argv[optind - 1]);
            return -1;
        }
        if (value == ':')
            mrl_error__set(&error, 0, "option '%.64s' needs a value", argv[optind - 1]);
        err = value == ':' ? -EINVAL : apply(&parser, value, &error);
        if (err == -ENOMEM)
            mrl_say("%s", error.text); /* nothing is wrong with the argument */
        if (err) {
            *ret_status = err == -ENOMEM ? MRL_EXIT_FAILED : mrl_usage_error(verb, error.text);
            return -1;
        }
    }
    if ((unsigned int)(argc - optind) > verb->operands_max) {
        mrl_error__set(&error, 0, "unexpected operand '%.64s'",
                       argv[optind + (int)verb->operands_max]);
        *ret_status = mrl_usage_error(verb, error.text);
        return -1;
    }
    return optind;
}
