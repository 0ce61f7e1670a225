/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user space knows of the host beside the records: its clock and its containers. Owned by one
 * source; one thread.
 */
#ifndef MRL_ENRICH_HOST_H
#define MRL_ENRICH_HOST_H

#include <mrelease/event.h>

struct mrl_cgroups;
struct mrl_containers;

/** A container that came with the records. */
struct mrl_known_container {
    uint64_t cgroup;
    struct mrl_text id;
};

struct mrl_host {
    /** Add to a CLOCK_BOOTTIME time to get ns since the epoch. Estimated once, as Tracee does. */
    int64_t boot_ns;
    /** Looks containers up; NULL: no event has a container. */
    struct mrl_cgroups *cgroups;
    /** Containers that were found when a capture was recorded, borrowed; NULL: cgroups are asked.
     */
    const struct mrl_containers *recorded;
    /** Those that came along with the only record; borrowed, asked before all else. */
    const struct mrl_known_container *known;
    unsigned int known_count;
    /** cgroupId is that of the first v1 hierarchy: /sys/fs/cgroup is no cgroup2 file system. */
    bool cgroup_v1;
    uint32_t page_bytes;
    uint32_t cpus;
};

/** Reads this host. Error: -ENOMEM. */
int mrl_host__init(struct mrl_host *host);

/** Frees what init made; a zeroed host is allowed. */
void mrl_host__done(struct mrl_host *host);

/** What it takes to compute the fields of its records. */
static inline struct mrl_host_facts mrl_host__facts(const struct mrl_host *host)
{
    return (struct mrl_host_facts){ host->boot_ns, host->page_bytes, host->cpus, host->cgroup_v1 };
}

/** A boot time as ns since the epoch. */
static inline uint64_t mrl_host__epoch(const struct mrl_host *host, uint64_t boot_ns)
{
    return boot_ns + (uint64_t)host->boot_ns;
}

/**
 * The container that a cgroup belongs to; empty: none, or the cgroup is gone. Valid until the next
 * call. Blocks on the cgroup file system the first time that an id is seen.
 */
struct mrl_text mrl_host__container(struct mrl_host *host, uint64_t cgroup_id);

#endif
