/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin and its outputs, run until a signal, a count or a time ends it. What run and demo share.
 */
#ifndef MRL_COMMAND_RUN_SESSION_H
#define MRL_COMMAND_RUN_SESSION_H

#include <mrelease/mrelease.h>

#include "command/run/outputs.h"

/** Zeroed but for plugin (MRL_PLUGIN_OPTIONS) is a valid start. */
struct mrl_session_options {
    struct mrl_plugin_options plugin;
    struct mrl_outputs outputs;
    uint32_t extras;      /* set of them, for all outputs */
    uint64_t count;       /* of events to deliver; 0: no end */
    uint64_t duration_ns; /* 0: no end */
    int log_level;        /* enum mrl_log_level */
};

/** The rows of the outputs and of ends; the target is a struct mrl_session_options. */
const struct mrl_option *mrl_session_options__rows(unsigned int *ret_count);

/**
 * Opens, calls `ready` (may be NULL; a negative return ends the session as failed), delivers until
 * the end, drains, and prints the totals. SIGINT and SIGTERM end it once, and kill when they come
 * again; SIGHUP reopens files, and says what that did; SIGUSR1 prints the totals so far. Returns an
 * exit status. One at a time in a process.
 */
int mrl_session__run(struct mrl_session_options *options,
                     int (*ready)(struct mrl_session_options *options, void *context),
                     void *context);

#endif
