/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Options as typed rows. The command line, the configuration file and its schema, the settings of
 * outputs, the plugin for Falco, help, manual and completion walk the same rows, so that an option
 * exists everywhere or nowhere.
 */
#ifndef MRELEASE_OPTION_H
#define MRELEASE_OPTION_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** What a value is, and what the member is that holds it. */
enum mrl_option_type {
    MRL_OPTION_SWITCH,   /**< bool: no value, or "true" or "false" */
    MRL_OPTION_TEXT,     /**< const char *: borrowed, for as long as the target lives */
    MRL_OPTION_PATH,     /**< const char *: as MRL_OPTION_TEXT, the name of a file */
    MRL_OPTION_COPY,     /**< char[size]: a copy, which must not be empty */
    MRL_OPTION_WORD,     /**< const char *: one of the words, the row's own text */
    MRL_OPTION_CHOICE,   /**< int: the index of one of the words */
    MRL_OPTION_SET,      /**< uint32_t: a bit per word; several are joined by ',' */
    MRL_OPTION_BYTES,    /**< uint64_t: as mrl_parse_bytes() */
    MRL_OPTION_DURATION, /**< uint64_t, in ns: as mrl_parse_duration() */
    MRL_OPTION_COUNT,    /**< uint64_t: as mrl_parse_count() */
    MRL_OPTION_MODE,     /**< unsigned int: the permissions of a file that is not executed */
    MRL_OPTION_OWN,      /**< what `parse` makes of it */
};

enum { MRL_OPTION_VALUE_BYTES = 64 };

/** One option. All texts are static. Members that are left out mean none. */
struct mrl_option {
    /** Long name without dashes, lower case, words joined by '-'. */
    const char *name;
    /** Its former name, which is still taken. */
    const char *was;
    enum mrl_option_type type;
    /** Short name. */
    char letter;
    /** Where the member is in the target: offsetof(). */
    size_t offset;
    /** Of MRL_OPTION_COPY, which needs it: bytes of the member. */
    size_t size;
    /** What help calls the value; where it is left out, mrl_option__value() finds a word. */
    const char *value;
    /** The default as a user would write it. */
    const char *preset;
    /** One sentence for people. */
    const char *doc;
    /** A run that reads its configuration anew takes another value; else it needs a restart. */
    bool reloads;
    /** Words, ended by NULL, and a function that gives further ones: NULL after the last. WORD,
     * CHOICE and SET take nothing else; to other types they are what people may want to write. */
    const char *const *words;
    const char *(*word)(unsigned int index);
    /** What error messages call a word, "rung"; by default the name of the option. */
    const char *what;
    /** What may stand behind a word: ',' and another one, ':' and a path; '/': the value is a path
     * as a whole. */
    char separator;
    /** Of BYTES, DURATION and COUNT: limits, both included. A maximum of 0 is none. */
    uint64_t min, max;
    /** How often it may be given. 0: the last one counts; in a list of settings it is an error.
     * Else the member is the first of an array of as many; of MRL_OPTION_OWN, `parse` counts. */
    unsigned int many;
    /** Where an unsigned int counts how often it was given; `many` needs it. 0: nowhere. */
    size_t counter;
    /**
     * For values that have a grammar of their own. Returns 0, or -errno with one line in `error`.
     * It only checks, unless the type is MRL_OPTION_OWN: then it stores in `member`, too.
     */
    int (*parse)(void *member, const char *text, struct mrl_error *error);
};

/** Rows, and the object that they fill. */
struct mrl_option_group {
    const struct mrl_option *rows;
    unsigned int count;
    void *target;
};

/**
 * Finds the row called `name`, now or formerly, among `count` rows. Returns it, or NULL with a line
 * in `error` that names the nearest. `what` is the word for a row in that line ("option", "key").
 * Any thread.
 */
const struct mrl_option *mrl_option__find(const struct mrl_option *rows,
                                          unsigned int count,
                                          const char *what,
                                          const char *name,
                                          struct mrl_error *error);

/** Whether `name` is the former name of `row`: then `warning` names the present one. */
bool mrl_option__is_former(const struct mrl_option *row,
                           const char *name,
                           struct mrl_error *warning);

/**
 * Checks `text` and stores it in `target`; on failure nothing is stored. NULL is a switch that is
 * on. Errors, with one line: -EINVAL, with the nearest word; those of `parse`.
 */
int mrl_option__set(const struct mrl_option *row,
                    void *target,
                    const char *text,
                    struct mrl_error *error);

/** Stores the presets of the rows that take one value, whatever is there: before anything is set.
 */
void mrl_options__preset(const struct mrl_option *rows, unsigned int count, void *target);

/**
 * Sets options as the `size` bytes of "NAME=VALUE,NAME=VALUE" at `text` say; no bytes say nothing.
 * `what` is the word for a row in an error, "output setting". Only present names are taken, each
 * once unless its row says `many`. The text is not kept: no row may be TEXT or PATH. Errors: as
 * mrl_option__set().
 */
int mrl_options__read(const struct mrl_option_group *groups,
                      unsigned int group_count,
                      const char *what,
                      const char *text,
                      size_t size,
                      struct mrl_error *error);

/** The word at `index` of those that a value may be; NULL after the last. */
const char *mrl_option__word(const struct mrl_option *row, unsigned int index);

/**
 * What help calls the value: the row's own word, else its words as "a|b|c", else one of its type,
 * "SIZE". Returns `text`, or a static text; NULL: a switch, which takes none.
 */
const char *mrl_option__value(const struct mrl_option *row, char text[MRL_OPTION_VALUE_BYTES]);

/** Parses a size: digits and an optional K, M or G (powers of 1024). Errors: -EINVAL, -ERANGE. */
int mrl_parse_bytes(const char *text, uint64_t *ret_bytes, struct mrl_error *error);

/** Parses a duration: digits and ns, us, ms, s, m or h ("1500ms", "10s"). Errors: -EINVAL, -ERANGE.
 */
int mrl_parse_duration(const char *text, uint64_t *ret_ns, struct mrl_error *error);

/** Parses a decimal count ≥ 1. Errors: -EINVAL, -ERANGE. */
int mrl_parse_count(const char *text, uint64_t *ret_count, struct mrl_error *error);

MRL_END_DECLARATIONS

#endif
