/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a cgroup's number to its container. Where the names come from: the probes, which tell them
 * before the first event of a cgroup; or, where that was lost, the file system.
 */
#ifndef MRL_ENRICH_CGROUPS_H
#define MRL_ENRICH_CGROUPS_H

#include <abi/record.h>
#include <limits.h>

#include "event/host.h"

struct mrl_cgroups;

/** No id is longer; in captures there is room for this. */
enum { MRL_CONTAINER_ID_BYTES = 64, MRL_CONTAINER_BYTES = 128 };

/** A bounded cache over the host's cgroup file system; new. Error: -ENOMEM. */
int mrl_cgroups__new(bool v1, struct mrl_cgroups **ret_cgroups);

/** NULL is allowed. */
void mrl_cgroups__free(struct mrl_cgroups *cgroups);

/** Takes what the probes say of a cgroup, of any bytes. Error: -EBADMSG. */
int mrl_cgroups__describe(struct mrl_cgroups *cgroups, const void *description, size_t size);

/** The container of the cgroup with this number. Its id is valid until the next call. May block
 * where the probes did not say it. */
struct mrl_membership mrl_cgroups__container(struct mrl_cgroups *cgroups, uint64_t cgroup_id);

/** What a cgroup path says of containers; texts are borrowed from it. */
struct mrl_container_path {
    struct mrl_text id;    /* empty: the path names none */
    struct mrl_text outer; /* the outermost container around it, where there is one */
    bool is_claim;         /* whoever is in there, or that user, can make cgroups of any name */
    bool confirmed;        /* no claim, and of a shape that Tracee knows */
    enum mrl_runtime hint; /* whose sign stands beside the id */
};

enum { MRL_DESCRIBED_PATH_BYTES = MRL_CGROUP_NODES * (MRL_CGROUP_NAME_BYTES + 1) + 1 };

/** The path that the probes say, of any bytes. `*ret_is_whole`: nothing is missing at its front.
 * Error: -EBADMSG. Pure. */
int mrl_cgroups__path(const void *description,
                      size_t size,
                      char path[MRL_DESCRIBED_PATH_BYTES],
                      bool *ret_is_whole);

/** Pure. */
struct mrl_container_path mrl_container_path__parse(const char *path);

/** Where the hierarchy is mounted whose cgroups the probes number. False: nowhere. */
bool mrl_cgroups__find_root(bool v1, char path[PATH_MAX]);

#endif
