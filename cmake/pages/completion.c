// SPDX-License-Identifier: Apache-2.0
/* The words of the completion for bash: the branches of a case, from the rows. */
#include <stdio.h>
#include <string.h>

#include "command/options/arguments.h"
#include "pages.h"

/* "(--output | -o) form=…": the pattern of a row within the case. */
static void print_pattern(const char *verb, const struct mrl_option *row)
{
    printf("    %s:--%s", verb, row->name);
    if (row->letter)
        printf(" | %s:-%c", verb, row->letter);
    printf(") ");
}

static void print_row(const char *verb, const struct mrl_option *row)
{
    const char *word;

    if (row->type == MRL_OPTION_SWITCH)
        return;
    print_pattern(verb, row);
    if (row->type == MRL_OPTION_PATH || row->separator == '/') {
        printf("form=path ;;\n");
        return;
    }
    if (row->separator || row->type == MRL_OPTION_SET)
        printf("form=%s ", row->separator == ':' ? "output" : "commas");
    if (!mrl_option__word(row, 0)) {
        printf("words= ;; # nothing to offer, and no file either\n");
        return;
    }
    printf("words='");
    for (unsigned int i = 0; (word = mrl_option__word(row, i)); i++)
        printf("%s%s", i ? " " : "", word);
    printf("' ;;\n");
}

static void print_operand(const struct mrl_verb *verb)
{
    const char *word;

    if (!verb->operand_word) {
        if (strstr(verb->operands, "FILE"))
            printf("    %s:) form=path ;;\n", verb->name);
        return;
    }
    printf("    %s:) words='", verb->name);
    for (unsigned int i = 0; (word = verb->operand_word(i)); i++)
        printf("%s%s", i ? " " : "", word);
    printf("' ;;\n");
}

static void print_verb(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    print_operand(verb);
    printf("    %s:-) words='", verb->name);
    for (unsigned int i = 0; i < rows->count; i++)
        printf("%s--%s", i ? " " : "", rows->at[i]->name);
    printf("' ;;\n");
    for (unsigned int i = 0; i < rows->count; i++)
        print_row(verb->name, rows->at[i]);
}

void mrl_pages__completion(void)
{
    unsigned int count;
    const struct mrl_verb *const *verbs = mrl_verb__all(&count);

    printf("    :) words='");
    for (unsigned int i = 0; i < count; i++)
        printf("%s ", verbs[i]->name);
    printf("--help --version' ;;\n");
    for (unsigned int i = 0; i < count; i++)
        mrl_arguments__help(verbs[i], print_verb);
}
