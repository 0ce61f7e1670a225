/* SPDX-License-Identifier: Apache-2.0 */
/* What the probes are asked for, after it was checked; and the log they speak to. */
#ifndef MRL_PROBE_OPTIONS_H
#define MRL_PROBE_OPTIONS_H

#include <abi/record.h>
#include <mrelease/plugin.h>

struct mrl_cpus;
struct mrl_filter;

/** All pointers are borrowed, and outlive the probes. */
struct mrl_probe_options {
    uint32_t events;                           /* from the start */
    uint32_t may_watch;                        /* these, and those that may be enabled later */
    uint32_t needs;                            /* set of MRL_NEED_… */
    const struct mrl_filter *filter;           /* which calls; never NULL */
    const char *rung;                          /* a rung's name; NULL: choose */
    const char *coverage;                      /* "compat", "native" or "all" */
    uint64_t rare_ring_bytes, busy_ring_bytes; /* powers of two of pages */
    const struct mrl_cpus *cpus;               /* NULL: per-CPU counters cannot be added up */
    bool reap_kill;                            /* the kernel knows that flag; the ladder asks */
    bool x32;          /* numbers of x32 are calls as well; the ladder finds out */
    bool trials;       /* marked calls are events */
    bool names;        /* records tell of cgroups that are made and removed */
    bool caller_exe;   /* records hold the path of the caller's executable */
    bool may_read_exe; /* or may, once a filter asks for it */
    void (*log)(void *log_context, enum mrl_log_level level, const char *text); /* NULL: silent */
    void *log_context;
};

/** Whether any event or extra tells of the target of a call. */
static inline bool mrl_probe_options__want_target(const struct mrl_probe_options *options)
{
    return options->needs & MRL_NEED_TARGET || options->may_watch & (1U << MRL_EVENT_DO_MRELEASE);
}

/** Formats a line for the log; does nothing without one. */
__attribute__((format(printf, 3, 4))) void mrl_probe_options__log(
    const struct mrl_probe_options *options, enum mrl_log_level level, const char *format, ...);

#endif
