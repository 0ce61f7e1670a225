// SPDX-License-Identifier: Apache-2.0
/* The probes of one rung: load, attach, prove, count, detach. */
#include "sources/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "core/filter.h"
#include "sources/cpus.h"
#include "sources/proof.h"
#include "sources/reaper.h"
#include "sources/skeleton.h"
#include "sources/tracefs.h"

enum {
    NAME_MAX_BYTES = 64,
    KILLS_MAX = 4096, /* processes killed, and not yet released */
};

uint32_t mrl_probes__syscalls(uint32_t events)
{
    uint32_t syscalls = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__count(); j++)
            if ((events & (1U << i)) && mrl_event_def__at(j)->is_syscall &&
                !strcmp(mrl_event_def__at(i)->syscall, mrl_event_def__at(j)->name))
                syscalls |= 1U << j;
    return syscalls;
}

static bool belongs(const struct bpf_program *program, const struct mrl_rung *rung)
{
    const char *name = bpf_program__name(program);
    size_t size = strlen(rung->name);

    return !strncmp(name, rung->name, size) && !strncmp(name + size, "__", 2);
}

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

static int load(struct mrl_probes *probes,
                const struct mrl_rung *rung,
                const struct mrl_source_options *options,
                bool cgroup_v1)
{
    struct bpf_program *program;
    uint64_t cookie;

    probes->rung = rung;
    probes->object = mrelease_bpf__open();
    if (!probes->object)
        return -errno;
    bpf_object__for_each_program(program, probes->object->obj)
        bpf_program__set_autoload(program, belongs(program, rung));
    if (options->needs & MRL_NEED_KILL) {
        bpf_program__set_autoload(probes->object->progs.kill__signal_generate, true);
        bpf_map__set_max_entries(probes->object->maps.kills, KILLS_MAX);
    }
    size_ring(probes->object->maps.rare_records, options->events, MRL_LANE_RARE,
              options->rare_ring_bytes);
    size_ring(probes->object->maps.mlock_records, options->events, MRL_LANE_MLOCK,
              options->mlock_ring_bytes);
    if (getrandom(&cookie, sizeof(cookie), 0) != sizeof(cookie))
        return -errno;
    probes->object->rodata->settings.self_cookie = cookie | 1ULL
                                                                << 63; /* never a 32-bit argument */
    /* Seven eighths. */
    probes->object->rodata->settings.failing_limit =
        options->rare_ring_bytes - options->rare_ring_bytes / 8;
    probes->object->rodata->settings.events = options->events;
    probes->object->rodata->settings.cgroup_v1 = cgroup_v1;
    probes->object->rodata->settings.needs = options->needs;
    if (options->cpus) {
        probes->object->rodata->settings.cpus = options->cpus->count;
        memcpy(probes->object->rodata->settings.cpu_offsets, options->cpus->offsets,
               sizeof(options->cpus->offsets));
    }
    probes->object->rodata->settings.caller_exe = options->caller_exe;
    mrl_filter__rules(options->filter, &probes->object->rodata->rules);
    return mrelease_bpf__load(probes->object);
}

static int keep_link(struct mrl_probes *probes, struct bpf_link *link)
{
    if (!link)
        return -errno;
    if (probes->link_count == MRL_LINKS_MAX) {
        bpf_link__destroy(link);
        return -E2BIG;
    }
    probes->links[probes->link_count++] = link;
    return 0;
}

static int attach_tracepoint(struct mrl_probes *probes,
                             struct bpf_program *program,
                             const char *name)
{
    int event = mrl_tracepoint__open("syscalls", name), err;

    if (event < 0)
        return event;
    err = keep_link(probes, bpf_program__attach_perf_event(program, event)); /* the link owns it */
    if (err)
        close(event);
    return err;
}

/* `moment` is "sys_enter" or "sys_exit". */
static int attach_moment(struct mrl_probes *probes, const char *moment, uint32_t syscalls)
{
    struct bpf_program *program;
    char name[NAME_MAX_BYTES];
    int err = 0;

    snprintf(name, sizeof(name), "%s__%s", probes->rung->name, moment);
    program = bpf_object__find_program_by_name(probes->object->obj, name);
    if (!program)
        return -ENOENT;
    if (!probes->rung->per_syscall)
        return keep_link(probes, bpf_program__attach(program));
    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++) {
        if (!(syscalls & (1U << i)))
            continue;
        snprintf(name, sizeof(name), "%s_%s", moment, mrl_event_def__at(i)->name);
        err = attach_tracepoint(probes, program, name);
    }
    return err;
}

