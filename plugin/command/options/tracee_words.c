// SPDX-License-Identifier: Apache-2.0
#include "command/options/tracee_words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const struct mrl_tracee_word rows[] = {
#define MRL_TRACEE_WORD(kind, word, letter, answer) { MRL_TRACEE_##kind, word, letter, answer },
#include "command/options/tracee_words.def"
};

const struct mrl_tracee_word *mrl_tracee_word__at(unsigned int index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

static const char *dashes_of(const struct mrl_tracee_word *row)
{
    return row->kind == MRL_TRACEE_OPTION ? "--" : "";
}

static int answer(const struct mrl_tracee_word *row, struct mrl_error *error)
{
    return mrl_error__set(error, -EINVAL, "Tracee's %s%s: %s", dashes_of(row), row->word,
                          row->answer);
}

/* A format may be followed by what belongs to it, as in gotemplate=FILE. */
static bool is_word(const struct mrl_tracee_word *row, const char *word)
{
    const size_t size = strlen(row->word);

    return !strncmp(row->word, word, size) &&
           (!word[size] || (row->kind == MRL_TRACEE_FORMAT && strchr("=.:,", word[size])));
}

int mrl_tracee_word__answer(enum mrl_tracee_word_kind kind,
                            const char *word,
                            struct mrl_error *error)
{
    const struct mrl_tracee_word *row;

    for (unsigned int i = 0; (row = mrl_tracee_word__at(i)); i++)
        if ((row->kind == kind || (kind == MRL_TRACEE_KEY && row->kind == MRL_TRACEE_OPTION)) &&
            is_word(row, word))
            return answer(row, error);
    return 0;
}

int mrl_tracee_word__answer_letter(char letter, struct mrl_error *error)
{
    const struct mrl_tracee_word *row;

    for (unsigned int i = 0; (row = mrl_tracee_word__at(i)); i++)
        if (row->letter && row->letter == letter)
            return mrl_error__set(error, -EINVAL, "Tracee's -%c: %s", letter, row->answer);
    return 0;
}
