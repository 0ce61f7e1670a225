/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Options as rows. The command line, the configuration file, help texts and documentation walk the
 * same rows, so that an option exists everywhere or nowhere.
 */
#ifndef MRELEASE_OPTION_H
#define MRELEASE_OPTION_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** One option. All texts are static. */
struct mrl_option {
    /** Long name without dashes, lower case, words joined by '-'. */
    const char *name;
    /** Short name, '\0': none. */
    char letter;
    /** What the value is, in capitals ("LIST"); NULL: a switch that takes none. */
    const char *value;
    /** The default as a user would write it; NULL: none. */
    const char *preset;
    /** One sentence for people. */
    const char *doc;
    /**
     * Checks `value` and stores it in `target`, the options object that the rows describe. `value`
     * is borrowed for as long as the target lives. Returns 0, or -EINVAL with one line in `error`.
     */
    int (*set)(void *target, const char *value, struct mrl_error *error);
};

/**
 * Finds the row called `name` among `count` rows. Returns it, or NULL with a line in `error` that
 * names the nearest. `what` is the word for a row in that line ("option", "key"). Any thread.
 */
const struct mrl_option *mrl_option__find(const struct mrl_option *rows,
                                          unsigned int count,
                                          const char *what,
                                          const char *name,
                                          struct mrl_error *error);

/** Parses a size: digits and an optional K, M or G (powers of 1024). Errors: -EINVAL, -ERANGE. */
int mrl_parse_bytes(const char *text, uint64_t *ret_bytes, struct mrl_error *error);

/** Parses a duration: digits and ns, us, ms, s, m or h ("1500ms", "10s"). Errors: -EINVAL, -ERANGE.
 */
int mrl_parse_duration(const char *text, uint64_t *ret_ns, struct mrl_error *error);

/** Parses a decimal count ≥ 1. Errors: -EINVAL, -ERANGE. */
int mrl_parse_count(const char *text, uint64_t *ret_count, struct mrl_error *error);

MRL_END_DECLARATIONS

#endif
