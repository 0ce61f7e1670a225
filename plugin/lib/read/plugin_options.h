/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a plugin, checked. */
#ifndef MRL_READ_PLUGIN_OPTIONS_H
#define MRL_READ_PLUGIN_OPTIONS_H

#include <mrelease/plugin.h>

#include "read/source.h"

struct mrl_filter;
struct mrl_start;

/** Completes `given`, and makes of it what a source wants but for the filter and what follows from
 * it. Errors, with a line: -EINVAL. */
int mrl_plugin_options__check(struct mrl_plugin_options *given,
                              struct mrl_source_options *checked,
                              struct mrl_error *error);

/** The filter that they describe; new. Errors: as mrl_filter__new(). */
int mrl_plugin_options__filter(const struct mrl_plugin_options *given,
                               const struct mrl_start *start,
                               struct mrl_filter **ret_filter,
                               struct mrl_error *error);

#endif
