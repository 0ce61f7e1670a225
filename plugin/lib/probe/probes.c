// SPDX-License-Identifier: Apache-2.0
/* The probes of one rung: load, attach, prove, configure, detach. */
#include "probe/probes.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "filter/filter.h"
#include "probe/cpus.h"
#include "probe/hooks.h"
#include "probe/missed_runs.h"
#include "probe/proof.h"
#include "probe/reaper.h"
#include "probe/sizes.h"
#include "probe/skeleton.h"

enum { PROOF_TRIES = 3 /* in a flood, one may find no room */ };

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

/* The exit program of another rung that stands beside this one. */
static struct bpf_program *program_beside(const struct mrl_probes *probes)
{
    if (!probes->rung->beside || strcmp(probes->coverage, "all") != 0)
        return NULL;
    return mrl_hook__exit_program(probes, probes->rung->beside);
}

static int choose_programs(struct mrl_probes *probes, const struct mrl_probe_options *options)
{
    struct bpf_program *program;

    /* One program that a kernel refuses fails the whole object: only what this rung needs is
     * loaded. */
    bpf_object__for_each_program(program, probes->object->obj)
        bpf_program__set_autoload(program, false);
    program = program_beside(probes);
    if (program)
        bpf_program__set_autoload(program, true);
    return mrl_hook__of(probes->rung)->choose(probes, mrl_probes__syscalls(options->may_watch));
}

/* But for the sizes of maps, which sizes.c knows. */
static int fill_settings(struct mrl_settings *settings, const struct mrl_probe_options *options)
{
    uint64_t random[2]; /* a cookie and a seed */

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return -errno;
    settings->self_cookie = random[0] | 1ULL << 63; /* never a 32-bit argument */
    settings->seed = random[1];
    settings->crowded = options->rare_ring_bytes - options->rare_ring_bytes / 8;
    settings->nearly_full = options->rare_ring_bytes - options->rare_ring_bytes / 16;
    settings->events = options->may_watch;
    settings->needs = options->needs;
    settings->x32 = options->x32;
    settings->trials = options->trials;
    settings->reap_kill = options->reap_kill;
    settings->caller_exe = options->may_read_exe;
    if (options->cpus) {
        settings->cpus = options->cpus->count;
        memcpy(settings->cpu_offsets, options->cpus->offsets, sizeof(options->cpus->offsets));
    }
    return 0;
}

static int load(struct mrl_probes *probes,
                const struct mrl_rung *rung,
                const struct mrl_probe_options *options,
                bool cgroup_v1)
{
    int err;

    probes->rung = rung;
    probes->coverage = options->coverage;
    probes->caller_exe = options->caller_exe;
    probes->object = mrelease_bpf__open();
    if (!probes->object)
        return -errno;
    err = choose_programs(probes, options);
    if (err)
        return err;
    if (options->needs & MRL_NEED_KILL)
        bpf_program__set_autoload(probes->object->progs.kill__signal_generate, true);
    bpf_program__set_autoload(probes->object->progs.names__cgroup_mkdir, options->names);
    bpf_program__set_autoload(probes->object->progs.names__cgroup_rmdir, options->names);
    err = mrl_map_sizes__set(probes->object, options, mrl_probes__syscalls(options->may_watch));
    if (err)
        return err;
    err = fill_settings((void *)&probes->object->rodata->settings, options);
    if (err)
        return err;
    probes->object->rodata->settings.beside = program_beside(probes) != NULL;
    probes->object->rodata->settings.cgroup_v1 = cgroup_v1;
    mrl_hook__skip_modules(probes->object);
    return mrelease_bpf__load(probes->object);
}

/* -- attaching -------------------------------------------------------------------------------- */

/* What a kernel without cgroups lacks: nobody is in a container there. */
static void attach_names(struct mrl_probes *probes)
{
    struct bpf_program *programs[] = { probes->object->progs.names__cgroup_mkdir,
                                       probes->object->progs.names__cgroup_rmdir };

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (bpf_program__autoload(programs[i]))
            mrl_hook__attach_program(probes, programs[i], MRL_ALL_SYSCALLS);
}

/*
 * Exits first: an exit program ends the state of each call that it sees, so none is left open by a
 * call that returned between the two. Before them the one that stands beside: it must see the end
 * of each call that a function's exit has marked. Nothing is reported before all are there.
 */
static int attach(struct mrl_probes *probes, uint32_t syscalls)
{
    struct bpf_program *kill = probes->object->progs.kill__signal_generate;
    const struct mrl_hook *hook = mrl_hook__of(probes->rung);
    struct bpf_program *beside = program_beside(probes);
    int err = 0;

    if (!probes->syscalls && beside)
        err = mrl_hook__attach_program(probes, beside, MRL_ALL_SYSCALLS);
    if (!err && !probes->syscalls && bpf_program__autoload(kill))
        err = mrl_hook__attach_program(probes, kill, MRL_ALL_SYSCALLS);
    if (!err && !probes->syscalls)
        attach_names(probes);
    if (!err)
        err = hook->attach(probes, MRL_MOMENT_EXIT, syscalls);
    if (!err)
        err = hook->attach(probes, MRL_MOMENT_ENTER, syscalls);
    return err;
}

