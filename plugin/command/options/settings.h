/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of a run, as they were written: each is of a layer, and what a higher layer says of an
 * option replaces what the lower ones say of it.
 */
#ifndef MRL_COMMAND_OPTIONS_SETTINGS_H
#define MRL_COMMAND_OPTIONS_SETTINGS_H

#include "command/options/arguments.h"

enum { MRL_CONFIG_FILES_MAX = 64 };

enum mrl_layer { MRL_LAYER_PROFILE, MRL_LAYER_FILE, MRL_LAYER_ARGUMENTS, MRL_LAYER_COUNT };

/** One option with its value. */
struct mrl_setting {
    enum mrl_layer layer;
    unsigned int row;
    const char *value;   /* NULL: a switch that is on */
    char *owned;         /* the memory of value, where it is of a file */
    const char *file;    /* which; borrowed from the list of files */
    size_t line, column; /* in it, from 1 */
};

/** Zeroed is empty. */
struct mrl_settings {
    struct mrl_setting *list;
    unsigned int count;
    const char *file, *profile;        /* as they were named; borrowed; NULL: none */
    char *files[MRL_CONFIG_FILES_MAX]; /* that were read for it, in this order */
    unsigned int file_count;
    /* Takes what is wrong, one line after the other, so that reading goes on; NULL: the first fault
     * ends it. */
    void (*fault)(void *context, const char *text);
    /* Looks at a value that was applied; -errno, with a line: it is wrong. NULL: nobody does. */
    int (*applied)(void *context,
                   const struct mrl_setting *setting,
                   const struct mrl_option *row,
                   struct mrl_error *error);
    void *context; /* of both */
    bool is_again; /* read while a run goes on: nothing may be waited for */
    bool print, list_profiles;
    unsigned int in_force; /* when printing: how many at the front of the list */
};

/** Appends one, whose `owned` is stolen also on failure. Error: -ENOMEM. */
int mrl_settings__add(struct mrl_settings *settings, const struct mrl_setting *setting);

/** Forgets what a layer says of a row. */
void mrl_settings__take_off(struct mrl_settings *settings, enum mrl_layer layer, unsigned int row);

/** Hands a fault to who takes them, and returns 0: reading goes on. Returns `err` where nobody
 * does, or memory ran out. */
int mrl_settings__fault(const struct mrl_settings *settings, int err, const char *text);

/** Whether no higher layer speaks of the same row. */
bool mrl_settings__is_in_force(const struct mrl_settings *settings,
                               const struct mrl_setting *setting);

/** Whether both say the same of the row with this number, which is `option`; what they leave out
 * is its preset. */
bool mrl_settings__agree(const struct mrl_settings *one,
                         const struct mrl_settings *other,
                         const struct mrl_option *option,
                         unsigned int row);

/** Puts what is in force at the front of the list, an option that takes one value once, and counts
 * it in `in_force`. */
void mrl_settings__forget_overridden(struct mrl_settings *settings, const struct mrl_rows *rows);

/** Frees the list and what it owns. Zeroed is allowed. */
void mrl_settings__free(struct mrl_settings *settings);

#endif