static uint64_t boot_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/*
 * Exits first: an exit program ends the state of each call that it sees, so none is left open by a
 * call that returned between the two. Nothing is reported before both are there.
 */
static int attach(struct mrl_probes *probes, uint32_t syscalls)
{
    struct bpf_program *kill = probes->object->progs.kill__signal_generate;
    int err = attach_moment(probes, "sys_exit", syscalls);

    if (!err && bpf_program__autoload(kill))
        err = keep_link(probes, bpf_program__attach(kill));
    if (!err)
        err = attach_moment(probes, "sys_enter", syscalls);
    if (!err) {
        probes->object->bss->armed_ns = boot_ns();
        __atomic_store_n(&probes->object->bss->armed, 1, __ATOMIC_RELEASE);
    }
    return err;
}

static int prove(struct mrl_probes *probes, uint32_t syscalls)
{
    uint64_t cookie = probes->object->rodata->settings.self_cookie;
    int err = mrl_proof__call(syscalls, cookie);

    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++) {
        struct mrl_event_counts counts;

        if (!(syscalls & (1U << i)))
            continue;
        err = mrl_probes__counters(probes, i, &counts);
        if (!err && !counts.self)
            err = -ENODATA;
    }
    return err;
}

int mrl_probes__open(const struct mrl_rung *rung,
                     const struct mrl_source_options *options,
                     bool cgroup_v1,
                     const char **ret_stage,
                     struct mrl_probes *ret_probes)
{
    uint32_t syscalls = mrl_probes__syscalls(options->events);
    struct mrl_probes probes = { 0 };
    const char *stage = "load";
    int err = load(&probes, rung, options, cgroup_v1);

    if (!err) {
        stage = "attach";
        err = attach(&probes, syscalls);
    }
    if (!err) {
        stage = "proof";
        err = prove(&probes, syscalls);
    }
    if (err) {
        mrl_probes__close(&probes);
        *ret_stage = stage;
        return err;
    }
    *ret_probes = probes;
    return 0;
}

int mrl_probes__read_counters(const struct mrl_probes *probes,
                              unsigned int event,
                              struct mrl_event_counters *ret_counters,
                              unsigned int cpus)
{
    return bpf_map__lookup_elem(probes->object->maps.event_counters, &event, sizeof(event),
                                ret_counters, cpus * sizeof(*ret_counters), 0);
}

int mrl_probes__missed(const struct mrl_probes *probes, uint64_t *ret_missed)
{
    struct bpf_program *program;
    uint64_t missed = probes->reaper_missed;
    int err = 0;

    bpf_object__for_each_program(program, probes->object->obj) {
        struct bpf_prog_info info = { 0 };
        __u32 size = sizeof(info);

        if (!bpf_program__autoload(program))
            continue;
        err = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
        if (err)
            return err;
        missed += info.recursion_misses;
    }
    err = mrl_reaper__missed(probes->reaper, &missed);
    if (!err)
        *ret_missed = missed;
    return err;
}

int mrl_probes__counters(const struct mrl_probes *probes,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts)
{
    int cpus = libbpf_num_possible_cpus(), err;
    struct mrl_event_counters *each;

    if (cpus < 0)
        return cpus;
    each = calloc((size_t)cpus, sizeof(*each));
    if (!each)
        return -ENOMEM;
    err = mrl_probes__read_counters(probes, event, each, (unsigned int)cpus);
    if (!err)
        *ret_counts = (struct mrl_event_counts){ 0 };
    for (int cpu = 0; !err && cpu < cpus; cpu++) {
        ret_counts->seen += each[cpu].seen;
        ret_counts->submitted += each[cpu].submitted;
        ret_counts->refused += each[cpu].refused;
        ret_counts->no_memory += each[cpu].no_memory;
        ret_counts->self += each[cpu].self;
        ret_counts->filtered += each[cpu].filtered;
    }
    free(each);
    return err;
}

void mrl_probes__detach(struct mrl_probes *probes)
{
    if (!probes->link_count)
        return;
    for (unsigned int i = 0; i < probes->link_count; i++)
        bpf_link__destroy(probes->links[i]);
    probes->link_count = 0;
    mrl_reaper__missed(probes->reaper, &probes->reaper_missed);
    mrl_reaper__close(probes->reaper);
    probes->reaper = NULL;
    /* A grace period: the programs that ran when the links went have ended, and counted. */
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void mrl_probes__close(struct mrl_probes *probes)
{
    if (!probes->object)
        return;
    mrl_probes__detach(probes);
    mrelease_bpf__destroy(probes->object);
    *probes = (struct mrl_probes){ 0 };
}
