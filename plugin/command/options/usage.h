/* SPDX-License-Identifier: Apache-2.0 */
/* The help text of a verb, from its option rows. */
#ifndef MRL_COMMAND_OPTIONS_USAGE_H
#define MRL_COMMAND_OPTIONS_USAGE_H

#include "command/options/rows.h"

/** Prints it to standard output: usage, what the verb does, and each option with what it takes. */
void mrl_usage__print(const struct mrl_verb *verb, const struct mrl_rows *rows);

/** Prints `text`, which is what people write, and what it means, as an option is printed. */
void mrl_usage__print_text(const char *text, const char *doc);

/** Prints text and an empty line. */
void mrl_usage__print_paragraph(const char *text);

/** Prints a row that is written as NAME=VALUE. */
void mrl_usage__print_setting(const struct mrl_option *row);

#endif
