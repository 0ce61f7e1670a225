// SPDX-License-Identifier: Apache-2.0
/*
 * The group tax: what a system call pays that nobody watches. Per rung, getppid() is timed without
 * probes, with programs that do nothing on the rung's hooks, and with ours: in turn, each attached
 * anew in every round.
 */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <sys/syscall.h>

#include "bare.skel.h"
#include "bench/bench.h"

enum { ROUNDS = 11, ROUNDS_MAX = 1000, CALLS = 250 * 1000, REPEATS = 3, RUNGS_MAX = 8 };

/* MRELEASE_BENCH_ROUNDS: fewer of them, where all is slow. */
static int rounds(void)
{
    const char *given = getenv("MRELEASE_BENCH_ROUNDS");
    int count = given ? atoi(given) : 0;

    return count > 0 && count < ROUNDS_MAX ? count : ROUNDS;
}

/* The least of a few repetitions: a call is disturbed upwards only. */
static double ns_per_call(void)
{
    double least = 0;

    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t start = bench_cpu_ns();
        double ns;

        for (int i = 0; i < CALLS; i++)
            syscall(SYS_getppid);
        ns = (double)(bench_cpu_ns() - start) / CALLS;
        least = !repeat || ns < least ? ns : least;
    }
    return least;
}

/* -- the bare peer ---------------------------------------------------------------------------- */

static bool belongs(const struct bpf_program *program, const char *rung)
{
    const char *name = bpf_program__name(program);
    size_t size = strlen(rung);

    return !strncmp(name, rung, size) && !strncmp(name + size, "__", 2);
}

static struct bare_bpf *attach_bare(const char *rung)
{
    struct bare_bpf *bare = bare_bpf__open();
    struct bpf_program *program;

    if (!bare)
        return NULL;
    bpf_object__for_each_program(program, bare->obj)
        bpf_program__set_autoload(program, belongs(program, rung));
    bpf_map__set_autocreate(bare->maps.known_cgroups, false);
    if (!bare_bpf__load(bare) && !bare_bpf__attach(bare))
        return bare;
    bare_bpf__destroy(bare);
    return NULL;
}

static int time_bare(const char *rung, struct bench_samples *ns)
{
    struct bare_bpf *bare = attach_bare(rung);

    if (!bare)
        return -1;
    bench_samples__add(ns, ns_per_call());
    bare_bpf__destroy(bare);
    return 0;
}

/* -- ours ------------------------------------------------------------------------------------- */

static int time_ours(const char *rung, struct bench_samples *ns)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_plugin *plugin;
    struct mrl_error error;

    options.rung = rung;
    if (mrl_plugin__open(&options, &error, &plugin)) {
        bench_say("tax: rung %s: %s", rung, error.text);
        return -1;
    }
    bench_samples__add(ns, ns_per_call());
    mrl_plugin__close(plugin);
    return 0;
}

/* -- the group -------------------------------------------------------------------------------- */

struct rung {
    const char *name;
    bool works;
    struct bench_samples ours, bare;
};

static void measure_round(struct rung *rungs, unsigned int count, struct bench_samples *none)
{
    bench_samples__add(none, ns_per_call());
    for (unsigned int i = 0; i < count; i++)
        if (rungs[i].works)
            rungs[i].works = !time_bare(rungs[i].name, &rungs[i].bare) &&
                             !time_ours(rungs[i].name, &rungs[i].ours);
}

static void report_rung(struct bench *bench,
                        const struct rung *rung,
                        const struct bench_samples *none)
{
    double bare_tax =
        bench_samples__percentile(&rung->bare, 50) - bench_samples__percentile(none, 50);
    double tax = bench_samples__percentile(&rung->ours, 50) - bench_samples__percentile(none, 50);
    char name[64];

    snprintf(name, sizeof(name), "tax.%s.ns", rung->name);
    bench_median(
        bench, name, &rung->ours, "ns",
        "getppid() with our probes of the rung attached and no call that they watch: least "
        "of %d loops of %d calls (CPU time), median of %d rounds in turn with the peers",
        REPEATS, CALLS, rounds());
    snprintf(name, sizeof(name), "tax.%s_bare.ns", rung->name);
    bench_median(bench, name, &rung->bare, "ns",
                 "the same with programs that only return 0 on the same hooks");
    snprintf(name, sizeof(name), "tax.%s.ratio_to_bare", rung->name);
    bench_ratio(bench, name, &rung->ours, &rung->bare, "ours over bare attach");
    snprintf(name, sizeof(name), "tax.%s.ratio_to_none", rung->name);
    bench_ratio(bench, name, &rung->ours, none, "ours over no probe at all");
    snprintf(name, sizeof(name), "tax.%s.added_ns", rung->name);
    bench_result(
        bench, name, tax, "ns", 0,
        "with our probes less without any (medians); of that, %.1f ns are the bare attach's",
        bare_tax);
}

static int run(struct bench *bench)
{
    unsigned int count, working = 0;
    const struct mrl_rung *known = mrl_rung__all(&count);
    struct rung rungs[RUNGS_MAX] = { 0 };
    struct bench_samples none = { 0 };

    if (bench_mount_tracefs())
        bench_say("tax: tracefs cannot be mounted: %s", strerror(errno));
    libbpf_set_print(NULL);
    count = count < RUNGS_MAX ? count : RUNGS_MAX;
    for (unsigned int i = 0; i < count; i++)
        rungs[i] = (struct rung){ .name = known[i].name, .works = true };
    bench_say("tax: %d rounds", rounds());
    bench_pin(bench_load_cpu());
    for (int round = 0; round < rounds(); round++)
        measure_round(rungs, count, &none);
    bench_pin(-1);
    bench_median(bench, "tax.none.ns", &none, "ns",
                 "getppid() with no probe attached, in the same rounds");
    for (unsigned int i = 0; i < count; i++) {
        working += rungs[i].works;
        if (rungs[i].works)
            report_rung(bench, &rungs[i], &none);
        else
            bench_say("tax: rung %s does not load here", rungs[i].name);
        bench_samples__done(&rungs[i].ours);
        bench_samples__done(&rungs[i].bare);
    }
    bench_samples__done(&none);
    return working ? 0 : -1;
}

const struct bench_group bench_tax = {
    "tax",
    "What an unwatched system call pays per rung, beside a bare attach.",
    run,
};
