/* SPDX-License-Identifier: Apache-2.0 */
/* A release for show: a child of ours that holds memory, is killed, and has it released. */
#ifndef MRL_COMMAND_VERBS_RELEASE_H
#define MRL_COMMAND_VERBS_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

/** The name (comm) of the child. */
#define MRL_RELEASE_NAME "mrelease-victim"

/**
 * Starts a child that touches `bytes`, kills it, and calls process_mrelease on it. For show the
 * child also locks some of them; as a trial it does not, and the call is marked: it is no event for
 * sensors that others run (mrl_plugin_options.trials). Returns 0, or -errno of the call: -ESRCH it
 * was gone before, a bigger one takes longer; -ENOMEM there was no child.
 */
int mrl_release__child(size_t bytes, bool trial);

#endif
