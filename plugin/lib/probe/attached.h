/* SPDX-License-Identifier: Apache-2.0 */
/* The probes of one rung, as they stand: what hooks attach, and probes.c loads, proves and reads.
 */
#ifndef MRL_PROBE_ATTACHED_H
#define MRL_PROBE_ATTACHED_H

#include <mrelease/plugin.h>

#include <bpf/libbpf.h>

struct mrelease_bpf;
struct mrl_reaper;

enum { MRL_LINKS_MAX = 64, MRL_ALL_SYSCALLS = -1, MRL_UNPROVEN_BYTES = 24 };

/** A link, and which call it is for: an index of the table, or MRL_ALL_SYSCALLS. */
struct mrl_attached {
    struct bpf_link *link;
    int syscall;
};

/** Probes that are attached and proven. One thread at a time may change or read them; the counters
 * any. */
struct mrl_probes {
    struct mrelease_bpf *object;
    const struct mrl_rung *rung;
    const char *coverage;
    bool caller_exe;     /* whatever the filter asks */
    uint32_t syscalls;   /* that are attached */
    uint32_t generation; /* of the configuration that holds */
    /* Of each call, exits first: they are attached first, and detached first. */
    struct mrl_attached links[MRL_LINKS_MAX];
    unsigned int link_count;
    struct mrl_reaper *reaper; /* beside them; NULL: not here */
    uint64_t reaper_missed;    /* by that one, when it is closed */
    uint64_t missed_by_links;  /* of those that were detached */
    /* Ways that a filter keeps this process from: see mrl_plugin__unproven(). */
    char unproven[MRL_UNPROVEN_BYTES];
};

#endif
