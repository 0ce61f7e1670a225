/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the probes are told while they run (docs/adr/0010): which events are wanted, by which
 * policies, and under which rules. Compiled by both sides. It is swapped whole: user space writes
 * the slot that nobody reads, and then the number by which the probes find it.
 */
#ifndef MRL_ABI_CONFIG_H
#define MRL_ABI_CONFIG_H

#include <linux/types.h>

#include "record.h"
#include "rule.h"

/** One configuration. An event is sent while any bit of a policy that wants it is left. */
struct mrl_config {
    __u64 policies[MRL_EVENTS_MAX]; /* per enum mrl_event_index: those that want it; 0: it is off */
    __u32 caller_exe; /* records end with the path of the caller's executable; not where
                         mrl_settings.caller_exe is 0 */
    __u32 reserved;
    struct mrl_rules rules;
};

/** In a map that user space has mapped: no system call is needed to change it. */
struct mrl_configs {
    /* Counts the configurations from 1 on; its lowest bit is the slot that holds. A program reads
     * it once per call. */
    __u32 generation;
    /* Bit per enum mrl_event_index: the calls whose state is kept between entry and exit. All that
     * the configuration wants, and those that are being proven before it does. */
    __u32 followed;
    struct mrl_config slots[2];
};

#endif
