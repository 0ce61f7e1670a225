/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin and its outputs, run until a signal, a count or a time ends it. What run and demo share.
 */
#ifndef MRL_COMMAND_SESSION_SESSION_H
#define MRL_COMMAND_SESSION_SESSION_H

#include "command/run/session_options.h"

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
