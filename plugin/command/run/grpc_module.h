/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the module that serves gRPC, and what it is told of a run. */
#ifndef MRL_COMMAND_RUN_GRPC_MODULE_H
#define MRL_COMMAND_RUN_GRPC_MODULE_H

#include <mrelease/mrelease.h>
#include <stdbool.h>

/** Where Tracee's clients look. */
#define MRL_GRPC_DESTINATION "unix:/var/run/tracee.sock"

struct mrl_grpc_client;

/** Whether the module's sink takes this format. */
bool mrl_grpc_module__is_format(const char *format);

/** Whether a server could be asked for so, once the module is loaded. Error: -EINVAL, with a line.
 */
int mrl_grpc_module__check(const char *settings, const char *destination, struct mrl_error *error);

/** Whether an output of this name ("FORMAT[,SETTINGS][:DESTINATION]") is the module's: what it was
 * given is then with gRPC, and nobody knows whether it was read. */
bool mrl_grpc_module__is_output(const char *name);

/** How the next server that is opened serves: a format, and settings as module.h has them. */
void mrl_grpc_module__prepare(const char *format, const char *settings);

/**
 * The module's sink, which is loaded at the first call. NULL with a line in `error`: it is not
 * installed, or of another version. Not thread-safe.
 */
const struct mrl_sink_ops *mrl_grpc_module__sink(struct mrl_error *error);

/** What clients do (grpc/common/module.h); as mrl_grpc_module__sink(). */
const struct mrl_grpc_client *mrl_grpc_module__client(struct mrl_error *error);

/** The run whose log, log level and counters the module may use; `log_level` is changed by clients.
 */
void mrl_grpc_module__begin(void (*log)(void *context, enum mrl_log_level level, const char *text),
                            void *log_context,
                            int *log_level);

/** The probes of `plugin` are proven; NULL: they go. Does nothing where no module is loaded. */
void mrl_grpc_module__ready(struct mrl_plugin *plugin);

#endif
