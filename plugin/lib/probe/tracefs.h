/* SPDX-License-Identifier: Apache-2.0 */
/* What only tracefs tells or does: classic tracepoints by name, probes at the end of functions. */
#ifndef MRL_PROBE_TRACEFS_H
#define MRL_PROBE_TRACEFS_H

/**
 * Opens the tracepoint `category`:`name` for all tasks, as a new perf event descriptor that a
 * program can be attached to. tracefs is read where it is mounted; where it is not, from a mount of
 * its own that no mount table shows and that ends with the call. Errors: -ENOENT no such
 * tracepoint, -EACCES tracefs may not be read, -EPERM, -errno of perf_event_open().
 */
int mrl_tracepoint__open(const char *category, const char *name);

/**
 * Opens a probe at the end of a kernel function as a perf event: one that follows up to 4096 calls
 * at once, where those that perf_event_open() makes by itself follow some ten. `key` tells it from
 * others of this process. The caller owns the descriptor; the definition in tracefs stays until
 * that is closed, and it is swept. Errors: as above, -EACCES only root may define probes.
 */
int mrl_retprobe__open(const char *function, int key);

/** Removes the definitions that nobody uses, also those that a killed process left. */
void mrl_retprobe__sweep(void);

#endif
