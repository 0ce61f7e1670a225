/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that hears from the probes of cgroups that are made and removed. */
#ifndef MRL_PROBE_CHANGES_H
#define MRL_PROBE_CHANGES_H

#include <stddef.h>

struct mrl_changes;

/**
 * Starts to read the ring behind the map's descriptor, which is borrowed. `changed` is called on
 * the thread with what the probes say of a cgroup. `*ret_changes` is new. -errno.
 */
int mrl_changes__start(int map_fd,
                       void (*changed)(void *context, const void *description, size_t size),
                       void *context,
                       struct mrl_changes **ret_changes);

/** Ends the thread, and frees. NULL is allowed. */
void mrl_changes__stop(struct mrl_changes *changes);

#endif
