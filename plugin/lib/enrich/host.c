// SPDX-License-Identifier: Apache-2.0
/* The host's clock and cgroup layout. */
#include "enrich/host.h"

#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "enrich/cgroups.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

enum {
    CLOCK_TRIES = 8,
    STEP_NS = 1000 * 1000, /* two looks at two clocks are not that far apart, unless one was set */
};

/*
 * Epoch minus boot time. The wall clock is read between two reads of the boot clock; the try with
 * the shortest distance between them was not preempted, and is off by less than that distance.
 * No time namespace shifts the wall clock, nor this boot clock.
 */
static int64_t boot_time(void)
{
    int64_t best = 0, shortest = INT64_MAX;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        int64_t before = mrl_clock__boot_ns();
        int64_t wall = mrl_clock__ns(CLOCK_REALTIME);
        int64_t after = mrl_clock__boot_ns();

        if (after - before < shortest) {
            shortest = after - before;
            best = wall - (before + (after - before) / 2);
        }
    }
    return best;
}

bool mrl_host__has_cgroup_v1(void)
{
    struct statfs root;

    return statfs(CGROUP_ROOT, &root) || root.f_type != CGROUP2_SUPER_MAGIC;
}

static struct mrl_membership container_of_cgroup(void *cgroups, uint64_t cgroup_id)
{
    /* A kernel without cgroups numbers none. */
    return cgroup_id ? mrl_cgroups__container(cgroups, cgroup_id)
                     : (struct mrl_membership){ .id = { "", 0 } };
}

static int describe_cgroup(void *cgroups, const void *description, size_t size)
{
    return mrl_cgroups__describe(cgroups, description, size);
}

int mrl_host__init(struct mrl_host *host)
{
    struct mrl_cgroups *cgroups;
    bool v1 = mrl_host__has_cgroup_v1();
    int err = mrl_cgroups__new(v1, &cgroups);

    if (err)
        return err;
    *host = (struct mrl_host){
        .facts = { .boot_ns = boot_time(),
                   .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
                   .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
                   .cgroup_v1 = v1 },
        .container = container_of_cgroup,
        .describe = describe_cgroup,
        .containers = cgroups,
    };
    return 0;
}

static bool is_step(int64_t change_ns)
{
    return change_ns > STEP_NS || change_ns < -STEP_NS;
}

int64_t mrl_host__follow_clock(struct mrl_host *host)
{
    /* Both clocks are slowed and hastened alike: their distance changes only when one is set. */
    int64_t change = mrl_clock__ns(CLOCK_REALTIME) - mrl_clock__boot_ns() - host->facts.boot_ns;

    if (!is_step(change))
        return 0;
    /* Perhaps this thread was held up between the two looks. */
    change = boot_time() - host->facts.boot_ns;
    if (!is_step(change))
        return 0;
    host->facts.boot_ns += change;
    return change;
}

void mrl_host__done(struct mrl_host *host)
{
    mrl_cgroups__free(host->containers);
    *host = (struct mrl_host){ .facts = host->facts };
}

int mrl_host__open_clock(void)
{
    const struct itimerspec never = { .it_value.tv_sec = INT32_MAX * INT64_C(2) };
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0)
        timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
    return fd;
}