static bool belongs(const struct mrl_attached *attached, uint32_t syscalls, uint32_t left)
{
    return attached->syscall == MRL_ALL_SYSCALLS ? !left : (syscalls >> attached->syscall) & 1;
}

/*
 * Until the programs that run now have ended: the kernel does so after an update of a map of maps.
 * membarrier() stands in where an older kernel wants capabilities for that, which may be gone; it
 * waits for nobody on one CPU, and not at all where CPUs run without ticks.
 */
static void wait_for_programs(const struct mrl_probes *probes)
{
    const __u32 first = 0, inner = (__u32)bpf_map__fd(probes->object->maps.nothing);

    if (bpf_map_update_elem(bpf_map__fd(probes->object->maps.all_ended), &first, &inner, BPF_ANY))
        syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* The links of these calls; the last ones take those of all calls along. Order stays. */
static void detach(struct mrl_probes *probes, uint32_t syscalls)
{
    uint32_t left = probes->syscalls & ~syscalls;
    unsigned int kept = 0;
    uint64_t missed = probes->missed_by_links;

    for (unsigned int i = 0; i < probes->link_count; i++) {
        if (belongs(&probes->links[i], syscalls, left)) {
            /* First, since the kernel forgets this number together with the link. */
            missed += mrl_missed_runs__of_link(probes->links[i].link);
            bpf_link__destroy(probes->links[i].link);
        } else {
            probes->links[kept++] = probes->links[i];
        }
    }
    __atomic_store_n(&probes->missed_by_links, missed, __ATOMIC_RELAXED);
    if (kept == probes->link_count)
        return;
    probes->link_count = kept;
    if (mrl_hook__of(probes->rung)->clean)
        mrl_hook__of(probes->rung)->clean();
    wait_for_programs(probes);
}

/* -- proving ---------------------------------------------------------------------------------- */

/* Only a child of ours is believed, and only now. Without /proc the namespace is not looked at. */
static int call_as_parent(struct mrl_probes *probes, unsigned int event, enum mrl_proof_way way)
{
    struct mrelease_bpf__bss *shared = probes->object->bss;
    struct stat own;
    int outcome;

    /* Nobody else counts there, and nobody proves now. */
    shared->own_proofs[event] = shared->own_entries[event] = 0;
    shared->prover_pid_ns = stat("/proc/self/ns/pid", &own) ? 0 : (uint32_t)own.st_ino;
    __atomic_store_n(&shared->prover_pid, (uint32_t)getpid(), __ATOMIC_SEQ_CST);
    outcome = mrl_proof__call(event, way, probes->object->rodata->settings.self_cookie);
    __atomic_store_n(&shared->prover_pid, 0, __ATOMIC_SEQ_CST);
    return outcome;
}

/* The way is not claimed: started and doctor say so. */
static void note_unproven(struct mrl_probes *probes, enum mrl_proof_way way)
{
    const char *name = mrl_proof_way__name(way);
    size_t used = strlen(probes->unproven);

    if (!strstr(probes->unproven, name))
        snprintf(probes->unproven + used, sizeof(probes->unproven) - used, "%s%s", used ? "," : "",
                 name);
}

/*
 * Each call must be seen exactly once, from its entry on. When one is seen twice, two probes report
 * the same call. One that a filter refuses proves nothing of the entry; the probes of tracepoints
 * see its end at least.
 */
static int prove_way(struct mrl_probes *probes, unsigned int event, enum mrl_proof_way way)
{
    const struct mrelease_bpf__bss *shared = probes->object->bss;
    int outcome = call_as_parent(probes, event, way);

    if (outcome < 0 || outcome == MRL_PROOF_CLOSED ||
        (way != MRL_PROOF_NATIVE && !probes->rung->sees_compat))
        return outcome < 0 ? outcome : 0;
    if (outcome == MRL_PROOF_MADE)
        return shared->own_entries[event] == 1 && shared->own_proofs[event] == 1 ? 0
               : shared->own_proofs[event] > 1                                   ? -ENOTUNIQ
                                                                                 : -ENODATA;
    note_unproven(probes, way);
    return way != MRL_PROOF_NATIVE || (probes->rung->sees_blocked && shared->own_proofs[event] == 1)
               ? 0
               : -EACCES;
}

static int prove(struct mrl_probes *probes, uint32_t syscalls)
{
    int err = 0;

    for (unsigned int i = 0; i < mrl_event_def__count() * MRL_PROOF_WAY_COUNT; i++) {
        unsigned int event = i / MRL_PROOF_WAY_COUNT;

        if (!err && (syscalls & (1U << event)))
            err = prove_way(probes, event, (enum mrl_proof_way)(i % MRL_PROOF_WAY_COUNT));
    }
    return err;
}

uint32_t mrl_probes__find_unseen(struct mrl_probes *probes)
{
    const struct mrelease_bpf__bss *shared = probes->object->bss;
    uint32_t unseen = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        bool is_seen = !(probes->syscalls & (1U << i));

        for (int tries = 0; !is_seen && tries < PROOF_TRIES; tries++)
            is_seen = call_as_parent(probes, i, MRL_PROOF_NATIVE) != MRL_PROOF_MADE ||
                      shared->own_proofs[i];
        unseen |= is_seen ? 0 : 1U << i;
    }
    return unseen;
}

