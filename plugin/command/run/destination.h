/* SPDX-License-Identifier: Apache-2.0 */
/* Where an output goes: from a word or a path to a sink, by what the sinks say of themselves. */
#ifndef MRL_COMMAND_RUN_DESTINATION_H
#define MRL_COMMAND_RUN_DESTINATION_H

#include <mrelease/sink.h>

/** A sink, and what it is to open: a part of the text that was read. */
struct mrl_destination {
    const struct mrl_sink_ops *sink;
    const char *text;
};

/** The sink that the format called `format` is for; NULL: any sink of lines takes it. */
const struct mrl_sink_ops *mrl_sink__of_format(const char *format);

/**
 * Finds who takes `format` to `text` (borrowed; NULL: it was left out). Error: -EINVAL, with the
 * nearest word.
 */
int mrl_destination__find(const char *format,
                          const char *text,
                          struct mrl_destination *ret_destination,
                          struct mrl_error *error);

/** Whether `text` begins with the scheme of a sink, and so is no format. */
bool mrl_destination__is_one(const char *text);

/** Whether `text` could be a destination at all. Error: -EINVAL: it is empty, or holds control
 * characters, or a blank at an end. */
int mrl_destination__check(const char *text, struct mrl_error *error);

/** Bytes of the settings in front of a destination, as in "rotate=1G,keep=9:FILE": they hold "="
 * and no "/". 0: there are none, and a colon belongs to the destination. */
size_t mrl_destination__settings_size(const char *text);

#endif
