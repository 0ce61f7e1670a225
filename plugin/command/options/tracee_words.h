/* SPDX-License-Identifier: Apache-2.0 */
/* What users of Tracee write, and what it is here, or why it is not needed. */
#ifndef MRL_COMMAND_OPTIONS_TRACEE_WORDS_H
#define MRL_COMMAND_OPTIONS_TRACEE_WORDS_H

#include <mrelease/error.h>

enum mrl_tracee_word_kind {
    MRL_TRACEE_OPTION, /* of the command line; the same word is a key of its configuration file */
    MRL_TRACEE_KEY,    /* of the configuration file alone */
    MRL_TRACEE_FORMAT, /* of --output */
    MRL_TRACEE_VERB,
};

/** All texts are static. */
struct mrl_tracee_word {
    enum mrl_tracee_word_kind kind;
    const char *word;   /* without dashes */
    char letter;        /* of an option; 0: none */
    const char *answer; /* "here ...", or "not needed: ..." */
};

/** The row at `index`; NULL behind the last. */
const struct mrl_tracee_word *mrl_tracee_word__at(unsigned int index);

/** Where Tracee has this word, says what it is here, and returns -EINVAL; else 0. Keys are options
 * as well. */
int mrl_tracee_word__answer(enum mrl_tracee_word_kind kind,
                            const char *word,
                            struct mrl_error *error);

/** The same for the letter of an option. */
int mrl_tracee_word__answer_letter(char letter, struct mrl_error *error);

#endif
