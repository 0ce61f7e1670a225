/* SPDX-License-Identifier: Apache-2.0 */
/* Classic tracepoints, by name. */
#ifndef MRL_SOURCES_TRACEFS_H
#define MRL_SOURCES_TRACEFS_H

/**
 * Opens the tracepoint `category`:`name` for all tasks, as a new perf event descriptor that a
 * program can be attached to. tracefs is read where it is mounted; where it is not, from a mount of
 * its own that no mount table shows and that ends with the call. Errors: -ENOENT no such
 * tracepoint, -EACCES tracefs may not be read, -EPERM, -errno of perf_event_open().
 */
int mrl_tracepoint__open(const char *category, const char *name);

#endif
