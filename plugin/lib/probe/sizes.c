// SPDX-License-Identifier: Apache-2.0
/* How large the maps of the probes are: by what may be watched, and what is to be told of it. */
#include "probe/sizes.h"

#include <limits.h>
#include <unistd.h>

#include "probe/skeleton.h"

enum {
    KILLS_MAX = 4096, /* the latest processes that were sent SIGKILL */
    /* Calls that may be in flight at once and have their state kept: 2.7 KiB and 0.2 KiB each. */
    TARGET_CALLS_MAX = 512,
    SMALL_CALLS_MAX = 4096,
    FIRSTS_MAX = 65536, /* of fair.h: 512 KiB and 64 KiB */
    OWNERS_MAX = 4096,
};

static bool lane_is_used(uint32_t events, enum mrl_lane lane)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if ((events & (1U << i)) && mrl_event_def__at(i)->lane == lane)
            return true;
    return false;
}

/* A lane that no chosen event uses keeps the smallest ring there is. */
static void size_ring(struct bpf_map *map, uint32_t events, enum mrl_lane lane, uint64_t bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    bpf_map__set_max_entries(map, (uint32_t)(lane_is_used(events, lane) ? bytes : page));
}

/* No constant, although nothing writes to it: an optimising compiler would put the value of this
 * definition into the code below, whatever a test defines. */
unsigned int mrl_tables_max __attribute__((weak)) = UINT_MAX;

/* Slots for exits stand behind the others. A table that no call needs is next to nothing. */
static uint32_t size_table(struct bpf_map *map, bool used, uint32_t wanted, uint32_t behind)
{
    uint32_t slots = !used ? 0 : wanted < mrl_tables_max ? wanted : mrl_tables_max;

    bpf_map__set_max_entries(map, slots + behind && used ? slots + behind : 1);
    return slots;
}

static int size_tables(struct mrelease_bpf *object,
                       const struct mrl_probe_options *options,
                       uint32_t calls)
{
    struct mrl_settings *settings = (void *)&object->rodata->settings;
    bool targets = mrl_probe_options__want_target(options);
    int cpus = libbpf_num_possible_cpus();
    uint32_t spares = MRL_SPARES_PER_CPU * (uint32_t)cpus;

    if (cpus < 0)
        return cpus;
    settings->target_calls =
        size_table(object->maps.target_calls, targets, TARGET_CALLS_MAX, spares);
    settings->small_calls = size_table(object->maps.small_calls,
                                       !targets || calls & ~(1U << MRL_EVENT_PROCESS_MRELEASE),
                                       SMALL_CALLS_MAX, spares);
    settings->firsts = size_table(object->maps.firsts, true, FIRSTS_MAX, 0);
    settings->owners = size_table(object->maps.owners, true, OWNERS_MAX, 0);
    if (!options->may_read_exe)
        bpf_map__set_max_entries(object->maps.callers, 1);
    return 0;
}

int mrl_map_sizes__set(struct mrelease_bpf *object,
                       const struct mrl_probe_options *options,
                       uint32_t syscalls)
{
    if (options->needs & MRL_NEED_KILL)
        bpf_map__set_max_entries(object->maps.kills, KILLS_MAX);
    size_ring(object->maps.rare_records, options->may_watch, MRL_LANE_RARE,
              options->rare_ring_bytes);
    size_ring(object->maps.busy_records, options->may_watch, MRL_LANE_BUSY,
              options->busy_ring_bytes);
    bpf_map__set_autocreate(object->maps.cgroup_changes, options->names);
    return size_tables(object, options, syscalls);
}
