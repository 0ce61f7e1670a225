/* SPDX-License-Identifier: Apache-2.0 */
/* What it takes to read a record, beside the record: the clock of its host, and its containers. */
#ifndef MRL_EVENT_HOST_H
#define MRL_EVENT_HOST_H

#include <mrelease/event.h>
#include <mrelease/names.h>

/** "host", "known", "not_found", "unreadable". Static. */
struct mrl_text mrl_lookup__name(enum mrl_lookup lookup);

/** All texts of a container's names together are no longer: the last ones are cut. */
enum { MRL_NAMES_BYTES_MAX = 1024 };

/** What is known of the names of a container. */
struct mrl_named {
    enum mrl_names_result result;
    enum mrl_runtime runtime;
    bool is_sandbox;
    struct mrl_text texts[MRL_NAMES];
    /* Of those that are kept: their copy in the batch that is being filled. Of that copy: what it
     * was made of. See event/named.h. */
    struct mrl_named *copy, *original;
    uint64_t copied_in; /* the serial number of that batch */
};

/** Where a cgroup remembers what a table of names has found for it: no event looks again. Zeroed:
 * nothing. The table's alone. */
struct mrl_names_place {
    void *found;
    uint64_t generation;
};

/** What is known of the container that a cgroup belongs to. */
struct mrl_membership {
    struct mrl_text id; /* empty: none, or not known: `lookup` says which */
    enum mrl_lookup lookup;
    bool confirmed; /* by a name that only the host's root gives: see enrich/cgroups.h */
    bool is_claim;  /* who is in there may have chosen the id: nobody is asked for its names */
    enum mrl_runtime hint;         /* whose it looks like */
    struct mrl_named *named;       /* as it was recorded; NULL: mrl_host.named knows, or nobody */
    struct mrl_names_place *place; /* of this cgroup, where it has one; valid as the id is */
};

/** Owned by one source; one thread. */
struct mrl_host {
    /** boot_ns follows the wall clock when that is set (enrich/host.h). cgroup_v1: /sys/fs/cgroup
     * is no cgroup2. */
    struct mrl_host_facts facts;
    /** The container that a cgroup belongs to. Its id is valid until the next call. May block the
     * first time that a cgroup is seen. NULL: no event has a container. */
    struct mrl_membership (*container)(void *containers, uint64_t cgroup_id);
    /** Takes what the probes say of a cgroup, of any bytes: -EBADMSG. NULL: nobody wants it. */
    int (*describe)(void *containers, const void *description, size_t size);
    void *containers; /* whom they ask */
    /** What is known of the names of a container that has an id; asks for them where nobody has.
     * Never blocks. Valid until the next call. NULL: names are off. */
    struct mrl_named *(*named)(void *names, const struct mrl_membership *container);
    void *names;
};

/** A boot time as ns since the epoch. */
static inline uint64_t mrl_host__epoch(const struct mrl_host *host, uint64_t boot_ns)
{
    return boot_ns + (uint64_t)host->facts.boot_ns;
}

static inline struct mrl_membership mrl_host__container(const struct mrl_host *host,
                                                        uint64_t cgroup_id)
{
    return host->container ? host->container(host->containers, cgroup_id)
                           : (struct mrl_membership){ .id = { "", 0 } };
}

/** NULL: nothing is to be known. */
static inline struct mrl_named *mrl_host__named(const struct mrl_host *host,
                                                const struct mrl_membership *container)
{
    if (container->named || !host->named || !container->id.size)
        return container->named;
    return host->named(host->names, container);
}

#endif
