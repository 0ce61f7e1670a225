/* SPDX-License-Identifier: Apache-2.0 */
/* From a cgroup's number to its path, and from the path to the container, by Tracee's rules. */
#ifndef MRL_ENRICH_CGROUPS_H
#define MRL_ENRICH_CGROUPS_H

#include <mrelease/event.h>

struct mrl_cgroups;

/** A container's id is cut to this; docker's have 64 bytes. */
enum { MRL_CONTAINER_BYTES = 128 };

/**
 * A bounded cache over the host's cgroup file system; new. Where none is mounted, no cgroup has a
 * container. Error: -ENOMEM.
 */
int mrl_cgroups__new(bool v1, struct mrl_cgroups **ret_cgroups);

/** NULL is allowed. */
void mrl_cgroups__free(struct mrl_cgroups *cgroups);

/** The container of the cgroup with this number; empty: none. Valid until the next call. May block.
 */
struct mrl_text mrl_cgroups__container(struct mrl_cgroups *cgroups, uint64_t cgroup_id);

/** Finds the container's id within a cgroup path (borrowed from it); empty: none. Pure. */
struct mrl_text mrl_container_of_path(const char *path);

#endif
