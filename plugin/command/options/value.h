/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the value of an option is, by the word that its row has for it ("SIZE", "a|b|c"): how the
 * configuration file writes it, how the schema describes it, and which words complete it.
 */
#ifndef MRL_COMMAND_OPTIONS_VALUE_H
#define MRL_COMMAND_OPTIONS_VALUE_H

#include <mrelease/option.h>
#include <stdbool.h>

enum mrl_value_form {
    MRL_VALUE_ONE,    /* one value; the last one given counts */
    MRL_VALUE_COMMAS, /* a list: "a,b" in one value, or a sequence of them */
    MRL_VALUE_MANY,   /* may be given several times, or as a sequence */
};

enum mrl_value_type {
    MRL_VALUE_TEXT,
    MRL_VALUE_NUMBER, /* a number, or text that begins with one: 8M */
    MRL_VALUE_SWITCH, /* true or false */
};

enum { MRL_WORD_BYTES = 48 };

/** A row per kind of value. Static. */
struct mrl_value_kind {
    /** As in mrl_option.value. */
    const char *name;
    enum mrl_value_form form;
    enum mrl_value_type type;
    /** A regular expression that all right texts match (and maybe some wrong ones); NULL: none. */
    const char *pattern;
    /** The word at `index` that people may want to write; NULL after the last. NULL: none. */
    const char *(*word)(unsigned int index);
    /** ',': words may be joined by it; ':': a path may follow a word behind it; '\0': neither. */
    char separator;
    bool closed; /* nothing but these words is right */
    bool is_path;
};

/** The kind of a row's value. Never NULL: what no row of the table is for is one text. */
const struct mrl_value_kind *mrl_value__kind(const struct mrl_option *row);

/**
 * Copies the word at `index` of those that a row's value may be. Returns false after the last.
 */
bool mrl_value__word(const struct mrl_option *row,
                     unsigned int index,
                     char ret_word[MRL_WORD_BYTES]);

/** The words for the operand of a verb, as mrl_verb.operands spells it. As mrl_value__word(). */
bool mrl_value__operand_word(const char *operands,
                             unsigned int index,
                             char ret_word[MRL_WORD_BYTES]);

#endif
