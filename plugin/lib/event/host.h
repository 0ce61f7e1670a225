/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to read a record, beside the record: the clock of its host, and its containers. */
#ifndef MRL_EVENT_HOST_H
#define MRL_EVENT_HOST_H

#include <mrelease/event.h>

/** Owned by one source; one thread. */
struct mrl_host {
    /** boot_ns follows the wall clock when that is set (enrich/host.h). cgroup_v1: /sys/fs/cgroup is no cgroup2. */
    struct mrl_host_facts facts;
    /**
     * The container that a cgroup belongs to; empty: none, or the cgroup is gone. Valid until the
     * next call. May block the first time that an id is seen. NULL: no event has a container.
     */
    struct mrl_text (*container)(void *containers, uint64_t cgroup_id);
    void *containers; /* whom container() asks */
};

/** A boot time as ns since the epoch. */
static inline uint64_t mrl_host__epoch(const struct mrl_host *host, uint64_t boot_ns)
{
    return boot_ns + (uint64_t)host->facts.boot_ns;
}

static inline struct mrl_text mrl_host__container(const struct mrl_host *host, uint64_t cgroup_id)
{
    return host->container ? host->container(host->containers, cgroup_id)
                           : (struct mrl_text){ "", 0 };
}

#endif
