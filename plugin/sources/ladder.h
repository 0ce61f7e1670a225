/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe ladder: choosing a rung by trying it. A try opens the object anew, loads only the
 * rung's programs, attaches them and proves them with calls of our own.
 */
#ifndef MRL_SOURCES_LADDER_H
#define MRL_SOURCES_LADDER_H

#include <bpf/libbpf.h>

#include "core/source.h"

struct mrelease_bpf;

enum { MRL_LINKS_MAX = 64 };

/** Probes that are attached and proven. */
struct mrl_probes {
    struct mrelease_bpf *object;
    const struct mrl_rung *rung;
    struct bpf_link
        *links[MRL_LINKS_MAX]; /* exits first: they are attached first, and detached first */
    unsigned int link_count;
};

/**
 * Tries the rungs that fit `options`, best first, and keeps the first that works. Errors: -EPERM
 * with the missing capabilities, -ENOSYS, -EOPNOTSUPP with each rung's reason, -ENOMEM.
 */
int mrl_probes__open(const struct mrl_source_options *options,
                     bool cgroup_v1,
                     struct mrl_error *error,
                     struct mrl_probes *ret_probes);

/** Detaches; when it returns, no program runs any more. Idempotent. */
void mrl_probes__detach(struct mrl_probes *probes);

/** Detaches and frees; zeroed probes are allowed. */
void mrl_probes__close(struct mrl_probes *probes);

/** Sums the kernel's counters of an event over the CPUs; user space's stay 0. Errors: -ENOMEM,
 * -errno of bpf(). */
int mrl_probes__counters(const struct mrl_probes *probes,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts);

#endif
