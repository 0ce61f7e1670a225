/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that somebody else found: the writer of a capture remembers in it what it has written,
 * the reader what it has read. Bounded; one thread.
 */
#ifndef MRL_ENRICH_CONTAINERS_H
#define MRL_ENRICH_CONTAINERS_H

#include "event/host.h"

enum { MRL_CONTAINERS_MAX = 4096 };

/** Zeroed is empty. */
struct mrl_containers {
    struct mrl_container *first;
};

/**
 * Says which container a cgroup belongs to (copies); empty: none. Returns 1 when that is news, else
 * 0. Errors: -E2BIG the text is longer than MRL_CONTAINER_BYTES; -ENOSPC full; -ENOMEM.
 */
int mrl_containers__put(struct mrl_containers *containers, uint64_t cgroup, struct mrl_text id);

/**
 * Says how much is known of what was put last for a cgroup. Returns 1 when that is news, else 0: of
 * an id that was put nothing more is known, and a cgroup without one is the host's. Errors: -ENOSPC
 * full; -ENOMEM.
 */
int mrl_containers__qualify(struct mrl_containers *containers,
                            uint64_t cgroup,
                            enum mrl_lookup lookup,
                            bool confirmed);

/**
 * Says what is known of the names of what was put last for a cgroup (copies). Returns 1 when that
 * is news, else 0. Errors: -EINVAL nothing was put; -ENOMEM.
 */
int mrl_containers__name(struct mrl_containers *containers,
                         uint64_t cgroup,
                         const struct mrl_named *named);

/** The container of a cgroup, as mrl_host.container: its id is valid until the next put or clear.
 */
struct mrl_membership mrl_containers__find(void *containers, uint64_t cgroup);

/** How many cgroups it knows. */
unsigned int mrl_containers__count(const struct mrl_containers *containers);

/** Forgets all, and frees it. */
void mrl_containers__clear(struct mrl_containers *containers);

#endif