/* -- configuring ------------------------------------------------------------------------------ */

static void set_followed(struct mrl_probes *probes, uint32_t syscalls)
{
    __atomic_store_n(&probes->object->data_configs->configs.followed, syscalls, __ATOMIC_SEQ_CST);
}

/* Until a call's probes are all known to run, whatever is open in the state of a task is old. */
static void set_since(struct mrl_probes *probes, uint32_t syscalls, uint64_t time_ns)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (syscalls & (1U << i))
            __atomic_store_n(&probes->object->bss->followed_since[i], time_ns, __ATOMIC_SEQ_CST);
}

/* Beside those that are followed already. No event comes of it before a configuration wants it. */
static int follow_more(struct mrl_probes *probes, uint32_t syscalls, const char **ret_stage)
{
    int err;

    *ret_stage = "attach";
    err = attach(probes, syscalls);
    if (!err) {
        /* Three stores, in this order. The time is set last, and so is later than the switch. A
         * call that began before it was followed has no recorded entry. It must never count as
         * younger than the probes: it would be told as blocked. */
        set_since(probes, syscalls, UINT64_MAX);
        set_followed(probes, probes->syscalls | syscalls);
        set_since(probes, syscalls, (uint64_t)mrl_clock__boot_ns());
        *ret_stage = "proof";
        err = prove(probes, syscalls);
    }
    if (err) {
        set_followed(probes, probes->syscalls);
        detach(probes, syscalls);
        return err;
    }
    probes->syscalls |= syscalls;
    return 0;
}

/* They are switched off before their probes go: an entry that finds a call open would otherwise
 * count the exit of that call as missed. */
static void follow_only(struct mrl_probes *probes, uint32_t syscalls)
{
    uint32_t unused = probes->syscalls & ~syscalls;

    set_followed(probes, syscalls);
    detach(probes, unused);
    probes->syscalls &= ~unused;
}

/* Into the slot that no program reads: the last swap has waited for those that did, but for the
 * first, which would hold up the start. */
static void swap_config(struct mrl_probes *probes, uint32_t events, const struct mrl_filter *filter)
{
    struct mrl_configs *configs = &probes->object->data_configs->configs;
    struct mrl_config *config = &configs->slots[(probes->generation + 1) & 1];

    if (probes->generation == 1)
        wait_for_programs(probes);
    memset(config, 0, sizeof(*config));
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (events & (1U << i))
            config->policies[i] = mrl_filter__wanted_by(filter, i);
    config->caller_exe = probes->caller_exe || filter->wants_executable;
    mrl_filter__rules(filter, &config->rules);
    __atomic_store_n(&configs->generation, ++probes->generation, __ATOMIC_SEQ_CST);
    if (probes->generation > 1)
        wait_for_programs(probes);
}

static int configure(struct mrl_probes *probes,
                     uint32_t events,
                     const struct mrl_filter *filter,
                     const char **ret_stage)
{
    uint32_t syscalls = mrl_probes__syscalls(events), more = syscalls & ~probes->syscalls;
    int err = more ? follow_more(probes, more, ret_stage) : 0;

    if (err)
        return err;
    swap_config(probes, events, filter);
    follow_only(probes, syscalls);
    return 0;
}

int mrl_probes__configure(struct mrl_probes *probes,
                          uint32_t events,
                          const struct mrl_filter *filter)
{
    const char *stage;

    if (events & ~probes->object->rodata->settings.events)
        return -EINVAL;
    return configure(probes, events, filter, &stage);
}

int mrl_probes__open(const struct mrl_rung *rung,
                     const struct mrl_probe_options *options,
                     bool cgroup_v1,
                     const char **ret_stage,
                     struct mrl_probes *ret_probes)
{
    struct mrl_probes probes = { 0 };
    int err = load(&probes, rung, options, cgroup_v1);

    *ret_stage = "load";
    if (!err)
        err = configure(&probes, options->events, options->filter, ret_stage);
    if (err) {
        mrl_probes__close(&probes);
        return err;
    }
    *ret_probes = probes;
    return 0;
}

void mrl_probes__detach(struct mrl_probes *probes)
{
    if (!probes->object)
        return;
    follow_only(probes, 0);
    /* Before its programs go, and their numbers with them. */
    mrl_reaper__missed(probes->reaper, &probes->reaper_missed);
    mrl_reaper__close(probes->reaper);
    probes->reaper = NULL;
}

void mrl_probes__close(struct mrl_probes *probes)
{
    if (!probes->object)
        return;
    mrl_probes__detach(probes);
    mrelease_bpf__destroy(probes->object);
    *probes = (struct mrl_probes){ 0 };
}
