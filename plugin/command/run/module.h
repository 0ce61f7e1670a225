/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the modules of sinks, and what these are told of a run. */
#ifndef MRL_COMMAND_RUN_MODULE_H
#define MRL_COMMAND_RUN_MODULE_H

#include <mrelease/mrelease.h>

/**
 * The sink of a row: itself, or from the module that it names, which is loaded at the first call.
 * NULL with a line in `error`: the module is not installed, or of another version. Not thread-safe.
 */
const struct mrl_sink_ops *mrl_module__sink(const struct mrl_sink_ops *row,
                                            struct mrl_error *error);

/** What else the module called `name` offers; otherwise as mrl_module__sink(). */
const void *mrl_module__offers(const char *name, struct mrl_error *error);

/** The run whose log, log level and counters modules may use; `log_level` may be changed by them.
 */
void mrl_modules__begin(void (*log)(void *context, enum mrl_log_level level, const char *text),
                        void *log_context,
                        int *log_level);

/** The probes of `plugin` are proven, and `pipeline` takes their events; NULL: they go. Does
 * nothing where no module is loaded. */
void mrl_modules__ready(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline);

#endif
