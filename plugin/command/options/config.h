/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: one YAML mapping whose keys are the long names of options. Reading it
 * checks its form only; what the values mean is for the rows, when they are applied.
 */
#ifndef MRL_COMMAND_OPTIONS_CONFIG_H
#define MRL_COMMAND_OPTIONS_CONFIG_H

#include "command/options/settings.h"

/** A file is no longer than this, and holds no more values; a value or list is no longer. */
enum {
    MRL_CONFIG_BYTES_MAX = 256 * 1024,
    MRL_CONFIG_VALUE_BYTES_MAX = 4096,
    MRL_CONFIG_VALUES_MAX = 1024,
};

/** Whether a file may write the value as a number. */
bool mrl_config__is_number(const struct mrl_option *row);

/** Whether it may be a sequence. */
bool mrl_config__is_list(const struct mrl_option *row);

/** The directory beside a file, of which all *.yaml are read behind it, in the order of names. */
#define MRL_CONFIG_BESIDE "conf.d"

/**
 * Appends what the file at `path` ("-": standard input) says to `settings`, and what the files of
 * conf.d beside it say; or those of the directory at `path`. What is a list adds up; of other keys
 * the last file counts. Blocks as read().
 * Errors: -ENOENT a directory without one; -EINVAL, with "FILE:LINE:COLUMN: " and what is wrong;
 * -ENOMEM; as open() and read().
 */
int mrl_config__read(const char *path,
                     const struct mrl_rows *rows,
                     struct mrl_settings *settings,
                     struct mrl_error *error);

/** The same for `size` bytes in memory, called `name` in messages. */
int mrl_config__parse(const char *name,
                      const char *bytes,
                      size_t size,
                      const struct mrl_rows *rows,
                      struct mrl_settings *settings,
                      struct mrl_error *error);

/** Prints the settings in force as a file that would give the same. Error, with a line: -EINVAL, a
 * value that no file can hold; then nothing is printed. */
int mrl_config__print(const struct mrl_rows *rows,
                      const struct mrl_settings *settings,
                      struct mrl_error *error);

#endif
