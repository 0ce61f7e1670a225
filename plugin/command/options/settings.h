/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of a run, as they were written: each is of a layer, and what a higher layer says of an
 * option replaces what the lower ones say of it.
 */
#ifndef MRL_COMMAND_OPTIONS_SETTINGS_H
#define MRL_COMMAND_OPTIONS_SETTINGS_H

#include "command/options/arguments.h"

enum mrl_layer { MRL_LAYER_PROFILE, MRL_LAYER_FILE, MRL_LAYER_ARGUMENTS, MRL_LAYER_COUNT };

/** One option with its value. */
struct mrl_setting {
    enum mrl_layer layer;
    unsigned int row;
    const char *value;   /* NULL: a switch that is on */
    char *owned;         /* the memory of value, where it is of a file */
    size_t line, column; /* in a file, from 1 */
};

/** Zeroed is empty. */
struct mrl_settings {
    struct mrl_setting *list;
    unsigned int count;
    const char *file, *profile; /* borrowed; NULL: none */
    bool print, list_profiles;
    unsigned int in_force; /* when printing: how many at the front of the list */
};

/** Appends one, whose `owned` is stolen also on failure. Error: -ENOMEM. */
int mrl_settings__add(struct mrl_settings *settings, const struct mrl_setting *setting);

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
