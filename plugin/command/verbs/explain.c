// SPDX-License-Identifier: Apache-2.0
/* The verb explain: what a word in an event means, in three sentences. */
#include "command/verbs/explain.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/options/wrap.h"

static const struct mrl_explained rows[] = {
#define MRL_EXPLAIN(word, of, means, cause, advice) \
    { word, of, means, cause, advice, NULL, NULL, NULL },
#define MRL_EXPLAIN_OUTCOME(word, answers, observed, otherwise, means, cause, advice) \
    { word, "outcome", means, cause, advice, answers, observed, otherwise },
#include "command/verbs/explain.def"
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]), WORD_BYTES = 64 };

const struct mrl_explained *mrl_explained__at(unsigned int index)
{
    return index < ROW_COUNT ? &rows[index] : NULL;
}

/* All words, those of one kind on a line; where standard output is a terminal, broken. */
static void print_words(void)
{
    struct mrl_wrap wrap = { stdout, (int)mrl_sink__columns_fd(STDOUT_FILENO), 2, 1 };
    const char *of = "";

    fputs("These words are explained, and the number of an error:", stdout);
    for (unsigned int i = 0; i < ROW_COUNT; i++) {
        if (strcmp(of, rows[i].of) != 0) {
            of = rows[i].of;
            printf("\n%s\n ", of);
            wrap.column = 1;
        }
        mrl_wrap__put(&wrap, rows[i].word);
    }
    putchar('\n');
}

static bool is_first(unsigned int index)
{
    for (unsigned int i = 0; i < index; i++)
        if (!strcmp(rows[i].word, rows[index].word))
            return false;
    return true;
}

/* Each word once. */
static const char *word_at(unsigned int number)
{
    for (unsigned int i = 0; i < ROW_COUNT; i++)
        if (is_first(i) && !number--)
            return rows[i].word;
    return NULL;
}

/* An error may be given by its number, with or without the sign. */
static const char *name_of_number(const char *word)
{
    char *end;
    long number = strtol(word, &end, 10);
    bool is_error = end > word && !*end && number && number > -4096 && number < 4096;

    return is_error ? strerrorname_np(abs((int)number)) : NULL;
}

static void fold(char *word, int (*to)(int))
{
    for (; *word; word++)
        *word = (char)to((unsigned char)*word);
}

/* A sentence behind its label; broken where standard output is a terminal. */
static void print_sentence(const char *label, const char *text)
{
    struct mrl_wrap wrap = { stdout, (int)mrl_sink__columns_fd(STDOUT_FILENO), 2, 1 };

    putchar(' ');
    if (*label)
        mrl_wrap__put(&wrap, label);
    mrl_wrap__put(&wrap, text);
    putchar('\n');
}

static bool print_all(const char *word)
{
    bool found = false;

    for (unsigned int i = 0; i < ROW_COUNT; i++) {
        if (strcasecmp(rows[i].word, word) != 0)
            continue;
        printf("%s%s (%s)\n", found ? "\n" : "", rows[i].word, rows[i].of);
        print_sentence("", rows[i].means);
        print_sentence("Usual cause:", rows[i].cause);
        print_sentence("What to do: ", rows[i].advice);
        found = true;
    }
    return found;
}

/* An event without a row here has its sentence in the table of events. */
static bool print_event(const char *word)
{
    const struct mrl_event_def *def = mrl_event_def__find(word, NULL);

    if (def)
        printf("%s (event)\n  %s\n  What to do:  mrelease events %s shows its fields.\n", def->name,
               def->doc, def->name);
    return def;
}

/* A field of one event or of several: what it means in each. */
static bool print_field(const char *word)
{
    const char *said = "";

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_event_def *def = mrl_event_def__at(i);

        for (unsigned int j = 0; j < def->field_count; j++)
            if (!strcmp(def->fields[j].name, word) && strcmp(def->fields[j].doc, said) != 0) {
                said = def->fields[j].doc;
                printf("%s (field of %s)\n", word, def->name);
                print_sentence("", said);
            }
    }
    return *said;
}

static int unknown(const struct mrl_verb *verb, const char *word)
{
    const char *words[ROW_COUNT + 1];
    unsigned int count = 0;
    struct mrl_error error;

    while ((words[count] = word_at(count)))
        count++;
    mrl_error__unknown(&error, "word", word, words, count);
    return mrl_usage_error(verb, error.text);
}

static int explain(const struct mrl_verb *verb, int argc, char **argv)
{
    /* What a call returned looks like an option. */
    bool is_negative = argc == 2 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1]);
    int status,
        operand = is_negative ? 1 : mrl_arguments__parse(verb, argc, argv, NULL, 0, &status);
    char word[WORD_BYTES];

    if (operand < 0)
        return status;
    if (!argv[operand]) {
        print_words();
        return mrl_flush_stdout();
    }
    snprintf(word, sizeof(word), "%s",
             name_of_number(argv[operand]) ? name_of_number(argv[operand]) : argv[operand]);
    if (!print_all(word)) {
        fold(word, tolower);
        if (!print_event(word) && !print_field(word))
            return unknown(verb, argv[operand]);
    }
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_explain = {
    .name = "explain",
    .operands = "[WORD]",
    .operand_word = word_at,
    .operands_max = 1,
    .doc =
        "Say what an error, an outcome, a cause of loss, an alert or an event means, and what to do.",
    .run = explain,
};
