// SPDX-License-Identifier: Apache-2.0
/* The host's clock and cgroup layout. */
#include "enrich/host.h"

#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/vfs.h>

#include "core/clock.h"
#include "enrich/cgroups.h"
#include "enrich/containers.h"
#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CLOCK_TRIES = 8 };

/*
 * Epoch minus boot time. The wall clock is read between two reads of the boot clock; the try with
 * the shortest distance between them was not preempted, and is off by less than that distance.
 */
static int64_t boot_time(void)
{
    int64_t best = 0, shortest = INT64_MAX;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        int64_t before = mrl_clock__ns(CLOCK_BOOTTIME);
        int64_t wall = mrl_clock__ns(CLOCK_REALTIME);
        int64_t after = mrl_clock__ns(CLOCK_BOOTTIME);

        if (after - before < shortest) {
            shortest = after - before;
            best = wall - (before + (after - before) / 2);
        }
    }
    return best;
}

static bool cgroup_root_is_v1(void)
{
    struct statfs root;

    return statfs(CGROUP_ROOT, &root) || root.f_type != CGROUP2_SUPER_MAGIC;
}

int mrl_host__init(struct mrl_host *host)
{
    struct mrl_cgroups *cgroups;
    bool v1 = cgroup_root_is_v1();
    int err = mrl_cgroups__new(v1, &cgroups);

    if (err)
        return err;
    *host = (struct mrl_host){
        .boot_ns = boot_time(),
        .cgroups = cgroups,
        .cgroup_v1 = v1,
        .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
        .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
    };
    return 0;
}

void mrl_host__done(struct mrl_host *host)
{
    mrl_cgroups__free(host->cgroups);
    host->cgroups = NULL;
}

struct mrl_text mrl_host__container(struct mrl_host *host, uint64_t cgroup_id)
{
    for (unsigned int i = 0; i < host->known_count; i++)
        if (host->known[i].cgroup == cgroup_id)
            return host->known[i].id;
    if (host->recorded)
        return mrl_containers__get(host->recorded, cgroup_id);
    if (!host->cgroups || !cgroup_id)
        return (struct mrl_text){ "", 0 };
    return mrl_cgroups__container(host->cgroups, cgroup_id);
}
